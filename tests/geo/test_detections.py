"""Is everything read that files hold, and nothing else?"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from geo_files import TASK, collection, documents, feature, features_in, utm, write
from hypothesis import example, given

from iceye_derivatives import (
    AssetRef,
    ConfigurationError,
    Derivative,
    DetectionsError,
    DownloadReport,
    FileRecord,
)
from iceye_derivatives._core.journal import Journal, WholeFile
from iceye_derivatives._core.plan import JOURNAL, file_name
from iceye_derivatives.geo import Detections

ASSET = AssetRef(
    task_id=TASK, derivative_id="0d-2", product_type="DC_VESSELS", asset_type="geojson"
)


def read(document: object, **named: str) -> Detections:
    """What a file with this document says."""
    with TemporaryDirectory() as folder:
        return Detections.read(write(Path(folder, TASK), document), **named)


@given(documents)
@example(collection(feature(4, 52, known=None)))
def test_any_geojson_object_is_read_with_all_its_properties(document: dict[str, Any]) -> None:
    found = read(document)
    expected = [each.get("properties") or {} for each in features_in(document)]
    assert [dict(detection.properties) for detection in found] == expected
    assert sum(sum(classes.values()) for classes in found.counts().values()) == len(expected)


@given(documents)
def test_what_is_exported_as_geojson_reads_the_same(document: dict[str, Any]) -> None:
    found = read(document)
    with TemporaryDirectory() as folder:
        again = Detections.read(found.export(Path(folder, "all.geojson")), class_property=None)
    assert [(d.id, d.geometry) for d in again] == [(d.id, d.geometry) for d in found]
    # Each property is still there, under its own name or beside a column of that name.
    for old, new in zip(found, again, strict=True):
        kept = {**new.properties}
        for name, value in old.properties.items():
            assert value in (kept.get(name), kept.get(f"{name}_property"))


@pytest.mark.parametrize(
    ("properties", "detection_class", "confidence"),
    [
        ({"class": "tug", "confidence": 0.9}, "tug", 0.9),
        ({"Label": "tug", "SCORE": "0.5"}, "tug", 0.5),
        ({"classificationPrimary": "tug", "probability": 1}, "tug", 1.0),
        ({"name": "A7", "type": "tug"}, "tug", None),
        ({"class": {"deep": 1}, "label": "tug"}, "tug", None),
        ({"class": 3, "confidence": True}, "3", None),
        ({"class": None, "confidence": "high"}, None, None),
        ({}, None, None),
    ],
)
def test_class_and_confidence_are_found(
    properties: dict[str, Any], detection_class: str | None, confidence: float | None
) -> None:
    (detection,) = read(collection(feature(4, 52, **properties)))
    assert (detection.detection_class, detection.confidence) == (detection_class, confidence)


def test_the_caller_names_the_properties() -> None:
    document = collection(feature(4, 52, kind="tug", sure=0.3, **{"class": "x", "score": 1}))
    (detection,) = read(document, class_property="kind", confidence_property="sure")
    assert (detection.detection_class, detection.confidence) == ("tug", 0.3)


def test_a_property_that_no_detection_has_is_a_slip_of_the_pen() -> None:
    with pytest.raises(ConfigurationError, match=r"'clas'; there are: kind, sure"):
        read(collection(feature(4, 52, kind="tug", sure=0.3)), class_property="clas")


def test_where_nothing_was_detected_any_name_will_do() -> None:
    assert len(read(collection(), class_property="clas")) == 0


def test_a_crs_member_is_believed() -> None:
    """In all of its spellings: `tests/core/test_crs.py`."""
    found = read(utm(feature(500_000, 0)))
    assert [source.crs for source in found.sources] == ["EPSG:32631"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2027-01-15T12:00:00Z", 1_800_014_400.0),
        ("2027-01-15 14:00+02:00", 1_800_014_400.0),
        ("2027-01-15T12:00", 1_800_014_400.0),
        ("yesterday", None),
        (1_800_014_400, None),
    ],
)
def test_moments_are_read_where_they_are_iso_8601(text: object, seconds: float | None) -> None:
    """A bare number may be seconds, milliseconds or days: it is not guessed at."""
    (detection,) = read(collection(feature(4, 52, timestamp=text)))
    assert detection.observed == seconds


def test_heights_unclosed_rings_and_broken_geometries_are_borne() -> None:
    ring = [[0, 0, 5], [1, 0, 5], [1, 1]]
    document = collection(
        {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}},
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2, 3]}},
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": []}},
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, "2"]}},
        {"type": "Feature", "geometry": None},
    )
    assert [detection.geometry for detection in read(document)] == [
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]},
        {"type": "Point", "coordinates": [1, 2, 3]},
        None,
        None,
        None,
    ]


def test_a_folder_of_many_tasks_is_read_at_once_without_what_is_unfinished(tmp_path: Path) -> None:
    for task in ("b-2", "a-1"):
        write(tmp_path / "2027" / task, collection(feature(4, 52)))
        write(
            tmp_path / "2027" / task, collection(feature(4, 52)), "DC_VESSELS_e.geojson.0a-1.part"
        )
        write(tmp_path / "2027" / task, {"format": 1}, JOURNAL)
        write(tmp_path / "2027" / task, {"not": "GeoJSON"}, "notes.json")
    write(tmp_path / ".hidden" / "c-3", collection(feature(4, 52)))
    (tmp_path / "link.geojson").symlink_to(tmp_path / "2027" / "a-1" / "DC_VESSELS_0d-2.geojson")
    found = Detections.read(tmp_path)
    assert [source.task_id for source in found.sources] == ["a-1", "b-2"]
    assert found.sources[0].file == "a-1/DC_VESSELS_0d-2.geojson"


def test_whose_a_file_is_tells_its_name(tmp_path: Path) -> None:
    (named,) = Detections.read(write(tmp_path / TASK, collection())).sources
    (foreign,) = Detections.read(write(tmp_path / TASK, collection(), "mine.geojson")).sources
    assert named.asset == ASSET
    assert (foreign.asset, foreign.task_id, foreign.product_type) == (None, None, None)


def test_the_journal_knows_better_than_the_name(tmp_path: Path) -> None:
    """Ids that are not plain cannot be had back from a name."""
    asset = AssetRef(
        task_id="Task 7/é", derivative_id="D/1", product_type="dc new", asset_type="geojson"
    )
    journal = Journal(asset.task_id)
    whole = WholeFile(
        asset=asset, size=2, sha256="0" * 64, stamp=None, etag=None, begun=0.0, finished=1.8e9
    )
    journal.note(whole)
    path = write(tmp_path, collection(), file_name(asset))
    (source,) = Detections.read(path).sources
    assert source.product_type is not None
    assert source.product_type.startswith("dc-new~")
    (path.parent / JOURNAL).write_bytes(journal.render())
    (source,) = Detections.read(tmp_path).sources
    assert (source.asset, source.downloaded) == (asset, 1.8e9)


def test_what_was_downloaded_counts_even_if_it_begins_as_an_export_does(tmp_path: Path) -> None:
    """A server may send whatever it likes: only what no journal knows is passed over."""
    asset = AssetRef(task_id=TASK, derivative_id="d", product_type="DC_NEW", asset_type="geojson")
    path = tmp_path / file_name(asset)
    path.parent.mkdir()
    Detections.read(write(tmp_path, collection(feature(4, 52)))).export(path)
    journal = Journal(TASK)
    journal.note(
        WholeFile(asset=asset, size=2, sha256="0" * 64, stamp=None, etag=None, begun=1, finished=2)
    )
    assert len(Detections.read(path.parent)) == 0
    (path.parent / JOURNAL).write_bytes(journal.render())
    assert len(Detections.read(path.parent)) == 1


def test_detections_are_found_in_whatever_case_their_type_is_given(tmp_path: Path) -> None:
    """As a download checks them in any case."""
    asset = AssetRef(task_id=TASK, derivative_id="d", product_type="DC_NEW", asset_type="GeoJSON")
    journal = Journal(TASK)
    journal.note(
        WholeFile(asset=asset, size=2, sha256="0" * 64, stamp=None, etag=None, begun=1, finished=2)
    )
    path = write(tmp_path, collection(feature(4, 52)), file_name(asset))
    (path.parent / JOURNAL).write_bytes(journal.render())
    (source,) = Detections.read(tmp_path).sources
    assert source.asset == asset


def test_a_report_is_read_and_what_failed_or_is_no_geojson_is_left_out(tmp_path: Path) -> None:
    def record(path: Path | None, kind: str = "geojson") -> FileRecord:
        asset = AssetRef(task_id=TASK, derivative_id="x", product_type="DC_NEW", asset_type=kind)
        derivative = Derivative(id="x", task_id=TASK, product_type="DC_NEW", assets=())
        return FileRecord(derivative=derivative, asset=asset, path=path and str(path))

    path = write(tmp_path, collection(feature(4, 52)), "anything")
    report = DownloadReport(files=(record(path), record(None), record(tmp_path, "png")))
    assert Detections.read(report).counts() == {"DC_NEW": {"": 1}}
    assert len(Detections.read([report, str(path)])) == 2
    gone = DownloadReport(files=(record(tmp_path / "gone"),))
    with pytest.raises(ConfigurationError, match="not on this disk"):
        Detections.read(gone)


@pytest.mark.parametrize("body", [b"<html>", b"\xff", b"[]", b'{"type": "Feature"}', b"[" * 99999])
def test_what_is_no_geojson_is_named(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "DC_VESSELS_d.geojson"
    path.write_bytes(body)
    with pytest.raises(DetectionsError, match=r"DC_VESSELS_d.*since.*verify") as caught:
        Detections.read(tmp_path)
    assert caught.value.path == str(path)


def test_an_empty_folder_holds_nothing(tmp_path: Path) -> None:
    assert (Detections.read(tmp_path), Detections.read([])) == (Detections(), Detections())


def test_classes_are_counted_by_product_the_most_frequent_first(tmp_path: Path) -> None:
    tugs = [feature(4, 52, **{"class": "tug"}) for _ in range(2)]
    write(tmp_path / "a", collection(feature(4, 52, **{"class": "cargo"}), *tugs, feature(4, 52)))
    write(tmp_path / "b", collection(*tugs))
    write(tmp_path / "b", collection(), "DC_AIRCRAFT_d.geojson")
    counts = Detections.read(tmp_path).counts()
    assert counts == {"DC_AIRCRAFT": {}, "DC_VESSELS": {"tug": 4, "": 1, "cargo": 1}}
    assert list(counts["DC_VESSELS"]) == ["tug", "", "cargo"]


def test_the_bounds_leave_out_what_no_map_can_show() -> None:
    """Metres in a file that names no reference system."""
    found = read(collection(feature(4, 52), feature(5, 51), feature(500_000, 5_700_000)))
    assert found.bounds() == (4, 51, 5, 52)
    assert read(collection()).bounds() is None


def test_csv_has_a_place_for_spreadsheets_and_one_for_gis(tmp_path: Path) -> None:
    square = [[[0, 0], [2, 0], [2, 4], [0, 4], [0, 0]]]
    area = {"type": "Polygon", "coordinates": square}
    document = collection(
        feature(4.5, 52, **{"class": "tug", "confidence": 0.5, "tags": ["a"], "wkt": "mine"}),
        {"type": "Feature", "id": 7, "geometry": area, "properties": {"timestamp": "2027-01-15"}},
        {"type": "Feature", "geometry": None, "properties": None},
    )
    path = read(document).export(tmp_path / "all.csv")
    first, second, third = csv.DictReader(path.read_text("utf-8").splitlines())
    assert first["wkt"] == "POINT (4.5 52)"
    assert (first["longitude"], first["latitude"]) == ("4.5", "52.0")
    assert (first["detection_class"], first["confidence"]) == ("tug", "0.5")
    assert (first["tags"], first["wkt_property"]) == ('["a"]', "mine")
    assert second["wkt"] == "POLYGON ((0 0, 2 0, 2 4, 0 4, 0 0))"
    assert (second["longitude"], second["latitude"], second["feature_id"]) == ("1.0", "2.0", "7")
    assert second["observed_at"] == "2027-01-15T00:00:00Z"
    assert (third["wkt"], third["longitude"]) == ("", "")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@a", "\t=1", "'=1", "plain", ""])
def test_no_text_in_a_csv_is_a_formula_and_each_can_be_had_again(tmp_path: Path, text: str) -> None:
    path = read(collection(feature(-4.5, 52, note=text))).export(tmp_path / "all.csv")
    (row,) = csv.DictReader(path.read_text("utf-8").splitlines())
    assert row["note"][:1] not in set("=+-@\t")
    assert row["note"].removeprefix("'") == text
    assert row["longitude"] == "-4.5"


def test_a_column_is_said_twice_only_where_the_two_differ(tmp_path: Path) -> None:
    def columns(*features: dict[str, Any]) -> set[str]:
        path = read(collection(*features)).export(tmp_path / "all.geojson")
        return set(json.loads(path.read_text())["features"][0]["properties"])

    assert "confidence_property" not in columns(feature(4, 52, confidence=0.5))
    assert "confidence_property" in columns(feature(4, 52, confidence="0.5"))
    assert "task_id_property" in columns(feature(4, 52, task_id="another"))
    assert "task_id_property_property" in columns(
        feature(4, 52, task_id="another", task_id_property="mine")
    )


def test_a_truth_value_is_no_number_that_it_equals(tmp_path: Path) -> None:
    found = read(collection(feature(4, 52, confidence=True, score=1)), confidence_property="score")
    text = found.export(tmp_path / "all.geojson").read_text()
    (exported,) = json.loads(text)["features"]
    assert exported["properties"]["confidence"] == 1
    assert exported["properties"]["confidence_property"] is True


def test_an_unknown_suffix_is_told_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"\.parquet, \.gpkg, \.csv, \.geojson"):
        read(collection()).export(tmp_path / "all.shp")


def test_an_export_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "all.csv"
    target.write_text("before")
    lost = utm(feature(500_000, 0))
    lost["crs"]["properties"]["name"] = "EPSG:999999"
    with pytest.raises(ConfigurationError):
        read(lost).export(target)
    assert [path.name for path in tmp_path.iterdir()] == ["all.csv"]
    assert target.read_text() == "before"


def test_moments_that_no_calendar_has_are_not_believed() -> None:
    last = "9999-12-31T23:59:59-14:00"
    (detection,) = read(collection(feature(4, 52, timestamp=last)))
    assert detection.observed is None
