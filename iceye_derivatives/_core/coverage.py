"""What part of the Earth does a GeoJSON document cover, where it is in WGS 84 at all?

"The coordinate reference system for all GeoJSON coordinates is a geographic coordinate reference
system, using the World Geodetic System 1984" (RFC 7946 4).  A ``crs`` member that names another
makes the coordinates of no use here (see `crs.py`).  So does one position that no degrees can be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import isfinite
from typing import Any, Final

from attrs import frozen

from iceye_derivatives._core.crs import WGS84, crs_of

__all__ = ["Box", "Coverage", "coverage_of", "geometry_of", "union"]

_UNNAMED: Final = "unknown"
_LONGEST: Final = 100
"""Characters of a name that are kept: some writers put the whole definition there."""
# How deep the lists of `coordinates` are down to those that are one line, ring or point.
_DEPTHS: Final = {
    "Point": 0,
    "MultiPoint": 1,
    "LineString": 0,
    "MultiLineString": 1,
    "Polygon": 1,
    "MultiPolygon": 2,
}
_HALF: Final = 180.0
_TURN: Final = 360.0
_POLE: Final = 90.0


@frozen
class Box:
    """Degrees, WGS 84; ``west > east`` where it crosses the antimeridian (RFC 7946 5.2)."""

    west: float
    south: float
    east: float
    north: float

    @property
    def crosses(self) -> bool:
        """Whether it crosses the antimeridian."""
        return self.west > self.east

    def as_list(self) -> list[float]:
        """The member ``bbox``."""
        return [self.west, self.south, self.east, self.north]


@frozen(kw_only=True)
class Coverage:
    """What a document says of itself."""

    features: int
    box: Box | None
    """None where there are no coordinates, or none in WGS 84."""
    crs: str | None
    """The name of another reference system, "unknown" where there is none; None for WGS 84."""


class _NotDegrees(Exception):  # noqa: N818 - an answer
    """A position that no degrees can be."""


def coverage_of(document: Any) -> Coverage:  # noqa: ANN401 - any JSON
    """Look at all coordinates; nothing is too odd for it."""
    named = crs_of(document)
    crs = None if named == WGS84 else named[:_LONGEST]
    features, box = _count(document), None
    if crs is None:
        try:
            box = union(_boxes(document))
        except _NotDegrees:
            crs = _UNNAMED
    return Coverage(features=features, box=box, crs=crs)


def union(boxes: Iterable[Box]) -> Box | None:
    """The narrowest box around all of them: what it leaves out is the widest gap on the globe."""
    found = sorted(boxes, key=lambda box: box.west)
    if not found:
        return None
    south = min(box.south for box in found)
    north = max(box.north for box in found)
    west, east = _narrowest(found)
    return Box(west, south, east, north)


def _narrowest(found: Sequence[Box]) -> tuple[float, float]:
    """Go east once around the globe, and take the widest stretch where nothing is."""
    over = [box.east for box in found if box.crosses]
    reach = max(over, default=None)
    widest, between = 0.0, (-_HALF, _HALF)
    for box in found:
        if reach is not None and box.west - reach > widest:
            widest, between = box.west - reach, (box.west, reach)
        end = box.east + _TURN if box.crosses else box.east
        reach = end if reach is None else max(reach, end)
    # A gap at the antimeridian is preferred to one as wide elsewhere: nobody likes west > east.
    if not over and reach is not None and found[0].west + _TURN - reach >= widest:
        return found[0].west, reach
    return between


def geometry_of(box: Box) -> dict[str, Any]:
    """The box as a geometry, cut at the antimeridian as RFC 7946 3.1.9 wants it."""
    if box.west == box.east and box.south == box.north:
        return {"type": "Point", "coordinates": [box.west, box.south]}
    if not box.crosses:
        return _plain(box)
    halves = [
        Box(box.west, box.south, _HALF, box.north),
        Box(-_HALF, box.south, box.east, box.north),
    ]
    # A half without width has nothing in it but the antimeridian itself.
    halves = [half for half in halves if half.west != half.east] or halves[:1]
    shapes = [_plain(half) for half in halves]
    kind = shapes[0]["type"]
    if len(shapes) == 1:
        return shapes[0]
    return {"type": f"Multi{kind}", "coordinates": [shape["coordinates"] for shape in shapes]}


def _plain(box: Box) -> dict[str, Any]:
    west, south, east, north = box.as_list()
    if west == east or south == north:
        return {"type": "LineString", "coordinates": [[west, south], [east, north]]}
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def _count(document: Any) -> int:  # noqa: ANN401 - any JSON
    features = document.get("features") if isinstance(document, dict) else None
    return len(features) if isinstance(features, list) else 0


def _boxes(document: Any) -> Iterator[Box]:  # noqa: ANN401 - any JSON
    """One for each point, line and ring; a stack, as collections may hold collections."""
    stack = [document]
    while stack:
        each = stack.pop()
        if not isinstance(each, dict):
            continue
        for inner in (each.get("features"), each.get("geometries")):
            stack.extend(inner if isinstance(inner, list) else ())
        stack.append(each.get("geometry"))
        depth = _DEPTHS.get(each["type"]) if isinstance(each.get("type"), str) else None
        if depth is not None:
            for path in _paths(each.get("coordinates"), depth):
                box = _box_of(path)
                if box is not None:
                    yield box


def _paths(coordinates: Any, depth: int) -> Iterator[Any]:  # noqa: ANN401 - any JSON
    if depth == 0:
        yield coordinates
    elif isinstance(coordinates, list):
        for inner in coordinates:
            yield from _paths(inner, depth - 1)


def _box_of(path: Any) -> Box | None:  # noqa: ANN401 - any JSON
    """Around the positions of a line or ring, or around the one that is there.

    An edge of more than half a turn is taken to go the other way round: "Features that cross the
    antimeridian SHOULD" be cut there, but not all are, and no detection is as wide as that.
    """
    positions = [path] if _is_position(path) else path if isinstance(path, list) else []
    degrees = [_degrees(position) for position in positions if _is_position(position)]
    if not degrees:
        return None
    turned, here = 0.0, degrees[0][0]
    west = east = (here, here)  # where it is when unrolled, and as it stands in the file
    for longitude, _ in degrees[1:]:
        step = longitude - here
        if _HALF < abs(step) < _TURN:
            turned += _TURN if step < 0 else -_TURN
        here = longitude
        west, east = min(west, (here + turned, here)), max(east, (here + turned, here))
    latitudes = [latitude for _, latitude in degrees]
    whole = east[0] - west[0] >= _TURN
    return Box(
        -_HALF if whole else west[1],
        min(latitudes),
        _HALF if whole else east[1],
        max(latitudes),
    )


def _is_position(found: Any) -> bool:  # noqa: ANN401 - any JSON
    return (
        isinstance(found, list)
        and len(found) > 1
        and type(found[0]) in (int, float)
        and type(found[1]) in (int, float)
    )


def _degrees(position: list[Any]) -> tuple[float, float]:
    try:
        longitude, latitude = float(position[0]), float(position[1])
    except OverflowError:
        raise _NotDegrees from None
    if not isfinite(longitude) or abs(longitude) > _TURN or not abs(latitude) <= _POLE:
        raise _NotDegrees
    if longitude > _HALF:
        longitude -= _TURN
    elif longitude < -_HALF:
        longitude += _TURN
    return longitude, latitude
