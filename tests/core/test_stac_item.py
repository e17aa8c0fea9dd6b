"""How is a task's folder described as a STAC Item, and all of them as a Collection?"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives._core.coverage import Box, Coverage
from iceye_derivatives._core.stac import FILE_EXTENSION, build_item, render
from iceye_derivatives._core.stac_collection import build_catalog, build_collection
from iceye_derivatives._core.stac_facts import (
    CatalogFile,
    TaskFacts,
    facts_of,
    multihash,
    recall,
    sha256_of,
)
from iceye_derivatives.models import AcquisitionWindow, AssetRef, PointOfInterest, Task

START = datetime(2026, 5, 1, 12, tzinfo=UTC)
WINDOW = AcquisitionWindow(start=START, end=START + timedelta(days=2))
TASK = Task(
    id="task-1",
    status="DONE",
    acquisition_window=WINDOW,
    point_of_interest=PointOfInterest(lat=51.9, lon=4.0),
    imaging_mode="SPOTLIGHT_FINE",
    derivative_product_types=("DC_VESSELS",),
)
texts = st.text(max_size=12)
numbers = st.floats(allow_nan=True, allow_infinity=True)
boxes = st.tuples(st.floats(-180, 180), st.floats(-90, 0), st.floats(-180, 180), st.floats(0, 90))
coverages = st.builds(
    Coverage,
    features=st.integers(0, 10**6),
    box=st.none() | boxes.map(lambda sides: Box(*sides)),
    crs=st.none() | texts,
)


@st.composite
def catalog_files(draw: st.DrawFn) -> CatalogFile:
    ref = AssetRef(
        task_id="task-1",
        derivative_id=draw(texts),
        product_type=draw(texts),
        asset_type=draw(st.sampled_from(["geojson", "GeoJSON", "tif"]) | texts),
    )
    return CatalogFile(
        name=f"{draw(st.integers(0, 9))}_x.geojson",
        asset=ref,
        size=draw(st.integers(0, 2**40)),
        sha256=sha256(draw(st.binary(max_size=4))).hexdigest(),
        finished=draw(numbers),
        image_reference=draw(st.none() | texts),
        image_id=draw(st.none() | texts),
        coverage=draw(st.none() | coverages),
    )


files = st.lists(catalog_files(), min_size=1, max_size=4, unique_by=lambda file: file.name)
facts = st.builds(
    TaskFacts,
    start=st.just("2026-05-01T12:00:00Z"),
    end=st.just("2026-05-03T12:00:00Z"),
    at=st.none() | st.tuples(st.floats(-180, 180), st.floats(-90, 90)),
    product_types=st.none() | st.lists(texts, max_size=2).map(tuple),
    texts=st.dictionaries(st.sampled_from(["status", "imaging_mode", "reference"]), texts),
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | numbers | texts,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "properties",
                    "assets",
                    "links",
                    "rel",
                    "href",
                    "extent",
                    "spatial",
                    "bbox",
                    "id",
                    "temporal",
                    "interval",
                    "file:checksum",
                    "file:size",
                    "start_datetime",
                    "x",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


def file(name: str = "DC_VESSELS_d1.geojson", **changes: Any) -> CatalogFile:
    fields: dict[str, Any] = {
        "name": name,
        "asset": AssetRef(
            task_id="task-1", derivative_id="d1", product_type="DC_VESSELS", asset_type="geojson"
        ),
        "size": 7,
        "sha256": "ab" * 32,
        "finished": START.timestamp(),
        **changes,
    }
    return CatalogFile(**fields)


@given(st.binary(max_size=8))
def test_a_multihash_is_the_digest_behind_its_function_and_length(body: bytes) -> None:
    """ "0x12 0x20" and 32 bytes, in hexadecimal: what a reader takes apart again."""
    digest = sha256(body)
    assert bytes.fromhex(multihash(digest.hexdigest())) == bytes([0x12, 32]) + digest.digest()
    assert sha256_of(multihash(digest.hexdigest())) == digest.hexdigest()


@given(anything)
def test_what_is_no_multihash_of_sha_256_has_none(found: object) -> None:
    assert sha256_of(found) is None


@pytest.mark.parametrize("checksum", ["1220", "1220" + "AB" * 32, "1114" + "ab" * 20, "ab" * 32])
def test_other_checksums_are_not_taken_for_ours(checksum: str) -> None:
    assert sha256_of(checksum) is None


@given(files, facts)
def test_an_item_remembers_what_a_second_run_need_not_read(
    found: list[CatalogFile], known: TaskFacts
) -> None:
    remembered = recall(render(build_item("task-1", found, known)))
    assert remembered.facts == known
    assert {
        name: (each.sha256, each.size, each.image_reference, each.image_id, each.coverage)
        for name, each in remembered.files.items()
    } == {
        each.name: (each.sha256, each.size, each.image_reference, each.image_id, each.coverage)
        for each in found
    }


@given(files, facts)
def test_the_same_facts_give_the_same_bytes(found: list[CatalogFile], known: TaskFacts) -> None:
    """So that nothing is written where nothing has changed."""
    there = render(build_item("task-1", found, known))
    assert render(build_item("task-1", found[::-1], known)) == there


@given(files, facts)
def test_the_item_s_box_holds_those_of_all_its_files(
    found: list[CatalogFile], known: TaskFacts
) -> None:
    item = build_item("task-1", found, known)
    covered = [each.coverage for each in found]
    boxes = [each.box for each in covered if each is not None and each.box is not None]
    assert ("bbox" in item) == (item["geometry"] is not None)
    if boxes:
        _, south, _, north = item["bbox"]
        assert all(south <= box.south and box.north <= north for box in boxes)
    elif known.at is not None:
        assert item["bbox"] == [known.at[0], known.at[1], known.at[0], known.at[1]]


@given(anything, st.text(max_size=200))
def test_an_item_that_somebody_else_wrote_is_remembered_as_far_as_it_makes_sense(
    document: object, text: str
) -> None:
    for body in (json.dumps(document).encode(), text.encode("utf-8", "replace"), b"\xff", None):
        known = recall(body)
        render(build_item("task-1", [file()], known.facts))


@given(anything)
def test_a_collection_that_is_odd_is_written_anew_or_left_alone(document: object) -> None:
    item = build_item("task-1", [file()], facts_of(TASK, None))
    collection = build_collection(json.dumps(document).encode(), item, "task-1")
    if collection is not None:
        assert {"rel": "item", "href": "./task-1/item.json", "type": "application/geo+json"} in (
            collection["links"]
        )
        render(collection)


def test_facts_are_told_in_words_that_stac_and_we_ourselves_have() -> None:
    covered = Coverage(features=3, box=Box(3.9, 51.8, 4.1, 52.0), crs=None)
    item = build_item(
        "task-1",
        [file(coverage=covered, image_reference="image-1", image_id="ICEYE_X1")],
        facts_of(TASK, None),
        api="https://platform.iceye.com/api/tasking/v2",
    )
    assert item["stac_version"] == "1.1.0"
    assert item["stac_extensions"] == [FILE_EXTENSION]
    assert item["bbox"] == [3.9, 51.8, 4.1, 52.0]
    assert item["properties"] == {
        "datetime": None,
        "start_datetime": "2026-05-01T12:00:00Z",
        "end_datetime": "2026-05-03T12:00:00Z",
        "created": "2026-05-01T12:00:00Z",
        "updated": "2026-05-01T12:00:00Z",
        "constellation": "ICEYE",
        "iceye_derivatives:task_id": "task-1",
        "iceye_derivatives:status": "DONE",
        "iceye_derivatives:imaging_mode": "SPOTLIGHT_FINE",
        "iceye_derivatives:derivative_product_types": ["DC_VESSELS"],
        "iceye_derivatives:point_of_interest": {"lon": 4.0, "lat": 51.9},
        "iceye_derivatives:image_references": ["image-1"],
    }
    assert item["assets"] == {
        "DC_VESSELS_d1.geojson": {
            "href": "./DC_VESSELS_d1.geojson",
            "title": "DC_VESSELS d1",
            "type": "application/geo+json",
            "roles": ["data"],
            "created": "2026-05-01T12:00:00Z",
            "file:size": 7,
            "file:checksum": "1220" + "ab" * 32,
            "iceye_derivatives:product_type": "DC_VESSELS",
            "iceye_derivatives:derivative_id": "d1",
            "iceye_derivatives:asset_type": "geojson",
            "iceye_derivatives:image_reference": "image-1",
            "iceye_derivatives:image_id": "ICEYE_X1",
            "iceye_derivatives:detections": 3,
            "iceye_derivatives:bbox": [3.9, 51.8, 4.1, 52.0],
        }
    }
    assert {link["rel"]: link["href"] for link in item["links"]} == {
        "root": "../catalog.json",
        "parent": "../collection.json",
        "collection": "../collection.json",
        "via": "https://platform.iceye.com/api/tasking/v2/tasks/task-1/derivatives",
        "derived_from": "https://platform.iceye.com/api/tasking/v2/tasks/task-1/products",
    }


def test_where_a_file_cannot_be_placed_the_point_of_interest_is_in_the_box_as_well() -> None:
    placed = file(coverage=Coverage(features=1, box=Box(4.1, 52, 4.2, 53), crs=None))
    unread = file("DC_VESSELS_d2.geojson")
    elsewhere = file(
        "DC_VESSELS_d3.geojson", coverage=Coverage(features=1, box=None, crs="EPSG:3067")
    )
    empty = file(coverage=Coverage(features=0, box=None, crs=None))
    known = facts_of(TASK, None)
    assert build_item("task-1", [placed], known)["bbox"] == [4.1, 52, 4.2, 53]
    for other in (unread, elsewhere):
        assert build_item("task-1", [placed, other], known)["bbox"] == [4.0, 51.9, 4.2, 53]
    # Nothing was detected: the task looked there all the same.
    assert build_item("task-1", [empty], known)["geometry"] == {
        "type": "Point",
        "coordinates": [4.0, 51.9],
    }


def test_without_a_window_the_moment_is_that_of_the_download_and_says_so() -> None:
    item = build_item("task-1", [file()], TaskFacts())
    assert item["properties"]["datetime"] == "2026-05-01T12:00:00Z"
    assert item["properties"]["iceye_derivatives:datetime_is"] == "download"
    assert item["geometry"] is None
    assert "bbox" not in item


def test_the_watch_s_window_does_where_the_task_is_not_known() -> None:
    assert facts_of(None, WINDOW) == TaskFacts(
        start="2026-05-01T12:00:00Z", end="2026-05-03T12:00:00Z"
    )


def test_what_was_known_before_stays_known() -> None:
    known = facts_of(TASK, None)
    assert facts_of(None, None, known) == known
    assert facts_of(Task(id="task-1", status="FAILED"), None, known).texts["status"] == "FAILED"


def test_an_id_that_is_no_path_becomes_none_in_a_link() -> None:
    item = build_item("a/../?x=1#\ud800", [file()], TaskFacts(), api="https://api.example")
    hrefs = [link["href"] for link in item["links"] if link["rel"] == "via"]
    assert hrefs == ["https://api.example/tasks/a%2F..%2F%3Fx%3D1%23%3F/derivatives"]
    render(item)


def test_a_collection_grows_by_each_task_and_forgets_none() -> None:
    first = build_item("a", [file()], facts_of(TASK, None))
    later = AcquisitionWindow(start=START + timedelta(days=9), end=START + timedelta(days=10.5))
    east = Coverage(features=1, box=Box(179.9, -1, -179.9, 1), crs=None)
    second = build_item("b", [file(coverage=east)], facts_of(None, later))
    one = build_collection(None, first, "a")
    assert one is not None
    two = build_collection(render(one), second, "b")
    assert two is not None
    assert [link["href"] for link in two["links"] if link["rel"] == "item"] == [
        "./a/item.json",
        "./b/item.json",
    ]
    assert two["extent"] == {
        "spatial": {"bbox": [[4.0, -1, -179.9, 51.9]]},
        "temporal": {"interval": [["2026-05-01T12:00:00Z", "2026-05-12T00:00:00Z"]]},
    }
    assert build_collection(render(two), second, "b") == two


def test_without_any_place_the_collection_is_about_the_world() -> None:
    item = build_item("a", [file()], TaskFacts())
    collection = build_collection(None, item, "a")
    assert collection is not None
    assert collection["extent"]["spatial"]["bbox"] == [[-180, -90, 180, 90]]
    placed = build_collection(
        render(collection), build_item("b", [file()], facts_of(TASK, None)), "b"
    )
    assert placed is not None
    assert placed["extent"]["spatial"]["bbox"] == [[4.0, 51.9, 4.0, 51.9]]


def test_somebody_else_s_collection_or_catalog_is_left_alone() -> None:
    item = build_item("a", [file()], TaskFacts())
    assert build_collection(b'{"type": "Collection", "id": "mine"}', item, "a") is None
    assert build_catalog(b"anything") is None
