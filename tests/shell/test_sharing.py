"""Several downloads share one folder: is each file fetched once, and none of them spoiled?"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from claimed_files import ASSET, BODY, NAME, silence
from downloads import parts_in
from sink_files import hashed
from store_fakes import FakeStore, Fault, detections, settle

from iceye_derivatives._core.download_settings import DownloadSettings
from iceye_derivatives.downloader import Downloader
from iceye_derivatives.events import TransferFinished, TransferRetrying
from iceye_derivatives.models import Derivative
from iceye_derivatives.sharing import Busy, Present
from iceye_derivatives.sinks import DirectorySink

pytestmark = pytest.mark.anyio

# Who waits for another process moves a clock that jumps: no trickle, and no link that dies.
SETTINGS = DownloadSettings(small=64, batch=32, retries=0, slowest=0)


async def test_the_second_waits_until_the_first_has_finished_and_keeps_its_file(
    tmp_path: Path,
) -> None:
    """Complaint 23 (huggingface/huggingface_hub #4196).

    A shared partial file was corrupted where locks do nothing.
    """
    store = FakeStore()
    derivative = store.add("d1", BODY)
    first, second = DirectorySink(tmp_path), DirectorySink(tmp_path)
    waited = []
    async with (
        first.claim(NAME, ASSET) as place,
        Downloader(store, second, clock=store.clock, settings=SETTINGS).transfers(
            [derivative]
        ) as events,
    ):
        assert not isinstance(place, Present | Busy)
        event = await events.receive()
        assert isinstance(event, TransferRetrying)
        waited.append(str(event.error))
        await settle()
        assert store.requests == []
        await place.put(BODY, hashed)
        event = await events.receive()
    assert isinstance(event, TransferFinished)
    assert event.record.kept
    assert store.requests == []
    assert f"process {os.getpid()}" in waited[0]
    assert parts_in(tmp_path) == set()


async def test_a_first_that_gives_up_is_succeeded_at_the_byte_where_it_stood(
    tmp_path: Path,
) -> None:
    """Trap (hf_hub, temporary names): a unique one makes sharing safe and removes resume."""
    store = FakeStore(faults=[Fault(stop_after=200)])
    derivative = store.add("d1", BODY)
    reports = []

    async def download() -> None:
        sink = DirectorySink(tmp_path)
        reports.append(
            await Downloader(store, sink, clock=store.clock, settings=SETTINGS).download(
                [derivative]
            )
        )

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(download)
        tasks.start_soon(download)
    assert sorted(report.ok for report in reports) == [False, True]
    assert [headers.get("Range") is None for _, headers, _ in store.requests] == [True, False]
    assert (tmp_path / NAME).read_bytes() == BODY
    assert parts_in(tmp_path) == set()


async def test_many_at_once_fetch_each_file_once(tmp_path: Path) -> None:
    store = FakeStore(life=1e9)
    derivatives = [store.add(f"d{n}", detections(str(n), 60 * n)) for n in range(6)]

    async def download() -> None:
        found = Downloader(
            store, DirectorySink(tmp_path), clock=store.clock, settings=SETTINGS, concurrency=3
        )
        report = await found.download(derivatives)
        assert report.ok

    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(download)
    assert len(store.requests) == 6
    assert parts_in(tmp_path) == set()


async def test_a_downloader_beats_while_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("iceye_derivatives._run.BEAT", 0.001)
    beats = anyio.Event()

    class Watched(DirectorySink):
        async def beat(self) -> None:
            beats.set()
            raise OSError("a failing disk ends no heart")

    store = FakeStore()

    async def source() -> AsyncIterator[Derivative]:
        yield store.add("d1", BODY)
        await beats.wait()

    with anyio.fail_after(10):
        report = await Downloader(store, Watched(tmp_path), clock=store.clock).download(source())
    assert report.ok


async def test_a_zombie_can_neither_spoil_nor_publish_what_was_taken_over(tmp_path: Path) -> None:
    """It was suspended for minutes, was succeeded, and wakes up to go on writing."""
    zombie, heir = DirectorySink(tmp_path), DirectorySink(tmp_path)
    store = FakeStore(faults=[Fault(stop_after=200)])
    derivative = store.add("d1", BODY)
    await Downloader(store, zombie, clock=store.clock, settings=SETTINGS).download([derivative])
    async with zombie.claim(NAME, ASSET) as mine:
        assert not isinstance(mine, Busy | Present)
        mark = mine.mark
        assert mark is not None
        async with mine.stream() as old:
            held = b"".join([block async for block in old.read()])
            [record] = list(tmp_path.rglob("*.owner.part"))
            note = json.loads(record.read_bytes())
            record.write_text(json.dumps(note | {"machine": "another boot"}))
            silence(record, 1000)
            async with heir.claim(NAME, ASSET) as theirs:
                assert not isinstance(theirs, Busy | Present)
                assert theirs.mark == mark
                async with theirs.stream() as new:
                    assert b"".join([block async for block in new.read()]) == held
                    await old.write(b"rubbish" * 100_000)
                    await new.write(BODY[len(held) :])
                    with pytest.raises(OSError, match=r"\.part"):
                        await old.commit()
                    await new.commit()
            assert (tmp_path / NAME).read_bytes() == BODY
    assert (tmp_path / NAME).read_bytes() == BODY
    assert not [name for name in parts_in(tmp_path) if "owner" in name]


async def test_what_a_killed_process_left_beside_a_whole_file_is_cleared_away(
    tmp_path: Path,
) -> None:
    store = FakeStore()
    derivative = store.add("d1", BODY)
    (tmp_path / "task-1").mkdir()
    (tmp_path / NAME).write_bytes(BODY)
    for name in (".1234-1.part", ".mark.part", f".{'ab' * 12}.owner.part"):
        (tmp_path / f"{NAME}{name}").write_bytes(b"x")
    foreign = tmp_path / "task-1" / "mine.part"
    foreign.write_bytes(b"x")
    report = await Downloader(store, DirectorySink(tmp_path), clock=store.clock).download(
        [derivative]
    )
    assert report.files[0].kept
    assert parts_in(tmp_path) == {"mine.part"}
