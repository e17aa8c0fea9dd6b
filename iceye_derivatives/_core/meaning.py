"""Which of a file's properties is the class, which the confidence, and which the time?

ICEYE documents no schema of its detections, so the caller may name the properties; else the first
candidate that a file has is taken, whatever the case of its letters.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Final

__all__ = [
    "CLASS_CANDIDATES",
    "CONFIDENCE_CANDIDATES",
    "TIME_CANDIDATES",
    "as_class",
    "as_confidence",
    "as_moment",
    "find_property",
]

CLASS_CANDIDATES: Final = (
    "class",
    "class_name",
    "detection_class",
    "object_class",
    "label",
    "classification",
    "classification*",
    "category",
    "type",
    "name",
)
"""In this order; ``*`` stands for any end."""
CONFIDENCE_CANDIDATES: Final = (
    "confidence",
    "detection_confidence",
    "confidence_score",
    "class_confidence",
    "score",
    "probability",
    "certainty",
    "conf",
    "prob",
)
TIME_CANDIDATES: Final = (
    "observed_at",
    "detected_at",
    "acquired_at",
    "acquisition_time",
    "acquisition_datetime",
    "acquisition_start",
    "timestamp",
    "datetime",
    "time",
)


def find_property(properties: Iterable[Mapping[str, Any]], candidates: Sequence[str]) -> str | None:
    """The first candidate that some feature has with a text, a number or a truth value."""
    names = {
        name: None for fields in properties for name, value in fields.items() if _is_scalar(value)
    }
    for candidate in candidates:
        for name in names:
            if _fits(name.casefold(), candidate):
                return name
    return None


def as_class(value: object) -> str | None:
    """What the class is called; None for null, for lists and for objects."""
    if not _is_scalar(value):
        return None
    return value if isinstance(value, str) else json.dumps(value)


def as_confidence(value: object) -> float | None:
    """The confidence as a number, also where it is written as a text; None for all else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if isfinite(number) else None


def as_moment(value: object) -> float | None:
    """Unix seconds of an ISO 8601 text; without an offset it is UTC, as in the API."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
        # To UTC, since the last hours of the year 9999 may lie beyond it there.
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        return None


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | int | float)


def _fits(name: str, candidate: str) -> bool:
    if candidate.endswith("*"):
        return name.startswith(candidate[:-1])
    return name == candidate
