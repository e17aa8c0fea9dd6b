"""When is what is known of a task's files read and written down?"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import anyio
import pytest
from store_fakes import CANARY, FakeClock, FakeStore, detections

from iceye_derivatives._clock import SystemClock
from iceye_derivatives._core import journal as journals
from iceye_derivatives._core.journal import Journal, WholeFile, join_page, parse_journal
from iceye_derivatives._core.plan import file_name, journals_among
from iceye_derivatives._core.watch import Watch
from iceye_derivatives._journal import Journals, resumed_watch
from iceye_derivatives.downloader import Downloader
from iceye_derivatives.events import DownloadReport
from iceye_derivatives.models import AssetRef, Derivative
from iceye_derivatives.protocols import FoundFile, Sink
from iceye_derivatives.sinks import DirectorySink, MemorySink

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("pieces", "one_page_or_more")]

JOURNAL = "task-1/.iceye-journal.json"


class Counting(DirectorySink):
    """Counts what costs something."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.hashed: list[str] = []
        self.written = 0

    async def find(self, name: str) -> FoundFile | None:
        self.hashed.append(name)
        return await super().find(name)

    async def write_note(self, name: str, render: Callable[[], bytes]) -> None:
        self.written += 1
        await super().write_note(name, render)


def world(count: int = 3) -> tuple[FakeStore, list[Derivative]]:
    store = FakeStore()
    return store, [store.add(f"d{n}", detections(str(n), 5)) for n in range(count)]


async def run(
    store: FakeStore, sink: Sink, derivatives: list[Derivative], **settings: Any
) -> DownloadReport:
    report = await Downloader(store, sink, clock=store.clock, **settings).download(derivatives)
    report.raise_for_failures()
    return report


def journal_in(root: Path) -> Journal:
    """All that stands beside the files of the task."""
    folder = root / "task-1"
    whole = None
    for name in journals_among(path.name for path in folder.iterdir()):
        note = (folder / name).read_bytes()
        assert b"http" not in note
        assert CANARY.encode() not in note
        whole = join_page(whole, parse_journal(note, "task-1"))
    assert whole is not None
    return whole


def path_of(root: Path, derivative: Derivative) -> Path:
    return root / file_name(derivative.asset_refs()[0])


async def test_the_second_run_neither_fetches_nor_hashes(tmp_path: Path) -> None:
    """Complaint 22 (ASFHyP3/hyp3-sdk #137).

    Re-running downloads everything again, partial files pass for whole ones.
    """
    store, derivatives = world()
    first = await run(store, DirectorySink(tmp_path), derivatives)
    sink = Counting(tmp_path)
    second = await run(store, sink, derivatives)
    assert len(store.requests) == 3
    assert sink.hashed == []
    assert {record.sha256 for record in second.files} == {record.sha256 for record in first.files}
    assert all(record.kept for record in second.files)


async def test_it_says_what_is_whole_and_holds_no_link(tmp_path: Path) -> None:
    store, derivatives = world()
    await run(store, DirectorySink(tmp_path), derivatives)
    journal = journal_in(tmp_path)
    assert len(journal.files) == 3
    for name, file in journal.files.items():
        body = (tmp_path / "task-1" / name).read_bytes()
        assert (file.size, file.sha256) == (len(body), sha256(body).hexdigest())
        assert file.etag is not None
        assert file.begun <= file.finished


@pytest.mark.parametrize("harm", [None, b"", b"{}", b"\xff", b"[" * 5000])
async def test_without_it_files_are_hashed_and_nothing_else_is_lost(
    tmp_path: Path, harm: bytes | None
) -> None:
    """ "Deleting it costs checks, not data.\""""
    store, derivatives = world()
    await run(store, DirectorySink(tmp_path), derivatives)
    for page in (tmp_path / "task-1").glob(".iceye-journal*"):
        page.unlink()
        if harm is not None:
            page.write_bytes(harm)
    sink = Counting(tmp_path)
    await run(store, sink, derivatives)
    assert len(store.requests) == 3
    assert len(sink.hashed) == 3
    sink = Counting(tmp_path)
    await run(store, sink, derivatives)
    assert sink.hashed == []


async def test_a_touched_file_is_hashed_once_and_a_changed_one_is_kept_but_not_believed(
    tmp_path: Path,
) -> None:
    store, derivatives = world()
    await run(store, DirectorySink(tmp_path), derivatives)
    touched, changed = (path_of(tmp_path, derivative) for derivative in derivatives[:2])
    os.utime(touched, (1, 1))
    changed.write_bytes(b"my own work")
    before = journal_in(tmp_path)
    sink = Counting(tmp_path)
    report = await run(store, sink, derivatives)
    assert len(sink.hashed) == 2
    assert all(record.kept for record in report.files)
    assert changed.read_bytes() == b"my own work"
    noted = {name: file.sha256 for name, file in before.files.items()}
    assert {name: file.sha256 for name, file in journal_in(tmp_path).files.items()} == noted
    sink = Counting(tmp_path)
    await run(store, sink, derivatives)
    assert len(sink.hashed) == 1


async def test_repairing_fetches_what_changed_or_is_missing_and_nothing_else(
    tmp_path: Path,
) -> None:
    store, derivatives = world(4)
    await run(store, DirectorySink(tmp_path), derivatives)
    touched, changed, missing, _ = (path_of(tmp_path, derivative) for derivative in derivatives)
    os.utime(touched, (1, 1))
    body, stamp = bytearray(changed.read_bytes()), changed.stat()
    body[-3] ^= 1
    changed.write_bytes(body)
    os.utime(changed, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))  # as a rotten disk would do it
    missing.unlink()
    store.requests.clear()

    report = await run(store, DirectorySink(tmp_path), derivatives, repair=True)

    assert {key for key, _, _ in store.requests} == {"task-1/d1/0.geojson", "task-1/d2/0.geojson"}
    assert sorted(record.kept for record in report.files) == [False, False, True, True]
    for derivative in derivatives:
        key = f"task-1/{derivative.id}/0.geojson"
        assert path_of(tmp_path, derivative).read_bytes() == store.bodies[key]


async def test_many_files_cost_few_writes(tmp_path: Path) -> None:
    """ "At most every second or so, or at the end of a batch.\""""
    store, derivatives = world(60)
    sink = Counting(tmp_path)
    await run(store, sink, derivatives)
    assert 1 <= sink.written <= 3 + 60 / journals.FULL
    assert len(journal_in(tmp_path).files) == 60


async def test_two_runs_into_one_folder_write_down_each_other_s_files(tmp_path: Path) -> None:
    store, derivatives = world()
    await run(store, DirectorySink(tmp_path), derivatives[:1])
    await run(store, DirectorySink(tmp_path), derivatives[1:])
    assert len(journal_in(tmp_path).files) == 3


async def test_a_journal_that_cannot_be_kept_stands_in_nobody_s_way(tmp_path: Path) -> None:
    class Broken(DirectorySink):
        async def read_note(self, name: str) -> bytes | None:
            raise OSError(errno.EIO, "broken")

        async def write_note(self, name: str, render: Callable[[], bytes]) -> None:
            raise OSError(errno.ENOSPC, "full")

    store, derivatives = world()
    for _ in range(2):
        report = await run(store, Broken(tmp_path), derivatives)
    assert all(record.kept for record in report.files)
    assert not (tmp_path / JOURNAL).exists()


async def test_a_link_planted_as_the_journal_is_neither_read_nor_written_through(
    tmp_path: Path,
) -> None:
    store, derivatives = world()
    root, victim = tmp_path / "out", tmp_path / "victim"
    (root / "task-1").mkdir(parents=True)
    victim.write_bytes(b"precious")
    (root / JOURNAL).symlink_to(victim)
    await run(store, DirectorySink(root), derivatives)
    assert victim.read_bytes() == b"precious"
    assert not (root / JOURNAL).is_symlink()


@pytest.mark.parametrize("kind", ["memory", "directory"])
async def test_the_watch_s_state_is_kept_beside_its_files(tmp_path: Path, kind: str) -> None:
    store, derivatives = world()
    sink = MemorySink() if kind == "memory" else DirectorySink(tmp_path)
    watch = Watch("task-1", requested=["DC_VESSELS"])
    assert await resumed_watch(sink, "task-1") is None
    found = Downloader(store, sink, clock=store.clock)
    async with found.transfers(derivatives, watch=watch) as events:
        async for _ in events:
            pass
    resumed = await resumed_watch(sink, "task-1")
    assert resumed is not None
    assert resumed.requested == ("DC_VESSELS",)
    assert await resumed_watch(sink, "task-2") is None
    # A run without a watch keeps what an earlier one has written.
    await run(store, sink, derivatives)
    assert await resumed_watch(sink, "task-1") is not None


async def test_a_wait_that_brought_nothing_leaves_nothing(tmp_path: Path) -> None:
    found = Downloader(FakeStore(), DirectorySink(tmp_path / "out"))
    async with found.transfers([], watch=Watch("task-1")) as events:
        async for _ in events:
            pass
    assert not (tmp_path / "out").exists()


class Slow(MemorySink):
    """Reads a note no sooner than it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.reading, self.go_on = anyio.Event(), anyio.Event()

    async def read_note(self, name: str) -> bytes | None:
        self.reading.set()
        await self.go_on.wait()
        return await super().read_note(name)


def whole(derivative_id: str) -> WholeFile:
    asset = AssetRef(
        task_id="task-1", derivative_id=derivative_id, product_type="X", asset_type="geojson"
    )
    return WholeFile(
        asset=asset, size=3, sha256="0" * 64, stamp="1", etag=None, begun=1.0, finished=2.0
    )


async def noted(sink: MemorySink) -> set[str]:
    note = await sink.read_note(JOURNAL)
    assert note is not None
    return {file.asset.derivative_id for file in parse_journal(note, "task-1").files.values()}


async def test_what_a_cancelled_save_did_not_write_is_written_at_the_end() -> None:
    sink = Slow()
    journals = Journals(sink, SystemClock())
    journals.note(whole("d1"))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(partial(journals.save, at_once=True))
        await sink.reading.wait()
        tasks.cancel_scope.cancel()
    sink.go_on.set()
    await journals.close()
    assert await noted(sink) == {"d1"}


async def test_what_is_noted_while_two_workers_save_is_not_undone_by_either() -> None:
    sink = Slow()
    journals = Journals(sink, SystemClock())
    journals.note(whole("d1"))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(partial(journals.save, at_once=True))
        await sink.reading.wait()
        await journals.save(at_once=True)
        journals.note(whole("d2"))
        tasks.start_soon(partial(journals.save, at_once=True))
        await anyio.wait_all_tasks_blocked()
        sink.go_on.set()
    await journals.close()
    assert await noted(sink) == {"d1", "d2"}


async def test_a_clock_that_is_set_back_does_not_keep_a_journal_unwritten() -> None:
    sink, clock = MemorySink(), FakeClock()
    journals = Journals(sink, clock)
    for name in ("d1", "d2"):
        journals.note(whole(name))
        await journals.save()
        assert name in await noted(sink)
        clock.now -= 86400.0
