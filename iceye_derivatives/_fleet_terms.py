"""What is a fleet given: its settings, its tasks, and times for their first looks?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import inf
from typing import Final, cast

from attrs import Factory, define, field, frozen

from iceye_derivatives._core.decisions import Patience
from iceye_derivatives._core.limits import DEFAULT_LIMITS, Limits
from iceye_derivatives._core.nudges import Nudges
from iceye_derivatives._crew import TaskPages
from iceye_derivatives.errors import ConfigurationError
from iceye_derivatives.protocols import Clock
from iceye_derivatives.watcher import WatchSource

__all__ = ["FirstLooks", "FleetSettings", "checked_ids"]

_NAMED: Final = 3
"""How many of the ids that are none an error names."""


@frozen(kw_only=True)
class FleetSettings:
    """What a fleet is made of."""

    source: WatchSource
    clock: Clock
    jitter: Callable[[], float]
    patience: Patience = Factory(Patience)
    pages: TaskPages | None = None
    """Who lists tasks; None where each is to be asked for alone."""
    limits: Limits = DEFAULT_LIMITS
    requested: Mapping[str, tuple[str, ...]] = field(factory=dict)
    """Which product types were ordered, where that is known."""
    interval: float = 0.2
    """Seconds between the first looks at tasks that were added together."""
    concurrency: int = 16
    heartbeats: bool = False
    keep_open: bool = False
    nudges: Nudges = Factory(Nudges)


@define
class FirstLooks:
    """Gives tasks that could all be looked at now their first looks, one after the other."""

    settings: FleetSettings
    _free_from: float = field(init=False, default=-inf)

    def next(self, now: float) -> float:
        """The next free moment, on the clock of `now`."""
        interval = self.settings.interval
        slot = max(now, self._free_from)
        self._free_from = slot + interval
        return slot + self.settings.jitter() * interval


def checked_ids(task_ids: Iterable[str]) -> list[str]:
    """The ids; ConfigurationError for what are none, be it one string, or a gap in a table."""
    if isinstance(task_ids, str):
        raise ConfigurationError(f"{task_ids!r} is one string: give the task ids as a list")
    ids: list[object] = list(task_ids)
    odd = [f"{one!r} (number {n})" for n, one in enumerate(ids, 1) if not isinstance(one, str)]
    if odd:
        more = f" and {len(odd) - _NAMED} more" if len(odd) > _NAMED else ""
        raise ConfigurationError(
            f"{', '.join(odd[:_NAMED])}{more} among the task ids: leave out what is no string"
        )
    return cast("list[str]", ids)
