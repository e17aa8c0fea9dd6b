"""In which coordinate reference system are a GeoJSON document's coordinates?"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from iceye_derivatives._core.coverage import coverage_of
from iceye_derivatives._core.crs import WGS84, crs_of

names = st.one_of(
    st.sampled_from(["", " ", "EPSG:", "WGS 84", "CRS84", "urn:ogc:def:crs:OGC::CRS84", "Mars"]),
    st.integers(0, 99_999).map("urn:ogc:def:crs:EPSG::{}".format),
    st.text(max_size=8),
    st.integers(),
    st.none(),
    st.lists(st.text(max_size=2), max_size=2),
)
members = st.one_of(
    names,
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["name", "link", "EPSG", 4326, None]),
            "properties": names
            | st.dictionaries(st.sampled_from(["name", "code", "href", "type"]), names),
        },
    ),
)


@example({"properties": {"name": "Mars"}})
@example({"properties": {"name": "urn:ogc:def:crs:EPSG::32631"}})
@example({"properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84h"}})
@example(None)
@given(members)
def test_the_catalogue_and_the_map_never_disagree(crs: object) -> None:
    """A point has a box in the catalogue exactly where the map draws it as it stands."""
    point = {"type": "Point", "coordinates": [24.9, 60.1], "crs": crs}
    covered, named = coverage_of(point), crs_of(point)
    assert (covered.box is not None) == (named == WGS84)
    assert covered.crs == (None if named == WGS84 else named)


@given(members)
def test_what_it_names_is_its_own_name(crs: object) -> None:
    """So that what was written once, in the short form, is read as the same again."""
    named = crs_of({"crs": crs})
    assert crs_of({"crs": {"type": "name", "properties": {"name": named}}}) == named


@pytest.mark.parametrize(
    "said",
    [
        "urn:ogc:def:crs:OGC:1.3:CRS84",  # what ogr2ogr writes into every file
        "urn:ogc:def:crs:OGC::CRS84",
        "urn:ogc:def:crs:OGC:1.3:CRS84h",
        "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
        "OGC:CRS84",
        "CRS84",
        "WGS84",
        "WGS 84",
        "EPSG:4326",
        "urn:ogc:def:crs:EPSG::4326",
        "http://www.opengis.net/def/crs/EPSG/0/4326",
        "EPSG:4979",
    ],
)
def test_the_old_names_of_wgs_84_are_wgs_84(said: str) -> None:
    assert crs_of({"crs": {"type": "name", "properties": {"name": said}}}) == WGS84


@pytest.mark.parametrize(
    "said",
    [
        "urn:ogc:def:crs:EPSG::32631",
        "urn:x-ogc:def:crs:EPSG:6.9:32631",
        "http://www.opengis.net/def/crs/EPSG/0/32631",
        "http://www.opengis.net/gml/srs/epsg.xml#32631",
        "EPSG::32631",
        " epsg:32631 ",
    ],
)
def test_each_spelling_of_a_code_is_that_code(said: str) -> None:
    assert crs_of({"crs": {"type": "name", "properties": {"name": said}}}) == "EPSG:32631"


@pytest.mark.parametrize(
    ("crs", "named"),
    [
        ({"type": "EPSG", "properties": {"code": 32631}}, "EPSG:32631"),
        ({"type": "link", "properties": {"href": "http://a.invalid/b"}}, "http://a.invalid/b"),
        ({"type": "name", "properties": {"name": "somebody's own"}}, "somebody's own"),
        ({"properties": {"name": None, "code": "Mars"}}, "Mars"),
    ],
)
def test_what_nobody_has_registered_is_named_as_it_stands(crs: object, named: str) -> None:
    assert crs_of({"crs": crs}) == named


@pytest.mark.parametrize(
    "crs",
    [
        None,
        {},
        4326,
        "EPSG:1",
        {"type": "link"},
        {"properties": {"name": 4326}},
        {"properties": []},
    ],
)
def test_a_member_that_names_nothing_is_passed_over(crs: object) -> None:
    """RFC 7946 4 knows one system "for all GeoJSON coordinates"."""
    assert crs_of({"crs": crs}) == WGS84


@pytest.mark.parametrize("document", [None, [], "crs", 1, {}])
def test_a_document_without_the_member_is_in_wgs_84(document: Any) -> None:
    assert crs_of(document) == WGS84
