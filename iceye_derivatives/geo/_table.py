"""Which columns do detections have, and what happens to a property that is called like one?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from iceye_derivatives.geo.detections import Detections

__all__ = ["table"]

_OWN = "_property"


def table(detections: Detections, reserved: Iterable[str] = ("geometry",)) -> dict[str, list[Any]]:
    """The columns by name: the stable ones, then each property under its own name.

    The stable ones are there also where nothing was detected; their moments are Unix seconds.
    A property that is called like a stable or reserved column gets ``_property`` appended, unless
    it says the same as that column for every detection.
    """
    rows = detections.detections
    sources = [detection.source for detection in rows]
    columns: dict[str, list[Any]] = {
        "task_id": [source.task_id for source in sources],
        "derivative_id": [source.derivative_id for source in sources],
        "product_type": [source.product_type for source in sources],
        "asset_type": [source.asset_type for source in sources],
        "source_file": [source.file for source in sources],
        "feature_id": [row.id for row in rows],
        "detection_class": [row.detection_class for row in rows],
        "confidence": [row.confidence for row in rows],
        "observed_at": [row.observed for row in rows],
        "downloaded_at": [source.downloaded for source in sources],
    }
    names = list(dict.fromkeys(name for row in rows for name in row.properties))
    taken = {*columns, *reserved, *names}
    for name in names:
        values = [row.properties.get(name) for row in rows]
        if name in columns and _same(columns[name], values):
            continue
        own = name
        if name in columns or name in reserved:
            while own in taken:
                own += _OWN
            taken.add(own)
        columns[own] = values
    return columns


def _same(ours: Sequence[Any], theirs: Sequence[Any]) -> bool:
    # 1 and True are equal, yet not the same to say.
    return all(a == b and not isinstance(b, bool) for a, b in zip(ours, theirs, strict=True))
