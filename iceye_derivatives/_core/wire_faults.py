"""What is wrong with an item of a listing, and what of it can be read all the same?

A derivative needs an id, a type and, to be handed out, an asset with a type and a link.  Where one
of several assets cannot be read, the others can: each keeps the ordinal that it would have beside
it, since that is its name on a disk, and the one that is missing may come with the next look.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import evolve

from iceye_derivatives._core.ceilings import OverLimit
from iceye_derivatives._core.limits import Limits
from iceye_derivatives._core.redact import clean_text
from iceye_derivatives._core.wire_error import join
from iceye_derivatives.models import Asset, Unreadable

__all__ = ["NOT_NEEDED", "are_names", "faults_of", "numbered", "readable_part"]

NOT_NEEDED = ("imageReference", "imageId")
"""Nobody waits for a derivative and then has no use for it without one of these."""


def faults_of(item: Any, index: int, limits: Limits) -> tuple[Unreadable, ...]:  # noqa: ANN401 - JSON
    """All that is not as documented in the item at `index`; nothing for a good one.

    Raises:
        OverLimit: a text in it is longer than `limits` allow.
    """
    known: dict[str, str | None] = {"derivative_id": None, "product_type": None}
    if isinstance(item, dict):
        known["derivative_id"] = _shown(item.get("id"), limits)
        known["product_type"] = _shown(item.get("derivativeProductType"), limits)
    return tuple(
        Unreadable(item=index, field=field, problem=problem, **known)
        for field, problem in _explain(item, limits)
    )


def readable_part(item: Any, limits: Limits) -> dict[str, Any] | None:  # noqa: ANN401 - JSON
    """The item without those of its assets that cannot be read; None where none is left."""
    assets = item.get("assets") if isinstance(item, dict) else None
    if not isinstance(assets, list):
        return None
    good = [asset for asset in assets if not any(_explain_asset(asset, "", limits))]
    return {**item, "assets": good} if good else None


def numbered(assets: tuple[Asset, ...], raw: list[Any], limits: Limits) -> tuple[Asset, ...]:
    """The assets that could be read, each with the ordinal that it has among all of `raw`.

    One whose type cannot be read counts for every type: an asset that comes twice, under two names,
    is better than one that is taken for another which is at home.
    """
    ordinals, unknown, rest = dict[str, int](), 0, iter(assets)
    found = []
    for asset in raw:
        kind = _read_kind(asset, limits)
        if kind is None:
            unknown += 1
            continue
        ordinals[kind] = ordinals.get(kind, 0) + 1
        if not any(_explain_asset(asset, "", limits)):
            found.append(evolve(next(rest), ordinal=ordinals[kind] + unknown))
    return tuple(found)


def are_names(*values: str) -> bool:
    """Strings that can be sent and written.

    JSON can spell half a surrogate pair, and a string with one cannot become UTF-8 any more.
    """
    try:
        "".join(values).encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(name: Any, limits: Limits) -> str | None:  # noqa: ANN401 - JSON
    # Where one field is wrong, another may hold what belongs elsewhere, a signed link say.
    if isinstance(name, str) and name and are_names(name):
        return clean_text(name, longest=limits.id_length) or None
    return None


def _read_kind(asset: Any, limits: Limits) -> str | None:  # noqa: ANN401 - JSON
    kind = asset.get("type") if isinstance(asset, dict) else None
    return None if any(_explain_name(kind, "", "id_length", limits)) else kind


def _explain(raw: Any, limits: Limits) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON
    """Every field of an item that is not as documented, by its path, and why."""
    if not isinstance(raw, dict):
        yield "", "is not an object"
        return
    for name in ("id", "derivativeProductType"):
        yield from _explain_name(raw.get(name), name, "id_length", limits)
    for name in NOT_NEEDED:
        _check_length(raw.get(name), name, "id_length", limits)
    assets = raw.get("assets")
    if not isinstance(assets, list | None):
        yield "assets", "is not a list"
        return
    for index, asset in enumerate(assets or ()):
        yield from _explain_asset(asset, f"assets[{index}]", limits)


def _explain_asset(asset: Any, place: str, limits: Limits) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON
    if not isinstance(asset, dict):
        yield place, "is not an object"
        return
    yield from _explain_name(asset.get("type"), join(place, "type"), "id_length", limits)
    yield from _explain_name(asset.get("href"), join(place, "href"), "link_length", limits)


def _explain_name(value: Any, place: str, limit: str, limits: Limits) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON
    _check_length(value, place, limit, limits)
    if value is None:
        yield place, "is missing"
    elif not isinstance(value, str):
        yield place, "is not a string"
    elif not value or not are_names(value):
        yield place, "is empty, or no valid Unicode"


def _check_length(value: Any, place: str, limit: str, limits: Limits) -> None:  # noqa: ANN401 - JSON
    if isinstance(value, str) and len(value) > getattr(limits, limit):
        raise OverLimit(f"has a longer text at {place}", limit, limits)
