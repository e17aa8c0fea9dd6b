"""How do many assets become whole files: few at a time, soonest to die first, none lost?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import anyio
import pytest
from downloads import check_law, downloader, files_in, one
from store_fakes import FakeStore, Fault, detections, settle

from iceye_derivatives._core.download_settings import DownloadSettings
from iceye_derivatives._core.plan import file_name
from iceye_derivatives.downloader import Downloader
from iceye_derivatives.errors import ConfigurationError
from iceye_derivatives.events import DownloadReport
from iceye_derivatives.models import AssetRef, Derivative
from iceye_derivatives.sinks import DirectorySink, MemorySink

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("pieces")]


@pytest.mark.parametrize("kind", ["memory", "directory"])
async def test_all_assets_come_home_checked_and_hashed(tmp_path: Path, kind: str) -> None:
    store = FakeStore()
    derivatives = [
        store.add("d1", detections()),
        store.add("d2", detections("y", 500), detections("z")),
        store.add("d3", b"\x00\x01", task_id="task-2", kind="tif"),
        store.add("empty"),
    ]
    sink = MemorySink() if kind == "memory" else DirectorySink(tmp_path)
    report = await downloader(store, sink).download(derivatives)
    report.raise_for_failures()
    files = sink.files if isinstance(sink, MemorySink) else files_in(tmp_path)
    check_law(store, files, report)
    assert len(report.files) == 4
    assert {record.path for record in report.files} == {sink.locate(name) for name in files}
    assert report.size == sum(map(len, files.values()))


async def test_an_async_iterable_is_downloaded_as_it_comes() -> None:
    """ "The first file is on disk while later derivatives are still being made.\""""
    store = FakeStore()
    first, second = store.add("d1", detections()), store.add("d2", detections())
    sink = MemorySink()

    async def watch() -> AsyncIterator[Derivative]:
        yield first
        while not sink.files:
            await anyio.lowlevel.checkpoint()
        yield second

    with anyio.fail_after(10):
        report = await downloader(store, sink).download(watch())
    check_law(store, sink.files, report)
    assert report.ok


async def test_no_derivatives_make_an_empty_report() -> None:
    store = FakeStore()
    assert await downloader(store, MemorySink()).download([]) == DownloadReport()


def test_a_downloader_without_slots_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="concurrency=0"):
        Downloader(FakeStore(), MemorySink(), concurrency=0)


@pytest.mark.parametrize("concurrency", [1, 3, 4, 11])
async def test_a_slot_is_held_until_the_body_is_closed(concurrency: int) -> None:
    """Trap (planet, slots): the worker limit is released when response headers arrive."""
    store = FakeStore()
    derivatives = [store.add(f"d{n}", detections("x", 100)) for n in range(12)]
    await downloader(store, MemorySink(), concurrency=concurrency).download(derivatives)
    assert store.open_most == concurrency
    assert store.open_now == 0


class Patient(MemorySink):
    """Keeps whoever stores something waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.storing = 0
        self.goes_on = anyio.Event()

    async def put(self, name: str, body: bytes, check: Callable[[bytes], str]) -> tuple[str, str]:
        self.storing += 1
        await self.goes_on.wait()
        return await super().put(name, body, check)


@pytest.mark.parametrize(
    ("concurrency", "size", "stored"), [(3, 1, 3), (8, 1, 10), (8, 64 * 1024 + 1, 8)]
)
async def test_a_line_does_not_stand_still_while_small_files_are_stored(
    concurrency: int, size: int, stored: int
) -> None:
    """But what fills the memory, or a slot of one's own choice, is not more than was asked for."""
    store, sink = FakeStore(), Patient()
    derivatives = [store.add(f"d{n}", detections("x", size)) for n in range(20)]
    found = downloader(store, sink, concurrency=concurrency, settings=DownloadSettings())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(found.download, derivatives)
        with anyio.fail_after(10):
            while sink.storing < stored:
                await anyio.lowlevel.checkpoint()
        for _ in range(100):
            await anyio.lowlevel.checkpoint()
        assert (sink.storing, len(store.requests), store.open_now) == (stored, stored, 0)
        sink.goes_on.set()
    assert len(sink.files) == 20
    assert store.open_most <= concurrency


async def test_whoever_fails_gives_back_his_slot() -> None:
    store = FakeStore(faults=[Fault(refuse=True)] * 999)
    derivatives = [store.add(f"d{n}", detections()) for n in range(40)]
    with anyio.fail_after(10):
        report = await downloader(store, MemorySink(), concurrency=4).download(derivatives)
    assert len(report.failures) == 40


async def test_the_soonest_to_die_goes_first() -> None:
    """Complaint 4 (flyteorg/flyte-sdk #1363).

    URLs were minted, then waited in a queue until dead.
    """
    store = FakeStore()
    lives = [3000.0, 100.0, 2000.0, 500.0]
    derivatives = []
    for n, store.life in enumerate(lives):
        derivatives.append(store.add(f"d{n}", detections()))
    await downloader(store, MemorySink(), concurrency=1).download(derivatives)
    assert [key for key, _, _ in store.requests] == [
        f"task-1/d{n}/0.geojson" for n in sorted(range(4), key=lives.__getitem__)
    ]


async def test_a_whole_file_is_kept_and_costs_no_request(tmp_path: Path) -> None:
    store, derivative = one()
    sink = DirectorySink(tmp_path)
    first = await downloader(store, sink).download([derivative])
    again = await downloader(store, sink).download([derivative])
    assert len(store.requests) == 1
    assert again.files[0].kept
    assert not first.files[0].kept
    assert again.files[0].sha256 == first.files[0].sha256
    check_law(store, files_in(tmp_path), again)


async def test_overwriting_fetches_it_again(tmp_path: Path) -> None:
    store, derivative = one()
    sink = DirectorySink(tmp_path)
    for _ in range(2):
        report = await downloader(store, sink, overwrite=True).download([derivative])
    assert len(store.requests) == 2
    assert not report.files[0].kept


async def test_an_empty_file_under_a_good_name_is_fetched_anew() -> None:
    store, derivative = one()
    sink = MemorySink()
    sink.files[file_name(derivative.asset_refs()[0])] = b""
    report = await downloader(store, sink).download([derivative])
    check_law(store, sink.files, report)


async def test_a_derivative_handed_out_again_is_fetched_for_its_new_assets_only() -> None:
    """Promise 1: "if further assets of it appear later it is handed out again"."""
    store = FakeStore()
    whole = store.add("d1", detections("a"), detections("b"))
    early = Derivative(
        id=whole.id, task_id=whole.task_id, product_type=whole.product_type, assets=whole.assets[:1]
    )

    async def watch() -> AsyncIterator[Derivative]:
        yield early
        await settle()
        yield whole
        yield whole

    report = await downloader(store, MemorySink(), overwrite=True).download(watch())
    assert len(report.files) == 2
    assert sorted(key for key, _, _ in store.requests) == sorted(store.bodies)


async def test_a_name_is_made_of_ids_and_never_of_the_link() -> None:
    """Trap (up42, names): file name comes from a query parameter of the signed URL.

    Complaint (wandb/wandb #12592): names that a server chose leave the directory.
    Complaint (pypa/pip #6418): the same, by a header.
    """
    store = FakeStore()
    derivative = store.add("../../evil", detections(), task_id="/etc")
    sink = MemorySink()
    await downloader(store, sink).download([derivative])
    ref = AssetRef(
        task_id="/etc", derivative_id="../../evil", product_type="DC_VESSELS", asset_type="geojson"
    )
    assert list(sink.files) == [file_name(ref)]
