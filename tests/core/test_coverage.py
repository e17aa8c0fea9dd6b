"""What part of the Earth does a GeoJSON document cover?"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from iceye_derivatives._core.coverage import Box, Coverage, coverage_of, geometry_of, union

longitudes = st.floats(-180, 180) | st.sampled_from([-180.0, -179.9, 0.0, 179.9, 180.0])
latitudes = st.floats(-90, 90)
positions = st.tuples(longitudes, latitudes).map(list) | st.tuples(
    longitudes, latitudes, st.floats(-500, 9000)
).map(list)
# Small things, as detections are: lines and rings of less than half a turn.
points = positions.map(lambda at: {"type": "Point", "coordinates": at})
multi_points = st.lists(positions, max_size=4).map(
    lambda at: {"type": "MultiPoint", "coordinates": at}
)


@st.composite
def lines(draw: st.DrawFn) -> dict[str, Any]:
    west, width = draw(st.floats(-180, 179)), draw(st.floats(0, 1))
    at = [[west + width * draw(st.floats(0, 1)), draw(latitudes)] for _ in range(3)]
    kind = draw(st.sampled_from(["LineString", "Polygon", "MultiPolygon"]))
    nested: Any = at if kind == "LineString" else [at] if kind == "Polygon" else [[at]]
    return {"type": kind, "coordinates": nested}


geometries = st.recursive(
    points | multi_points | lines() | st.none(),
    lambda inner: st.lists(inner, max_size=3).map(
        lambda found: {"type": "GeometryCollection", "geometries": found}
    ),
    max_leaves=8,
)
collections = st.lists(
    geometries.map(lambda found: {"type": "Feature", "geometry": found, "properties": None}),
    max_size=5,
).map(lambda found: {"type": "FeatureCollection", "features": found})
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "features", "geometry", "geometries", "coordinates", "crs"]),
            inner | st.sampled_from(["Point", "Polygon", "MultiPolygon", "Feature"]),
            max_size=4,
        )
    ),
    max_leaves=20,
)


def all_positions(found: Any) -> list[list[float]]:
    if isinstance(found, dict):
        return all_positions(list(found.values()))
    if isinstance(found, list) and found and isinstance(found[0], float):
        return [found]
    return [at for inner in found for at in all_positions(inner)] if isinstance(found, list) else []


def holds(box: Box, longitude: float, latitude: float) -> bool:
    between = (
        longitude >= box.west or longitude <= box.east
        if box.crosses
        else box.west <= longitude <= box.east
    )
    return between and box.south <= latitude <= box.north


def width(box: Box) -> float:
    return (box.east - box.west) + (360 if box.crosses else 0)


@given(collections)
def test_every_position_lies_in_the_box(document: dict[str, Any]) -> None:
    """RFC 7946 5: bbox is about "the coordinate range" of the geometries."""
    box = coverage_of(document).box
    at = all_positions(document)
    assert (box is None) == (not at)
    for longitude, latitude, *_ in at:
        assert box is not None
        assert holds(box, longitude, latitude)


@given(st.lists(points, min_size=1, max_size=6))
def test_no_narrower_box_holds_all_points(found: list[dict[str, Any]]) -> None:
    """The best of all that begin at a point and end at one."""
    collection = {"type": "GeometryCollection", "geometries": found}
    box = coverage_of(collection).box
    assert box is not None
    at = [each["coordinates"][0] for each in found]
    candidates = [Box(west, -90, east, 90) for west in at for east in at]
    enough = [width(c) for c in candidates if all(holds(c, longitude, 0) for longitude in at)]
    # Where one lies at +180 and another at -180, they are the same meridian, but not for a box.
    assume(not ({-180.0, 180.0} <= set(at)))
    assert width(box) == min(enough)


@given(st.lists(st.lists(points, min_size=1, max_size=3), min_size=1, max_size=4))
def test_the_union_of_boxes_holds_them_all(groups: list[list[dict[str, Any]]]) -> None:
    boxes = [coverage_of({"type": "GeometryCollection", "geometries": g}).box for g in groups]
    whole = union(box for box in boxes if box is not None)
    assert whole is not None
    for group in groups:
        for point in group:
            longitude, latitude, *_ = point["coordinates"]
            assert holds(whole, longitude, latitude)


@given(anything)
def test_nothing_is_too_odd_for_it(document: Any) -> None:
    found = coverage_of(document)
    if found.box is not None:
        assert abs(found.box.west) <= 180
        assert abs(found.box.east) <= 180
        assert -90 <= found.box.south <= found.box.north <= 90
        json.dumps(geometry_of(found.box), allow_nan=False)


@given(points, st.text(max_size=8))
def test_another_reference_system_is_named_and_not_read(
    document: dict[str, Any], name: str
) -> None:
    crs = {"type": "name", "properties": {"name": f"urn:x:{name}"}}
    assert coverage_of({**document, "crs": crs}) == Coverage(
        features=0, box=None, crs=f"urn:x:{name}".strip()
    )


@pytest.mark.parametrize("at", [[385_000, 6_672_000], [24.9, 90.1], [1e999, 0.0], [10**400, 0]])
def test_metres_are_no_degrees(at: list[float]) -> None:
    """A file in UTM that does not say so would put ships into the North Atlantic."""
    document = {"type": "MultiPoint", "coordinates": [[24.9, 60.1], at]}
    assert coverage_of(document) == Coverage(features=0, box=None, crs="unknown")


@pytest.mark.parametrize(
    ("document", "box"),
    [
        # A ship on the antimeridian: not cut, cut, and with longitudes that go on counting.
        (
            {
                "type": "Polygon",
                "coordinates": [[[179.9, 1], [-179.9, 1], [-179.9, 2], [179.9, 2], [179.9, 1]]],
            },
            Box(179.9, 1, -179.9, 2),
        ),
        (
            {
                "type": "MultiPolygon",
                "coordinates": [
                    [[[179.9, 1], [180, 1], [180, 2], [179.9, 1]]],
                    [[[-180, 1], [-179.9, 1], [-180, 2], [-180, 1]]],
                ],
            },
            Box(179.9, 1, -179.9, 2),
        ),
        ({"type": "LineString", "coordinates": [[179.5, 1], [180.5, 2]]}, Box(179.5, 1, -179.5, 2)),
        # Around half of the globe, and around all of it.
        (
            {"type": "LineString", "coordinates": [[-170, 0], [-60, 0], [60, 0], [170, 0]]},
            Box(-170, 0, 170, 0),
        ),
        (
            {"type": "Polygon", "coordinates": [[[-180, -90], [180, -90], [180, 90], [-180, 90]]]},
            Box(-180, -90, 180, 90),
        ),
        ({"type": "FeatureCollection", "features": []}, None),
        ({"type": "Feature", "geometry": None}, None),
    ],
)
def test_boxes_around_awkward_places(document: dict[str, Any], box: Box | None) -> None:
    assert coverage_of(document).box == box


@pytest.mark.parametrize(
    ("box", "kind"),
    [
        (Box(1, 2, 1, 2), "Point"),
        (Box(1, 2, 1, 3), "LineString"),
        (Box(1, 2, 3, 4), "Polygon"),
        (Box(179, 2, -179, 4), "MultiPolygon"),
        (Box(179, 2, -179, 2), "MultiLineString"),
        (Box(180, 2, -179, 4), "Polygon"),
        (Box(180, 2, -180, 4), "LineString"),
    ],
)
def test_a_box_is_the_simplest_geometry_that_covers_it(box: Box, kind: str) -> None:
    geometry = geometry_of(box)
    assert geometry["type"] == kind
    covered = coverage_of(geometry).box
    assert covered is not None
    assert (covered.south, covered.north) == (box.south, box.north)
