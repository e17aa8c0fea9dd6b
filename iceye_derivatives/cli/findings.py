"""What was found: how many detections of which class does a file hold?"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from iceye_derivatives._core.meaning import CLASS_CANDIDATES, as_class, find_property
from iceye_derivatives.cli.plain import SHA_SHOWN
from iceye_derivatives.cli.wording import count, size
from iceye_derivatives.events import FileRecord

__all__ = ["Found", "find", "say_found"]

LARGEST = 64_000_000
"""Bytes: a summary is not worth the memory that parsing a larger file would take."""
SHOWN = 5


@frozen(kw_only=True)
class Found:
    """One file and what is in it; `detections` is None where the file was not counted."""

    record: FileRecord
    detections: int | None = None
    classes: Mapping[str, int] = {}


def find(record: FileRecord) -> Found:
    """Count a whole file's detections; a file that is no FeatureCollection is not counted."""
    if record.path is None or record.size is None or record.size > LARGEST:
        return Found(record=record)
    try:
        document = json.loads(Path(record.path).read_bytes())
        features = document["features"]
        classes = _classes([feature.get("properties") or {} for feature in features])
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return Found(record=record)
    return Found(record=record, detections=len(features), classes=dict(classes.most_common()))


def say_found(found: Found) -> tuple[str, str]:
    """Two lines for a person."""
    record = found.record
    facts = f"{size(record.size or 0)}, sha256 {(record.sha256 or '')[:SHA_SHOWN]}"
    counted = "not counted"
    if found.detections is not None:
        counted = count(found.detections, "detection")
        named = [f"{number} {name}" for name, number in found.classes.items() if name]
        more = ["..."] if len(named) > SHOWN else []
        if named:
            counted += f": {', '.join(named[:SHOWN] + more)}"
    name = Path(record.path or "").name
    return f"{record.asset.product_type}  {counted}", f"  {name} ({facts})"


def _classes(properties: Sequence[Mapping[str, Any]]) -> Counter[str]:
    """By the same rule as a map and an export of the file; "" where there is no class."""
    named = find_property(properties, CLASS_CANDIDATES) or ""
    return Counter(as_class(fields.get(named)) or "" for fields in properties)
