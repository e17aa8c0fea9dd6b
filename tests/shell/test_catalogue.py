"""When is a task's folder described, and what does that cost?"""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest
from attrs import evolve
from store_fakes import CANARY, FakeStore

from iceye_derivatives._core.watch import Watch
from iceye_derivatives.downloader import Downloader
from iceye_derivatives.errors import ConfigurationError, NetworkError
from iceye_derivatives.models import AcquisitionWindow, Derivative, PointOfInterest, Task
from iceye_derivatives.protocols import Sink
from iceye_derivatives.sharing import CatalogSink
from iceye_derivatives.sinks import DirectorySink, MemorySink, inspect

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("one_page_or_more")]

START = datetime(2026, 5, 1, 12, tzinfo=UTC)
ITEM = "task-1/item.json"


class Knowing(FakeStore):
    """A store that can also tell of its tasks."""

    base_url = "https://api.example"

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.knows = True

    async def look_at_task(self, task_id: str) -> Task:
        self.asked.append(task_id)
        if not self.knows:
            raise NetworkError("No answer came")
        return Task(
            id=task_id,
            status="DONE",
            point_of_interest=PointOfInterest(lat=51.9, lon=4.0),
            acquisition_window=AcquisitionWindow(start=START, end=START + timedelta(days=2)),
        )


class Counting(DirectorySink):
    """Counts what is read, and fails to order."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.read: list[str] = []
        self.full = False

    async def read_file(self, name: str, limit: int) -> bytes | None:
        self.read.append(name)
        return await super().read_file(name, limit)

    async def update_note(self, name: str, change: Callable[[bytes | None], bytes | None]) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        await super().update_note(name, change)


def point(longitude: float, latitude: float) -> bytes:
    feature = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [longitude, latitude]},
        "properties": {},
    }
    return json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()


def world() -> tuple[Knowing, list[Derivative]]:
    store = Knowing()
    made = [store.add(f"d{n}", point(4.0 + n, 52.0 - n)) for n in range(3)]
    return store, [evolve(each, image_reference="image-1") for each in made]


async def run(store: FakeStore, sink: Sink, derivatives: list[Derivative], **more: Any) -> None:
    settings: dict[str, Any] = {"stac": True, **more}
    report = await Downloader(store, sink, clock=store.clock, **settings).download(derivatives)
    report.raise_for_failures()


def item_in(root: Path, name: str = ITEM) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((root / name).read_bytes())
    return found


async def test_without_being_asked_nothing_is_described(tmp_path: Path) -> None:
    store, derivatives = world()
    await run(store, DirectorySink(tmp_path), derivatives, stac=False)
    assert all(path.name.startswith(".iceye-journal") for path in tmp_path.rglob("*.json"))
    assert store.asked == []


async def test_all_files_are_told_with_where_and_how_much(tmp_path: Path) -> None:
    store, derivatives = world()
    await run(store, DirectorySink(tmp_path), derivatives)
    item = item_in(tmp_path)
    files = {path.name: path for path in tmp_path.rglob("*.geojson")}
    assert item["assets"].keys() == files.keys()
    for name, asset in item["assets"].items():
        assert asset["file:size"] == files[name].stat().st_size
        assert asset["iceye_derivatives:detections"] == 1
        assert asset["iceye_derivatives:image_reference"] == "image-1"
    assert item["bbox"] == [4.0, 50.0, 6.0, 52.0]
    assert item["properties"]["start_datetime"] == "2026-05-01T12:00:00Z"
    collection = item_in(tmp_path, "collection.json")
    assert [link["href"] for link in collection["links"] if link["rel"] == "item"] == [
        "./task-1/item.json"
    ]
    assert store.asked == ["task-1"]


async def test_each_file_is_told_in_full_however_many_come_at_once(tmp_path: Path) -> None:
    """One that is stored while the item of the others is written must not lose its image."""
    store = Knowing()
    made = [store.add(f"d{n}", point(4.0, 52.0)) for n in range(30)]
    derivatives = [evolve(each, image_reference=f"image of {each.id}") for each in made]
    await run(store, DirectorySink(tmp_path), derivatives)
    assets = item_in(tmp_path)["assets"].values()
    assert len(assets) == 30
    for asset in assets:
        derivative_id = asset["iceye_derivatives:derivative_id"]
        assert asset["iceye_derivatives:image_reference"] == f"image of {derivative_id}"
        assert asset["iceye_derivatives:detections"] == 1


async def test_a_second_run_reads_no_file_and_writes_the_same(tmp_path: Path) -> None:
    store, derivatives = world()
    await run(store, DirectorySink(tmp_path), derivatives)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.json")}
    stamps = {path: path.stat().st_mtime_ns for path in before if path.name[0] != "."}
    sink = Counting(tmp_path)
    await run(store, sink, derivatives)
    assert sink.read == []
    assert {path: path.read_bytes() for path in before} == before
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps


async def test_files_of_a_run_without_it_are_described_by_the_next_with(tmp_path: Path) -> None:
    store, derivatives = world()
    await run(store, DirectorySink(tmp_path), derivatives, stac=False)
    sink = Counting(tmp_path)
    await run(store, sink, derivatives)
    assert len(sink.read) == 3
    assert item_in(tmp_path)["bbox"] == [4.0, 50.0, 6.0, 52.0]


async def test_a_file_that_somebody_has_changed_is_not_placed_by_what_it_says(
    tmp_path: Path,
) -> None:
    """Its checksum in the item is that of what was downloaded, and so must be its box."""
    store, derivatives = world()
    await run(store, DirectorySink(tmp_path), derivatives[:1], stac=False)
    [path] = tmp_path.rglob("*.geojson")
    stamp = path.stat()
    path.write_bytes(point(99.9, 52.0)[: stamp.st_size - 1] + b"}")
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    await run(store, DirectorySink(tmp_path), derivatives[:1])
    [asset] = item_in(tmp_path)["assets"].values()
    assert "iceye_derivatives:bbox" not in asset


async def test_verify_does_not_call_the_catalogue_foreign(tmp_path: Path) -> None:
    store, derivatives = world()
    await run(store, DirectorySink(tmp_path), derivatives)
    [inventory] = inspect(tmp_path)
    assert inventory.ok
    assert len(inventory.findings) == 3


async def test_tasks_that_come_home_at_the_same_time_are_all_in_the_collection(
    tmp_path: Path,
) -> None:
    """Each has a downloader of its own, as `download_task` does it."""
    store = Knowing()
    names = [f"task-{n}" for n in range(12)]
    derivatives = [store.add("d1", point(4.0, 52.0), task_id=name) for name in names]
    async with anyio.create_task_group() as tasks:
        for derivative in derivatives:
            tasks.start_soon(run, store, DirectorySink(tmp_path), [derivative])
    links = item_in(tmp_path, "collection.json")["links"]
    assert [link["href"] for link in links if link["rel"] == "item"] == sorted(
        f"./{name}/item.json" for name in names
    )


async def test_an_api_that_does_not_answer_costs_the_window_until_the_next_run(
    tmp_path: Path,
) -> None:
    store, derivatives = world()
    store.knows = False
    await run(store, DirectorySink(tmp_path), derivatives)
    assert item_in(tmp_path)["properties"]["iceye_derivatives:datetime_is"] == "download"
    store.knows = True
    await run(store, DirectorySink(tmp_path), derivatives)
    assert item_in(tmp_path)["properties"]["datetime"] is None
    store.knows = False
    await run(store, DirectorySink(tmp_path), derivatives)
    assert item_in(tmp_path)["properties"]["datetime"] is None


async def test_what_the_watch_learns_last_is_in_the_item(tmp_path: Path) -> None:
    store, derivatives = world()
    store.knows = False
    watch = Watch("task-1")
    downloader = Downloader(store, DirectorySink(tmp_path), clock=store.clock, stac=True)
    async with downloader.transfers(derivatives, watch=watch) as events:
        async for _ in events:
            pass
        assert item_in(tmp_path)["properties"]["iceye_derivatives:datetime_is"] == "download"
        watch.window = AcquisitionWindow(start=START, end=START + timedelta(days=2))
    assert item_in(tmp_path)["properties"]["start_datetime"] == "2026-05-01T12:00:00Z"


async def test_a_catalogue_that_cannot_be_written_costs_no_file(tmp_path: Path) -> None:
    store, derivatives = world()
    sink = Counting(tmp_path)
    sink.full = True
    await run(store, sink, derivatives)
    assert len(list(tmp_path.rglob("*.geojson"))) == 3
    assert not (tmp_path / ITEM).exists()
    await run(store, DirectorySink(tmp_path), derivatives)
    assert len(item_in(tmp_path)["assets"]) == 3


async def test_a_broken_item_is_written_anew(tmp_path: Path) -> None:
    store, derivatives = world()
    (tmp_path / "task-1").mkdir()
    (tmp_path / ITEM).write_bytes(b'{"assets": [')
    (tmp_path / "collection.json").write_bytes(b"\xff")
    await run(store, DirectorySink(tmp_path), derivatives)
    assert len(item_in(tmp_path)["assets"]) == 3
    assert item_in(tmp_path, "collection.json")["type"] == "Collection"


async def test_no_signed_url_is_in_a_catalogue(tmp_path: Path) -> None:
    store, derivatives = world()
    await run(store, DirectorySink(tmp_path), derivatives)
    text = "".join(path.read_text() for path in tmp_path.rglob("*.json"))
    assert CANARY not in text
    assert re.search(r"\?|Expires|cdn\.example", text) is None


async def test_memory_holds_a_catalogue_too() -> None:
    store, derivatives = world()
    sink = MemorySink()
    assert isinstance(sink, CatalogSink)
    await run(store, sink, derivatives)
    assert len(json.loads(sink.notes[ITEM])["assets"]) == 3
    assert {"catalog.json", "collection.json"} < sink.notes.keys()


class Bare:
    """A sink with the four methods that each must have."""

    def __init__(self) -> None:
        inner = MemorySink()
        self.locate, self.find = inner.locate, inner.find
        self.put, self.create = inner.put, inner.create


async def test_a_sink_that_cannot_hold_one_is_told_of_at_once() -> None:
    with pytest.raises(ConfigurationError, match="Bare cannot hold a STAC catalogue"):
        Downloader(FakeStore(), Bare(), stac=True)


async def test_what_is_too_long_to_parse_is_described_without_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("iceye_derivatives._catalogue._LARGEST", 10)
    store, derivatives = world()
    await run(store, DirectorySink(tmp_path), derivatives)
    item = item_in(tmp_path)
    assert item["bbox"] == [4.0, 51.9, 4.0, 51.9]
    assert all("iceye_derivatives:detections" not in each for each in item["assets"].values())


async def test_an_update_is_in_the_item_as_soon_as_it_is_home(tmp_path: Path) -> None:
    store, derivatives = world()
    await run(store, DirectorySink(tmp_path), derivatives[:1])
    assert len(item_in(tmp_path)["assets"]) == 1
    await run(store, DirectorySink(tmp_path), derivatives[1:])
    assert len(item_in(tmp_path)["assets"]) == 3
