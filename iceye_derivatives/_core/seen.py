"""Which derivatives were seen, which were handed out, and which wait to be?"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TypeAlias

from attrs import Factory, define, evolve

from iceye_derivatives._core.pairing import counted, renewed
from iceye_derivatives.models import Derivative

__all__ = ["AssetKey", "Seen"]

AssetKey: TypeAlias = tuple[str, int]
"""Asset type and ordinal: what an asset is, whatever its URL is this time."""


def asset_keys(derivative: Derivative) -> frozenset[AssetKey]:
    """The identities of a derivative's assets within it."""
    if len(derivative.assets) == 1:  # nearly all: a look at ten thousand must not stop the loop
        (asset,) = derivative.assets
        return frozenset(((asset.type, asset.ordinal or 1),))
    return frozenset(key for key, _ in counted(derivative.assets))


@define
class Seen:
    """The memory of a watch: grows only, so nothing can be handed out twice."""

    listed: dict[str, str] = Factory(dict)
    """Derivative id to product type, in the order first seen."""
    handed: dict[str, frozenset[AssetKey]] = Factory(dict)
    """Derivative id to the assets that were handed out, in that order."""
    queue: dict[str, Derivative] = Factory(dict)
    """What is ready and not yet taken, in the order in which it became ready."""

    @property
    def queued(self) -> int:
        """How many wait to be taken."""
        return len(self.queue)

    @property
    def delivered(self) -> tuple[str, ...]:
        """Ids in the order handed out."""
        return tuple(self.handed)

    @property
    def unready(self) -> tuple[str, ...]:
        """Ids that were listed, but never with assets."""
        return tuple(i for i in self.listed if i not in self.handed and i not in self.queue)

    def awaited(self, requested: Iterable[str], unready: Iterable[str]) -> tuple[str, ...]:
        """Product types of what has no assets, and those requested that are not listed at all."""
        types = {self.listed[i] for i in unready}
        return tuple(sorted(types | (set(requested) - set(self.listed.values()))))

    def is_first(self, derivative: Derivative) -> bool:
        """Whether it shows the first assets of a derivative."""
        known = derivative.id in self.handed or derivative.id in self.queue
        return bool(derivative.assets) and not known

    def take_in(self, derivatives: Collection[Derivative]) -> bool:
        """Note what an answer lists; True when it holds assets that were never shown before."""
        news, queue, handed = False, self.queue, self.handed
        for key, derivative in _merged(derivatives).items():
            self.listed.setdefault(key, derivative.product_type)
            if not derivative.assets:
                continue
            if key in queue or key in handed:
                news |= self._take_in_known(derivative)
            else:
                queue[key], news = derivative, True
        return news

    def _take_in_known(self, derivative: Derivative) -> bool:
        keys = asset_keys(derivative)
        waiting = self.queue.get(derivative.id)
        waiting_keys = frozenset[AssetKey]() if waiting is None else asset_keys(waiting)
        known = self.handed.get(derivative.id, frozenset()) | waiting_keys
        if keys - known or (waiting is not None and keys >= waiting_keys):
            # Assets that wait to be taken are replaced by the newer listing, whose links live
            # longer; but an answer that lost assets never takes away what was shown.
            self.queue[derivative.id] = _joined(waiting, derivative)
        return bool(keys - known)

    def peek(self, task_id: str) -> Derivative | None:
        """The first that waits, as `pop()` would give it."""
        if not self.queue:
            return None
        derivative = next(iter(self.queue.values()))
        is_update = derivative.id in self.handed
        if derivative.task_id == task_id and derivative.is_update == is_update:
            return derivative  # nearly always, and a copy costs more than all the rest
        return evolve(derivative, task_id=task_id, is_update=is_update)

    def pop(self, task_id: str) -> Derivative | None:
        """Take the first that waits; from now on it counts as handed out."""
        derivative = self.peek(task_id)
        if derivative is not None:
            del self.queue[derivative.id]
            before = self.handed.get(derivative.id, frozenset[AssetKey]())
            self.handed[derivative.id] = before | asset_keys(derivative)
        return derivative

    def give_back(self, derivative_id: str) -> None:
        """Forget that it was handed out: the next answer that lists it makes it wait again."""
        self.handed.pop(derivative_id, None)


def _merged(derivatives: Collection[Derivative]) -> dict[str, Derivative]:
    by_id = {derivative.id: derivative for derivative in derivatives}
    if len(by_id) == len(derivatives):
        return by_id
    # Nothing forbids an answer that lists one id twice (pages that overlap do): the entries are
    # one derivative, and a link that occurs in both is one asset.
    by_id.clear()
    for derivative in derivatives:
        by_id[derivative.id] = _joined(by_id.get(derivative.id), derivative)
    return by_id


def _joined(older: Derivative | None, newer: Derivative) -> Derivative:
    if older is None:
        return newer
    return evolve(newer, assets=renewed(older.assets, newer.assets))
