"""Are detections GeoJSON as RFC 7946 has it, plausible, and the same for the same seed?"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives.simulator.detections import Subject, feature_collection, render

subjects = st.builds(
    Subject,
    seed=st.text(max_size=8),
    product_type=st.sampled_from(["DC_AIRCRAFT", "DC_VESSELS", "DC_VEHICLES", "DC_NEW"]),
    lat=st.floats(-90, 90),
    lon=st.floats(-180, 180),
    count=st.integers(0, 120),
)

ROTTERDAM = Subject(seed="s", product_type="DC_VESSELS", lat=51.95, lon=4.05, count=40)


def positions(geometry: dict[str, Any]) -> list[list[float]]:
    if geometry["type"] == "Point":
        return [geometry["coordinates"]]
    (ring,) = geometry["coordinates"]
    return list(ring)


def area(ring: list[list[float]]) -> float:
    """Twice the signed area; positive for counterclockwise."""
    return sum((b[0] - a[0]) * (b[1] + a[1]) for a, b in pairwise(ring)) * -1


@given(subjects)
def test_every_file_is_a_feature_collection_in_wgs_84(subject: Subject) -> None:
    collection = feature_collection(subject)
    assert collection["type"] == "FeatureCollection"
    assert len(collection["features"]) == subject.count
    for feature in collection["features"]:
        assert feature["type"] == "Feature"
        for lon, lat in positions(feature["geometry"]):
            assert -180 <= lon <= 180
            assert -90 <= lat <= 90


@given(subjects)
def test_every_detection_has_plausible_properties(subject: Subject) -> None:
    features = feature_collection(subject)["features"]
    ids = {feature["properties"]["detection_id"] for feature in features}
    assert len(ids) == subject.count
    for properties in (feature["properties"] for feature in features):
        assert properties["class"]
        assert 0.5 <= properties["confidence"] <= 1
        assert 3 < properties["length_m"] < 350
        assert 0 < properties["width_m"] < properties["length_m"]
        assert 0 <= properties["heading_deg"] < 360


@given(subjects)
def test_the_same_subject_gives_the_same_bytes(subject: Subject) -> None:
    assert render(subject, "geojson") == render(subject, "geojson")
    if subject.count:
        other = evolve(subject, seed=subject.seed + "x")
        assert render(subject, "geojson") != render(other, "geojson")


@given(subjects)
def test_hulls_are_closed_and_counterclockwise(subject: Subject) -> None:
    """RFC 7946, 3.1.6: "exterior rings are counterclockwise"."""
    for feature in feature_collection(evolve(subject, product_type="DC_VESSELS"))["features"]:
        ring = positions(feature["geometry"])
        assert ring[0] == ring[-1]
        assert len(ring) == 6
        assert area(ring) > 0


@pytest.mark.parametrize("product_type", ["DC_AIRCRAFT", "DC_VESSELS", "DC_VEHICLES"])
@pytest.mark.parametrize("count", [1, 40, 3_000])
def test_detections_lie_within_twenty_kilometres_of_the_point(
    product_type: str, count: int
) -> None:
    subject = evolve(ROTTERDAM, product_type=product_type, count=count)
    for feature in feature_collection(subject)["features"]:
        for lon, lat in positions(feature["geometry"]):
            assert abs(lat - 51.95) < 0.18
            assert abs(lon - 4.05) < 0.29


def test_aircraft_stand_in_rows() -> None:
    features = feature_collection(evolve(ROTTERDAM, product_type="DC_AIRCRAFT", count=12))
    headings = [feature["properties"]["heading_deg"] for feature in features["features"]]
    turned = [(heading - headings[0] + 180) % 360 - 180 for heading in headings]
    assert max(turned) - min(turned) < 15


def test_vehicles_drive_one_behind_the_other() -> None:
    features = feature_collection(evolve(ROTTERDAM, product_type="DC_VEHICLES"))["features"]
    points = [feature["geometry"]["coordinates"] for feature in features]
    for a, b in pairwise(points):
        assert abs(a[1] - b[1]) * 111_320 < 70


def test_no_detections_are_an_empty_collection() -> None:
    empty = render(evolve(ROTTERDAM, count=0), "geojson")
    assert json.loads(empty) == {"type": "FeatureCollection", "features": []}
