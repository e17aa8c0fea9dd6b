"""How is a geometry said in one cell of a table?"""

from __future__ import annotations

from typing import Any

from iceye_derivatives.geo._geojson import positions

__all__ = ["middle", "wkt"]


def wkt(geometry: dict[str, Any]) -> str:
    """Well-known text of a sound geometry (OGC 06-103r4, section 7); heights are left out."""
    kind = geometry["type"]
    if kind == "GeometryCollection":
        return f"{kind.upper()} ({', '.join(map(wkt, geometry['geometries']))})"
    text = _list(geometry["coordinates"])
    return f"{kind.upper()} {f'({text})' if kind == 'Point' else text}"


def middle(geometry: dict[str, Any]) -> tuple[float, float]:
    """The middle of its bounding box: the point itself for a point."""
    east, north = zip(*((p[0], p[1]) for p in positions(geometry)), strict=True)
    return (min(east) + max(east)) / 2, (min(north) + max(north)) / 2


def _list(coordinates: list[Any]) -> str:
    if isinstance(coordinates[0], list):
        return f"({', '.join(map(_list, coordinates))})"
    return f"{coordinates[0]} {coordinates[1]}"
