"""Is what we write valid STAC, readable by those who read STAC, and free of secrets?

The schemas of the specification come with pystac; that of the file extension stands beside this
file, as its authors published it (stac-extensions/file, Apache-2.0), so that no test needs the
internet.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import AsyncIterator, Iterator
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl

import pystac
import pystac_client
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pystac.validation import JsonSchemaSTACValidator, RegisteredValidator
from s3_server import BUCKET, PLANTED_SECRET, serving

from iceye_derivatives import DerivativesClient, ObjectStoreSink
from iceye_derivatives._core.coverage import Box, Coverage
from iceye_derivatives._core.stac import FILE_EXTENSION, build_item
from iceye_derivatives._core.stac_collection import build_collection
from iceye_derivatives._core.stac_facts import CatalogFile, TaskFacts
from iceye_derivatives.models import AssetRef
from iceye_derivatives.simulator import Simulator, VirtualClock

pytestmark = pytest.mark.anyio

SCHEMA = Path(__file__).with_name("file-extension-v2.1.0.json")
VALIDATOR = JsonSchemaSTACValidator()
VALIDATOR.schema_cache[FILE_EXTENSION] = json.loads(SCHEMA.read_bytes())
SECRET = "canary-secret-77aa"


@pytest.fixture(autouse=True)
def schemas() -> Iterator[None]:
    """A validator that has all schemas and asks nobody for one."""
    before = RegisteredValidator.get_validator()
    RegisteredValidator.set_validator(VALIDATOR)
    yield
    RegisteredValidator.set_validator(before)


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(clock=VirtualClock(), seed=3, client_secret=SECRET) as simulator:
        yield simulator


async def download(sim: Simulator, place: Any, tasks: int = 2) -> list[str]:
    task_ids = [sim.add_task(derivative_product_types=("DC_VESSELS", "DC_AIRCRAFT"))]
    task_ids += [sim.add_task(derivative_product_types=("DC_VEHICLES",)) for _ in range(tasks - 1)]
    async with DerivativesClient.from_env(sim.environ, clock=sim.clock) as client:
        for task_id in task_ids:
            report = await client.download_task(task_id, place, stac=True)
            report.raise_for_failures()
    return task_ids


async def test_a_folder_of_downloads_is_a_valid_self_contained_catalogue(
    sim: Simulator, tmp_path: Path
) -> None:
    task_ids = await download(sim, tmp_path)
    catalog = pystac.Catalog.from_file(str(tmp_path / "catalog.json"))
    assert catalog.validate_all() == 2
    [collection] = catalog.get_children()
    collection.validate()
    items = {item.id: item for item in collection.get_items()}
    assert items.keys() == set(task_ids)
    for item in items.values():
        assert item.get_root() is catalog
        assert item.get_parent() is collection
        assert item.collection_id == collection.id
        for asset in item.assets.values():
            body = Path(str(asset.get_absolute_href())).read_bytes()
            assert asset.extra_fields["file:size"] == len(body)
            assert asset.extra_fields["file:checksum"] == "1220" + sha256(body).hexdigest()
            assert asset.media_type == pystac.MediaType.GEOJSON
            west, south, east, north = item.bbox or ()
            for feature in json.loads(body)["features"]:
                box = asset.extra_fields["iceye_derivatives:bbox"]
                assert west <= box[0] <= box[2] <= east
                assert south <= box[1] <= box[3] <= north
                assert feature["type"] == "Feature"


async def test_the_catalogue_may_be_moved_as_a_whole(sim: Simulator, tmp_path: Path) -> None:
    await download(sim, tmp_path / "here")
    (tmp_path / "here").rename(tmp_path / "there")
    catalog = pystac.Catalog.from_file(str(tmp_path / "there" / "catalog.json"))
    assert catalog.validate_all() == 2
    hrefs = [
        a.get_absolute_href() for i in catalog.get_items(recursive=True) for a in i.assets.values()
    ]
    assert len(hrefs) == 3
    assert all(Path(str(href)).is_file() for href in hrefs)


@pytest.mark.parametrize("over_http", [False, True])
async def test_pystac_client_opens_it(sim: Simulator, tmp_path: Path, *, over_http: bool) -> None:
    task_ids = await download(sim, tmp_path)
    with serving_folder(tmp_path) as url, warnings.catch_warnings():
        # It says of every static catalogue that it is no API.
        warnings.simplefilter("ignore")
        place = url if over_http else str(tmp_path)
        client = pystac_client.Client.open(f"{place}/catalog.json")
        [collection] = client.get_collections()
        found = sorted(item.id for item in collection.get_items())
    assert found == sorted(task_ids)


async def test_a_prefix_in_a_bucket_is_a_catalogue_too(sim: Simulator, tmp_path: Path) -> None:
    with serving() as s3:
        sink = ObjectStoreSink.from_url(f"s3://{BUCKET}/all", **s3.options())
        await download(sim, sink)
        for key, body in s3.objects().items():
            path = tmp_path / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
        assert s3.bucket.keys["all/catalog.json"].metadata["Content-Type"] == "application/json"
        text = b"".join(s3.objects().values()).decode("latin-1")
    catalog = pystac.Catalog.from_file(str(tmp_path / "all" / "catalog.json"))
    assert catalog.validate_all() == 2
    assert PLANTED_SECRET not in text


async def test_no_secret_is_in_a_catalogue(sim: Simulator, tmp_path: Path) -> None:
    await download(sim, tmp_path)
    planted = {SECRET, "Signature=", "Policy=", "Expires=", sim.cdn_base_url}
    for request in sim.requests:
        planted |= {value for name, value in parse_qsl(request.query) if name == "Signature"}
        planted |= {h.split()[-1] for n, h in request.headers.items() if n == "authorization"}
    assert len(planted) > 6
    text = "".join(path.read_text() for path in tmp_path.rglob("*.json"))
    assert [secret for secret in planted if secret in text] == []


texts = st.text(st.characters(codec="utf-8"), max_size=12)
boxes = st.tuples(st.floats(-180, 180), st.floats(-90, 0), st.floats(-180, 180), st.floats(0, 90))
files = st.lists(
    st.builds(
        CatalogFile,
        name=st.sampled_from(["A_1.geojson", "B_2.geojson", "C_3.tif"]),
        asset=st.builds(
            AssetRef,
            task_id=st.just("task-1"),
            derivative_id=texts,
            product_type=texts,
            asset_type=st.sampled_from(["geojson", "tif"]),
        ),
        size=st.integers(0, 2**40),
        sha256=st.binary(max_size=4).map(lambda body: sha256(body).hexdigest()),
        finished=st.floats(allow_nan=True),
        image_reference=st.none() | texts,
        coverage=st.none()
        | st.builds(
            Coverage,
            features=st.integers(0, 99),
            box=st.none() | boxes.map(lambda sides: Box(*sides)),
            crs=st.none() | texts,
        ),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda file: file.name,
)
facts = st.builds(
    TaskFacts,
    start=st.just("2026-05-01T12:00:00Z"),
    end=st.just("2026-05-03T12:00:00Z"),
    at=st.none() | st.tuples(st.floats(-180, 180), st.floats(-90, 90)),
    texts=st.dictionaries(st.sampled_from(["status", "imaging_mode", "reference"]), texts),
) | st.just(TaskFacts())


@settings(max_examples=20)
@given(files, facts, texts.filter(bool))
def test_whatever_is_known_the_item_and_its_collection_are_valid(
    found: list[CatalogFile], known: TaskFacts, task_id: str
) -> None:
    item = build_item(task_id, found, known, api="https://api.example")
    collection = build_collection(None, item, "task-1")
    assert collection is not None
    kind = pystac.STACObjectType.ITEM
    assert VALIDATOR.validate(item, kind, "1.1.0", [FILE_EXTENSION])
    assert VALIDATOR.validate(collection, pystac.STACObjectType.COLLECTION, "1.1.0", [])


def test_the_validator_would_notice() -> None:
    ref = AssetRef(task_id="t", derivative_id="d", product_type="P", asset_type="geojson")
    good = CatalogFile(name="P_d.geojson", asset=ref, size=1, sha256="ab" * 32, finished=0.0)
    for spoil in ("file:size", "file:checksum"):
        item = build_item("t", [good], TaskFacts())
        item["assets"]["P_d.geojson"][spoil] = "GG"
        with pytest.raises(pystac.STACValidationError):
            VALIDATOR.validate(item, pystac.STACObjectType.ITEM, "1.1.0", [FILE_EXTENSION])


class serving_folder:  # noqa: N801 - reads as what it does
    """A folder over loopback, as a web server would show it."""

    def __init__(self, folder: Path) -> None:
        handler = partial(Silent, directory=str(folder))
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), handler)

    def __enter__(self) -> str:
        self.thread = Thread(target=self.http.serve_forever, args=(0.01,))
        self.thread.start()
        return f"http://127.0.0.1:{self.http.server_address[1]}"

    def __exit__(self, *_: object) -> None:
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Not on a test's stderr."""
