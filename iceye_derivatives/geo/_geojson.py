"""Which features does a GeoJSON object hold, whatever its type and however odd its geometries?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import isfinite
from typing import Any, Final

from attrs import frozen

from iceye_derivatives._core.geojson_rules import NotGeoJson, check_members

__all__ = ["Feature", "features_of", "parse", "positions", "sound_geometry"]

Position = list[float]
DEEPEST: Final = 8
"""How deep collections may lie in collections; RFC 7946 says "SHOULD avoid" of the second."""
_LONGEST_INTEGER: Final = 4000
"""Digits: Python refuses to read an integer of more than 4300; a longer one is kept as text."""
_NESTING: Final = {
    "Point": 0,
    "MultiPoint": 1,
    "LineString": 1,
    "MultiLineString": 2,
    "Polygon": 2,
    "MultiPolygon": 3,
}
"""How many arrays stand around the positions."""
_SHORTEST_LINE, _SHORTEST_RING = 2, 4


@frozen(kw_only=True)
class Feature:
    """One feature as it was found; `geometry` is None where it has none that can be drawn."""

    id: str | None
    geometry: dict[str, Any] | None
    properties: dict[str, Any]


def parse(body: bytes) -> dict[str, Any]:
    """The GeoJSON object that a file holds.

    Raises:
        NotGeoJson: it holds anything else; the message is the rest of "…, since …".
    """
    try:
        document = json.loads(body.decode("utf-8-sig"), parse_int=_whole_number)
    except UnicodeDecodeError:
        raise NotGeoJson("it is not UTF-8") from None
    except (ValueError, RecursionError):
        raise NotGeoJson("it is not JSON") from None
    check_members(document)
    assert isinstance(document, dict)  # noqa: S101  what the check has just made sure of
    return document


def features_of(document: dict[str, Any]) -> Iterator[Feature]:
    """Each feature of a GeoJSON object; a bare geometry is one feature without properties."""
    match document["type"]:
        case "FeatureCollection":
            yield from map(_feature, document["features"])
        case "Feature":
            yield _feature(document)
        case _:
            yield Feature(id=None, geometry=sound_geometry(document), properties={})


def sound_geometry(value: object, depth: int = 0) -> dict[str, Any] | None:
    """The geometry with only what makes it one, or None where it cannot be drawn.

    Rings are closed, positions have two numbers, or three where all of them do.
    """
    if not isinstance(value, dict) or depth > DEEPEST:
        return None
    kind = value.get("type")
    if kind == "GeometryCollection":
        members = [sound_geometry(m, depth + 1) for m in _full(value.get("geometries"))]
        return {"type": kind, "geometries": members} if members and None not in members else None
    if not isinstance(kind, str) or kind not in _NESTING:
        return None
    coordinates = _coordinates(value.get("coordinates"), kind, _NESTING[kind])
    if coordinates is None:
        return None
    if len({len(position) for position in _flat(coordinates)}) > 1:
        coordinates = _flattened(coordinates)
    return {"type": kind, "coordinates": coordinates}


def positions(geometry: dict[str, Any]) -> Iterator[Position]:
    """Every position of a sound geometry."""
    if geometry["type"] == "GeometryCollection":
        for member in geometry["geometries"]:
            yield from positions(member)
    else:
        yield from _flat(geometry["coordinates"])


def _feature(raw: dict[str, Any]) -> Feature:
    name, properties = raw.get("id"), raw.get("properties")
    return Feature(
        id=None if name is None else name if isinstance(name, str) else json.dumps(name),
        geometry=sound_geometry(raw.get("geometry")),
        properties=properties if isinstance(properties, dict) else {},
    )


def _coordinates(value: object, kind: str, nesting: int) -> Any:  # noqa: ANN401  nested lists
    if not nesting:
        return _position(value)
    inner = [_coordinates(member, kind, nesting - 1) for member in _full(value)]
    if not inner or None in inner:
        return None
    if kind.endswith("LineString") and nesting == 1:
        return inner if len(inner) >= _SHORTEST_LINE else None
    if kind.endswith("Polygon") and nesting == 1:
        ring = inner if inner[0] == inner[-1] else [*inner, inner[0]]
        return ring if len(ring) >= _SHORTEST_RING else None
    return inner


def _position(value: object) -> Position | None:
    if not isinstance(value, list) or len(value) < 2:  # noqa: PLR2004  easting and northing
        return None
    numbers = value[:3]
    if any(type(number) not in (int, float) for number in numbers):
        return None
    try:
        return numbers if all(map(isfinite, numbers)) else None
    except OverflowError:
        return None


def _full(value: object) -> list[object]:
    # "GeoJSON processors MAY interpret Geometry objects with empty "coordinates" arrays as null":
    # so anything but a list is an empty one, and that is no geometry.
    return value if isinstance(value, list) else []


def _flat(coordinates: list[Any]) -> Iterator[Position]:
    if isinstance(coordinates[0], list):
        for member in coordinates:
            yield from _flat(member)
    else:
        yield coordinates


def _flattened(coordinates: list[Any]) -> list[Any]:
    if isinstance(coordinates[0], list):
        return [_flattened(member) for member in coordinates]
    return coordinates[:2]


def _whole_number(digits: str) -> int | str:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else digits
