"""How do coordinates of any reference system become longitude and latitude?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from iceye_derivatives._core.crs import WGS84
from iceye_derivatives.errors import ConfigurationError
from iceye_derivatives.geo._extra import need
from iceye_derivatives.geo._geojson import sound_geometry

__all__ = ["to_wgs84"]

Geometry = dict[str, Any]


def to_wgs84(crs: str, file: str) -> Callable[[Geometry | None], Geometry | None]:
    """What turns a geometry of `crs` into one in WGS 84; heights are left out.

    Raises:
        ConfigurationError: pyproj is missing, or does not know the system; `file` is named.
    """
    if crs == WGS84:
        return lambda geometry: geometry
    pyproj = need("pyproj", f"Reading {file}, whose coordinates are in {crs},")
    try:
        move = pyproj.Transformer.from_crs(crs, WGS84, always_xy=True).transform
    except pyproj.exceptions.CRSError:
        raise ConfigurationError(
            f"{file} says that its coordinates are in {crs!r}, which is no reference system that "
            "pyproj knows: correct the file's `crs` member"
        ) from None
    # What lies outside of a projection's reach becomes infinite, which is no sound geometry.
    return lambda geometry: geometry and sound_geometry(_moved(geometry, move))


def _moved(geometry: Geometry, move: Callable[[float, float], tuple[float, float]]) -> Geometry:
    kind = geometry["type"]
    if kind == "GeometryCollection":
        return {"type": kind, "geometries": [_moved(m, move) for m in geometry["geometries"]]}
    return {"type": kind, "coordinates": _moved_all(geometry["coordinates"], move)}


def _moved_all(coordinates: list[Any], move: Callable[..., tuple[float, float]]) -> list[Any]:
    if isinstance(coordinates[0], list):
        return [_moved_all(member, move) for member in coordinates]
    return list(move(coordinates[0], coordinates[1]))
