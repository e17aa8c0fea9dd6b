"""What does the catalogue know of a task and its files, and what did it write down before?

An item remembers by itself what is in its files: a second run that keeps them need not read them
again, as long as their checksums are still those.  It stands where anybody may write: whatever is
odd in it was not known.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from attrs import evolve, field, frozen

from iceye_derivatives._core.coverage import Box, Coverage
from iceye_derivatives._core.rfc3339 import render_moment
from iceye_derivatives.models import AcquisitionWindow, AssetRef, Task

__all__ = [
    "OURS",
    "TEXTS",
    "CatalogFile",
    "Recalled",
    "TaskFacts",
    "as_object",
    "facts_of",
    "multihash",
    "read_box",
    "read_document",
    "recall",
    "sha256_of",
]

OURS: Final = "iceye_derivatives"
"""The prefix of facts that no specification names.  ``iceye:`` is ICEYE's own, in the items of its
catalog; none of our facts is one of those."""
TEXTS: Final = ("status", "imaging_mode", "look_side", "pass_direction", "reference")
"""Fields of a `Task` that are told as they are."""
_SHA2_256: Final = "1220"
"""A multihash begins with its function (0x12) and its length (0x20), each a varint."""
_DIGITS: Final = 64
_SIDES: Final = 4


@frozen(kw_only=True)
class CatalogFile:
    """A whole file, as its asset shall tell of it."""

    name: str
    """In the task's folder."""
    asset: AssetRef
    size: int
    sha256: str
    finished: float
    """Unix seconds."""
    image_reference: str | None = None
    image_id: str | None = None
    coverage: Coverage | None = None
    """None where nobody has looked inside."""


@frozen(kw_only=True)
class TaskFacts:
    """What is known of the task itself; None where it is not."""

    start: str | None = None
    end: str | None = None
    """The acquisition window, RFC 3339."""
    at: tuple[float, float] | None = None
    """The point of interest: longitude, latitude."""
    product_types: tuple[str, ...] | None = None
    texts: Mapping[str, str] = field(factory=dict)
    """By the names of a `Task`'s fields."""


@frozen(kw_only=True)
class Recalled:
    """What an earlier item knew."""

    facts: TaskFacts = field(factory=TaskFacts)
    files: Mapping[str, CatalogFile] = field(factory=dict)
    """By name; their identity is not told."""


def multihash(sha256: str) -> str:
    """The ``file:checksum`` of a SHA-256, both hexadecimal.

    Example:
        >>> multihash("ab" * 32)[:8]
        '1220abab'
    """
    return f"{_SHA2_256}{sha256}"


def sha256_of(checksum: object) -> str | None:
    """The SHA-256 in a ``file:checksum``; None where it is of another function, or none at all."""
    if not isinstance(checksum, str) or not checksum.startswith(_SHA2_256):
        return None
    digest = checksum.removeprefix(_SHA2_256)
    return digest if len(digest) == _DIGITS and set(digest) <= set("0123456789abcdef") else None


def facts_of(
    task: Task | None, window: AcquisitionWindow | None, known: TaskFacts | None = None
) -> TaskFacts:
    """What is known of a task: by the API now, else by its watch, else by an earlier item."""
    facts = TaskFacts() if known is None else known
    window = (task.acquisition_window if task is not None else None) or window
    if window is not None and window.start <= window.end:
        facts = evolve(facts, start=render_moment(window.start), end=render_moment(window.end))
    if task is None:
        return facts
    point = task.point_of_interest
    texts = {name: getattr(task, name) for name in TEXTS}
    return evolve(
        facts,
        at=facts.at if point is None else (point.lon, point.lat),
        product_types=task.derivative_product_types or facts.product_types,
        texts={**facts.texts, **{name: text for name, text in texts.items() if text is not None}},
    )


def recall(item: bytes | None) -> Recalled:
    """What an earlier item knew; anything odd in it counts as not known."""
    found = read_document(item)
    properties = as_object(found.get("properties"))
    return Recalled(
        facts=_facts_from(properties),
        files={
            name: file
            for name, asset in as_object(found.get("assets")).items()
            if (file := _file_from(name, as_object(asset))) is not None
        },
    )


def read_document(text: bytes | None) -> Mapping[str, Any]:
    """A JSON object; an empty one where it is none."""
    if text is None:
        return {}
    try:
        return as_object(json.loads(text.decode()))
    except (ValueError, RecursionError):
        return {}


def as_object(found: object) -> Mapping[str, Any]:
    """It, if it is an object; else an empty one."""
    return found if isinstance(found, dict) else {}


def read_box(found: object) -> Box | None:
    """A ``bbox`` of four numbers that can be degrees."""
    if not isinstance(found, list) or len(found) != _SIDES:
        return None
    if not all(type(side) in (int, float) for side in found):
        return None
    west, south, east, north = (float(side) for side in found)
    good = abs(west) <= 180 and abs(east) <= 180 and -90 <= south <= north <= 90  # noqa: PLR2004 - degrees
    return Box(west, south, east, north) if good else None


def _facts_from(properties: Mapping[str, Any]) -> TaskFacts:
    point = as_object(properties.get(f"{OURS}:point_of_interest"))
    box = read_box([point.get("lon"), point.get("lat"), point.get("lon"), point.get("lat")])
    kinds = properties.get(f"{OURS}:derivative_product_types")
    kinds = kinds if isinstance(kinds, list) and all(isinstance(k, str) for k in kinds) else None
    texts = {name: properties.get(f"{OURS}:{name}") for name in TEXTS}
    start, end = properties.get("start_datetime"), properties.get("end_datetime")
    both = isinstance(start, str) and isinstance(end, str)
    return TaskFacts(
        start=start if both else None,
        end=end if both else None,
        at=None if box is None else (box.west, box.south),
        product_types=None if kinds is None else tuple(kinds),
        texts={name: text for name, text in texts.items() if isinstance(text, str)},
    )


def _file_from(name: str, asset: Mapping[str, Any]) -> CatalogFile | None:
    sha256, size = sha256_of(asset.get("file:checksum")), asset.get("file:size")
    if sha256 is None or type(size) is not int:
        return None
    return CatalogFile(
        name=name,
        asset=AssetRef(task_id="", derivative_id="", product_type="", asset_type=""),
        size=size,
        sha256=sha256,
        finished=0.0,
        image_reference=_text(asset, "image_reference"),
        image_id=_text(asset, "image_id"),
        coverage=_coverage_from(asset),
    )


def _coverage_from(asset: Mapping[str, Any]) -> Coverage | None:
    features = asset.get(f"{OURS}:detections")
    if type(features) is not int:
        return None
    box = read_box(asset.get(f"{OURS}:bbox"))
    return Coverage(features=features, box=box, crs=_text(asset, "crs"))


def _text(asset: Mapping[str, Any], name: str) -> str | None:
    value = asset.get(f"{OURS}:{name}")
    return value if isinstance(value, str) else None
