"""May a file still come, or is the disk full, or promised to others?"""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from attrs import evolve
from store_fakes import FakeClock, FakeResponse, FakeStore, detections

from iceye_derivatives import _room
from iceye_derivatives._core.download_settings import DownloadSettings
from iceye_derivatives.downloader import Downloader
from iceye_derivatives.errors import DiskFullError, TransferError
from iceye_derivatives.events import (
    DownloadReport,
    TransferFailed,
    TransferFinished,
    TransferStarted,
)
from iceye_derivatives.models import AssetRef, Derivative
from iceye_derivatives.sharing import Busy, Place, Present, Space
from iceye_derivatives.sinks import DirectorySink
from iceye_derivatives.sinks._part import DirectoryPart

pytestmark = pytest.mark.anyio

SETTINGS = DownloadSettings(small=64, batch=32, headroom=100)


@pytest.fixture(autouse=True)
def no_other_runs() -> Iterator[None]:
    _room._ledgers.clear()
    yield
    assert all(not ledger.promised for ledger in _room._ledgers.values())
    _room._ledgers.clear()


class Disk(DirectorySink):
    """A folder on a disk of so many bytes; nothing else is on it."""

    def __init__(self, root: Path, size: int) -> None:
        super().__init__(root)
        self.root, self.size = root, size
        self.looks = 0

    async def space(self) -> Space:
        self.looks += 1
        used = sum(path.stat().st_size for path in self.root.rglob("*.geojson*"))
        return Space(disk="test", free=self.size - used)


async def run(
    store: FakeStore,
    sink: DirectorySink,
    *derivatives: Derivative,
    concurrency: int = 4,
    settings: DownloadSettings = SETTINGS,
) -> DownloadReport:
    found = Downloader(
        store,
        sink,
        clock=store.clock,
        jitter=lambda: 0.5,
        settings=settings,
        concurrency=concurrency,
    )
    return await found.download(derivatives)


async def test_what_is_promised_to_one_file_is_not_given_to_another(tmp_path: Path) -> None:
    """Each fits, both do not.

    Complaint (Cyberdrop-DL/cyberdrop-dl #602): free space is checked per file, not for all running.
    """
    store = FakeStore()
    derivatives = [store.add(f"d{n}", detections(str(n), 1000)) for n in range(2)]
    report = await run(store, Disk(tmp_path, 1700), *derivatives)
    [failure] = report.failures
    assert isinstance(failure.error, DiskFullError)
    assert "for files on their way" in str(failure.error)
    assert len(list(tmp_path.rglob("*.geojson"))) == 1


async def test_a_file_that_is_too_large_leaves_room_for_those_that_are_not(tmp_path: Path) -> None:
    store = FakeStore()
    derivatives = [store.add(f"d{n}", detections("x", size)) for n, size in enumerate((9000, 5, 9))]
    report = await run(store, Disk(tmp_path, 1000), *derivatives, concurrency=1)
    [failure] = report.failures
    assert failure.asset.derivative_id == "d0"
    assert list(tmp_path.rglob("d0*.part")) == []
    assert len(report.files) == 3


@pytest.mark.parametrize("small", [64, 1 << 20])
async def test_what_comes_at_one_time_needs_room_as_well(tmp_path: Path, small: int) -> None:
    """Before anything of it is written, beside what was written since somebody looked."""
    store = FakeStore(chunk=1 << 20)
    derivatives = [store.add(f"d{n}", detections("x", 300)) for n in range(3)]
    settings = evolve(SETTINGS, small=small)
    report = await run(store, Disk(tmp_path, 1200), *derivatives, concurrency=1, settings=settings)
    assert [record.ok for record in report.files] == [True, True, False]
    [failure] = report.failures
    assert isinstance(failure.error, DiskFullError)
    assert "bytes are to come" in str(failure.error)


async def test_what_came_at_one_time_counts_as_written_where_somebody_had_to_look_again(
    tmp_path: Path,
) -> None:
    """Until the next look, which may be seconds away."""
    store = FakeStore(chunk=1 << 20)
    derivative = store.add("d1", detections("x", 300))
    sink = Disk(tmp_path, 400)

    async def space() -> Space:
        found = await Disk.space(sink)
        sink.size = 10_000  # somebody makes room behind the first look
        return found

    sink.space = space  # type: ignore[method-assign]
    settings = evolve(SETTINGS, small=1 << 20)
    assert (await run(store, sink, derivative, settings=settings)).ok
    [ledger] = _room._ledgers.values()
    assert ledger.room == ledger.free - len(store.bodies["task-1/d1/0.geojson"])


async def test_once_there_is_room_it_goes_on(tmp_path: Path) -> None:
    store = FakeStore()
    derivative = store.add("d1", detections("x", 2000))
    sink = Disk(tmp_path, 1000)
    assert not (await run(store, sink, derivative)).ok
    sink.size = 5000
    assert (await run(store, sink, derivative)).ok


async def test_bytes_that_are_there_already_need_no_room(tmp_path: Path) -> None:
    store = FakeStore()
    derivative = store.add("d1", detections("x", 2000))
    await filled(store, tmp_path, derivative, after=1500)
    there = -(await Disk(tmp_path, 0).space()).free
    assert (await run(store, Disk(tmp_path, there + 1000), derivative)).ok


async def test_a_disk_is_looked_at_now_and_then_and_not_for_each_file(tmp_path: Path) -> None:
    store = FakeStore()
    derivatives = [store.add(f"d{n}", detections()) for n in range(40)]
    sink = Disk(tmp_path, 1 << 40)
    assert (await run(store, sink, *derivatives)).ok
    assert sink.looks <= 4


async def test_runs_that_share_a_disk_share_its_room(tmp_path: Path) -> None:
    store = FakeStore()
    one, two = (store.add(f"d{n}", detections("x", 1000)) for n in range(2))
    sinks = [Disk(tmp_path, 1700), Disk(tmp_path, 1700)]
    found = [Downloader(store, sink, clock=store.clock, settings=SETTINGS) for sink in sinks]
    async with found[0].transfers([one]) as first:
        while not isinstance(await first.receive(), TransferStarted):
            pass
        [failure] = (await found[1].download([two])).failures
        assert isinstance(failure.error, DiskFullError)


# -- a disk that is full without having said so ----------------------------------------------------


class Full(DirectorySink):
    """Its parts take so many bytes in all."""

    def __init__(self, root: Path, left: int) -> None:
        super().__init__(root)
        self.left = left
        self.refusals = 0

    async def space(self) -> Space | None:
        return None

    @asynccontextmanager
    async def claim(
        self, name: str, asset: AssetRef, *, replace: bool = False
    ) -> AsyncIterator[Place | Present | Busy]:
        async with super().claim(name, asset, replace=replace) as place:
            if not isinstance(place, Present | Busy):
                place.stream = self.limited(place.stream)  # type: ignore[method-assign]
            yield place

    def limited(self, stream: Any) -> Any:
        @asynccontextmanager
        async def limited() -> AsyncIterator[DirectoryPart]:
            async with stream() as part:
                write, take = part.write, part.take

                def spend(size: int) -> None:
                    if self.left < size:
                        self.refusals += 1
                        raise OSError(errno.ENOSPC, "No space left on device")
                    self.left -= size

                async def bounded(data: bytes) -> None:
                    spend(len(data))
                    await write(data)

                async def bounded_take(pieces: list[bytes], *rest: Any) -> None:
                    spend(sum(map(len, pieces)))
                    await take(pieces, *rest)

                part.write, part.take = bounded, bounded_take
                yield part

        return limited


async def filled(
    store: FakeStore, root: Path, derivative: Derivative, *, after: int
) -> DownloadReport:
    return await run(store, Full(root, after), derivative)


async def test_a_full_disk_is_met_once_and_what_came_is_kept(tmp_path: Path) -> None:
    """The files that wait are not even asked for.

    Complaint (lemonade-sdk/lemonade #1534): a full disk is put into a retry loop.
    """
    store = FakeStore()
    derivatives = [store.add(f"d{n}", detections(str(n), 1000)) for n in range(20)]
    sink = Full(tmp_path, 1500)
    report = await run(store, sink, *derivatives, concurrency=1)
    assert [record.ok for record in report.files] == [True] + [False] * 19
    assert all(isinstance(record.error, DiskFullError) for record in report.failures)
    assert sink.refusals == 1
    assert len(store.requests) == 2
    messages = [str(record.error) for record in report.failures]
    assert "make room and download again to go on" in messages[0]
    assert all("not tried" in message for message in messages[1:])

    store.requests.clear()
    again = await run(store, DirectorySink(tmp_path), *derivatives)
    assert again.ok
    assert len(store.requests) == 19
    assert sum("Range" in headers for _, headers, _ in store.requests) == 1
    assert not list(tmp_path.rglob("*.part"))


async def test_in_a_run_of_weeks_one_file_tries_again_after_a_while(tmp_path: Path) -> None:
    store = FakeStore()
    derivatives = [store.add(f"d{n}", detections(str(n), 1000)) for n in range(4)]
    sink = Full(tmp_path, 1500)

    failed = [anyio.Event(), anyio.Event()]

    async def source() -> AsyncIterator[Derivative]:
        for derivative in derivatives[:3]:
            yield derivative
        for event in failed:
            await event.wait()
        sink.left = 10_000
        store.clock.now += 60
        yield derivatives[3]

    found = Downloader(store, sink, clock=store.clock, settings=SETTINGS, concurrency=1)
    ended = []
    async with found.transfers(source()) as events:
        async for event in events:
            if isinstance(event, TransferFailed):
                failed[sum(not ok for ok in ended)].set()
            if isinstance(event, TransferFailed | TransferFinished):
                ended.append(event.record.ok)
    assert ended == [True, False, False, True]


# -- trickles --------------------------------------------------------------------------------------


class Dripping(FakeStore):
    """Each piece takes ten seconds, for so many requests."""

    drips: int = 0

    def _answer(self, *arguments: object) -> object:  # type: ignore[override]
        response = super()._answer(*arguments)  # type: ignore[arg-type]
        self.drips -= 1
        return response if self.drips < 0 else Drips(response, self.clock)


class Drips:
    def __init__(self, response: FakeResponse, clock: FakeClock) -> None:
        self.status, self.headers = response.status, response.headers
        self._response, self._clock = response, clock

    @property
    def is_open(self) -> bool:
        return self._response.is_open

    async def chunks(self) -> AsyncIterator[bytes]:
        async for chunk in self._response.chunks():
            self._clock.now += 10.0
            yield chunk


async def test_a_trickle_is_cut_and_gone_on_with_where_it_stood(tmp_path: Path) -> None:
    """Complaint 16 (earthaccess-dev/earthaccess #1128).

    1,627 of 1,628 files done, then nothing for hours.
    """
    store = Dripping(clock=FakeClock())
    store.drips = 2
    derivative = store.add("d1", detections("x", 300))
    report = await run(store, DirectorySink(tmp_path), derivative)
    assert report.ok
    assert report.files[0].retries == 2
    starts = [headers.get("Range") for _, headers, _ in store.requests]
    assert starts == [None, "bytes=42-", "bytes=84-"]


async def test_a_trickle_for_ever_ends(tmp_path: Path) -> None:
    """ "The retry budget refills when bytes arrive and is bounded in total.\""""
    store = Dripping(clock=FakeClock(), life=1e9)
    store.drips = 10_000
    derivative = store.add("d1", detections("x", 30_000))
    report = await run(store, DirectorySink(tmp_path), derivative)
    error = report.failures[0].error
    assert isinstance(error, TransferError)
    assert "1024 bytes a second" in str(error)
    assert len(store.requests) == SETTINGS.retries_in_total + 1
