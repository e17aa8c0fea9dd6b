"""Do detections become a GeoDataFrame and files for a GIS without losing anything?"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import geopandas
import pytest
from geo_files import HOSTILE, TASK, collection, documents, feature, features_in, utm, write
from hypothesis import given, settings

from iceye_derivatives import ConfigurationError
from iceye_derivatives.geo import Detections, read_detections

COLUMNS = [
    "task_id",
    "derivative_id",
    "product_type",
    "asset_type",
    "source_file",
    "feature_id",
    "detection_class",
    "confidence",
    "observed_at",
    "downloaded_at",
]


@given(documents)
@settings(max_examples=20)
def test_any_geojson_object_becomes_a_frame_and_geoparquet(document: dict[str, Any]) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        found = Detections.read(write(folder / TASK, document))
        frame = found.to_geodataframe()
        assert len(frame) == len(features_in(document))
        assert list(frame.columns[: len(COLUMNS)]) == COLUMNS
        assert geopandas.read_parquet(found.export(folder / "all.parquet")).shape == frame.shape


@given(documents)
@settings(max_examples=6)  # each is a database
def test_any_geojson_object_becomes_a_geopackage(document: dict[str, Any]) -> None:
    with TemporaryDirectory() as name:
        found = Detections.read(write(Path(name, TASK), document))
        there = geopandas.read_file(found.export(Path(name, "all.gpkg")))
    assert len(there) == len(found)


def test_properties_keep_their_values_and_types(tmp_path: Path) -> None:
    rows = [
        {"class": "tug", "mmsi": 2**62 + 1, "moored": True, "speed": 0.5, "tags": ["a"]},
        {"class": "cargo", "mmsi": None, "moored": None, "speed": None, "tags": {"b": 1}},
    ]
    frame = read_detections(
        write(tmp_path / TASK, collection(*(feature(4, 52, **r) for r in rows)))
    )
    assert int(frame.mmsi[0]) == 2**62 + 1
    assert frame.moored.tolist()[0] is True
    assert frame.speed[0] == 0.5
    assert frame.tags.tolist() == [["a"], {"b": 1}]
    assert frame.detection_class.tolist() == ["tug", "cargo"]
    assert frame[["mmsi", "moored", "speed"]].isna().to_numpy()[1].all()
    assert frame.crs == "EPSG:4326"


def test_nothing_found_gives_the_same_columns(tmp_path: Path) -> None:
    empty = read_detections(write(tmp_path / TASK, collection()))
    full = read_detections(write(tmp_path / TASK, collection(feature(4, 52))))
    assert list(empty.columns) == list(full.columns) == [*COLUMNS, "geometry"]
    assert empty[["confidence", "observed_at"]].dtypes.equals(
        full[["confidence", "observed_at"]].dtypes
    )
    assert (len(empty), empty.crs) == (0, "EPSG:4326")
    nowhere = read_detections([])
    assert list(nowhere.columns) == [*COLUMNS, "geometry"]
    stored = geopandas.read_parquet(Detections().export(tmp_path / "none.parquet"))
    assert list(stored.columns) == [*COLUMNS, "geometry"]


def test_a_crs_member_is_kept_and_can_be_changed(tmp_path: Path) -> None:
    """500,000 m east on the equator is the central meridian of zone 31, by definition."""
    path = write(tmp_path / TASK, utm(feature(500_000, 0)))
    assert read_detections(path).crs == "EPSG:32631"
    moved = read_detections(path, crs="EPSG:4326").geometry[0]
    assert (moved.x, moved.y) == pytest.approx((3, 0), abs=1e-9)
    assert Detections.read(path).bounds() == pytest.approx((3, 0, 3, 0), abs=1e-9)


def test_files_of_different_systems_meet_in_wgs84(tmp_path: Path) -> None:
    write(tmp_path / "a-1", utm(feature(500_000, 0)))
    write(tmp_path / "b-2", collection(feature(4, 52)))
    frame = read_detections(tmp_path)
    assert frame.crs == "EPSG:4326"
    assert frame.geometry.x.tolist() == pytest.approx([3, 4], abs=1e-9)


def test_a_system_that_nobody_knows_is_told_with_its_file(tmp_path: Path) -> None:
    document = collection(feature(4, 52), crs={"properties": {"name": "Mars"}})
    path = write(tmp_path / TASK, document)
    assert len(Detections.read(path)) == 1
    for attempt in (read_detections, lambda p: Detections.read(p).to_html()):
        with pytest.raises(ConfigurationError, match=r"Mars.*DC_VESSELS|DC_VESSELS.*Mars"):
            attempt(path)


def test_geometries_of_all_kinds_pass(tmp_path: Path) -> None:
    point = {"type": "Point", "coordinates": [1, 2, 3]}
    kinds = [None, point, {"type": "GeometryCollection", "geometries": [point, point]}]
    document = collection(*({"type": "Feature", "geometry": kind} for kind in kinds))
    frame = read_detections(write(tmp_path / TASK, document))
    assert [shape and shape.geom_type for shape in frame.geometry] == [
        None,
        "Point",
        "GeometryCollection",
    ]
    assert frame.geometry[1].z == 3


def test_hostile_columns_survive_every_format(tmp_path: Path) -> None:
    odd = {"fid": "mine", "FID": 1, "geom": 2, "Geometry": 3, "geometry": 4, "Class": 5}
    found = Detections.read(write(tmp_path / TASK, collection(feature(4, 52, **HOSTILE, **odd))))
    parquet = geopandas.read_parquet(found.export(tmp_path / "all.parquet"))
    assert parquet["geometry_property"].tolist() == [4]
    assert parquet["class"].tolist() == [HOSTILE["class"]]
    assert json.loads(parquet["nested"][0]) == HOSTILE["nested"]
    geopackage = geopandas.read_file(found.export(tmp_path / "all.gpkg"))
    assert set(odd.values()) <= set(geopackage.iloc[0].tolist())


def test_a_missing_extra_is_told_with_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Detections.read(write(tmp_path / TASK, utm(feature(500_000, 0))))
    for name in ("geopandas", "pyarrow", "pyproj", "PIL.Image"):
        monkeypatch.setitem(sys.modules, name, None)
    advice = r"pip install 'iceye-derivatives\[geo\]'"
    for attempt in (
        found.to_geodataframe,
        found.to_png,
        found.to_html,
        lambda: found.export(tmp_path / "all.parquet"),
    ):
        with pytest.raises(ConfigurationError, match=advice):
            attempt()
