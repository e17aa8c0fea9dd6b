"""Several processes share one folder: is no file fetched twice at once, or spoiled?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from threading import Barrier, Thread

import anyio
import pytest
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule
from store_fakes import FakeStore, Fault, detections, settle

from iceye_derivatives._core.download_settings import DownloadSettings
from iceye_derivatives._core.ownership import Owner, parse_owner, render_owner
from iceye_derivatives._core.plan import file_name
from iceye_derivatives.downloader import Downloader
from iceye_derivatives.events import TransferFinished, TransferRetrying
from iceye_derivatives.models import AssetRef, Derivative
from iceye_derivatives.sharing import Busy, Present
from iceye_derivatives.sinks import DirectorySink
from iceye_derivatives.sinks import _claim as claims
from iceye_derivatives.sinks._claim import Claim
from iceye_derivatives.sinks._folder import Folder

pytestmark = pytest.mark.anyio
unix = pytest.mark.skipif(os.name == "nt", reason="processes are told apart by Unix's means")

# Who waits for another process moves a clock that jumps: no trickle, and no link that dies.
SETTINGS = DownloadSettings(small=64, batch=32, retries=0, slowest=0)
ASSET = AssetRef(
    task_id="task-1", derivative_id="d1", product_type="DC_VESSELS", asset_type="geojson"
)
NAME = file_name(ASSET)
BODY = detections("abcdefgh", 40)


def hashed(body: bytes) -> str:
    return sha256(body).hexdigest()


def parts(root: Path) -> set[str]:
    return {path.name for path in root.rglob("*.part")}


def plant(root: Path, token: str = "ab" * 12, **changes: object) -> Path:
    """An owner record that another process left."""
    fields = {"host": "elsewhere", "machine": "another boot", "pid": 7, "started": "1"} | changes
    record = root / f"{NAME}.owner.part"
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_bytes(render_owner(Owner(token=token, **fields)))  # type: ignore[arg-type]
    return record


def silence(record: Path, seconds: float) -> None:
    """Its last heartbeat is so long ago."""
    then = time.time() - seconds  # noqa: TID251 - the file system's own time
    os.utime(record, (then, then))


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
    assert parts(tmp_path) == set()


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
    assert parts(tmp_path) == set()


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
    assert parts(tmp_path) == set()


@contextmanager
def another_process() -> Iterator[tuple[subprocess.Popen[str], Owner]]:
    """A live process that could hold a claim, and its record."""
    program = (
        "from iceye_derivatives.sinks._process import new_owner\n"
        "from iceye_derivatives._core.ownership import render_owner\n"
        "print(render_owner(new_owner()).decode(), flush=True); input()"
    )
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield process, parse_owner(process.stdout.readline().encode())
        finally:
            process.kill()


async def test_a_folder_that_was_empty_when_we_came_is_not_believed_to_be_so_still(
    tmp_path: Path,
) -> None:
    """There the one look behind the claim must do; and the first stranger's file ends that."""
    (tmp_path / NAME).parent.mkdir()
    sink = DirectorySink(tmp_path)
    async with sink.claim(NAME, ASSET) as found:
        assert not isinstance(found, Present | Busy)
    await DirectorySink(tmp_path).put(NAME, BODY, hashed)
    async with sink.claim(NAME, ASSET) as found:
        assert isinstance(found, Present)
    assert not parts(tmp_path)
    plant(tmp_path)  # who asks for a name that somebody has is kept waiting, who looks first is not
    async with sink.claim(NAME, ASSET) as found:
        assert isinstance(found, Present)


@unix
async def test_a_live_process_of_this_machine_is_waited_for_however_silent(tmp_path: Path) -> None:
    with another_process() as (process, owner):
        record = plant(
            tmp_path, owner.token, machine=owner.machine, pid=owner.pid, started=owner.started
        )
        silence(record, 1e6)
        sink = DirectorySink(tmp_path)
        async with sink.claim(NAME, ASSET) as found:
            assert isinstance(found, Busy)
            assert str(process.pid) in found.owner
        process.kill()
        process.wait()
        async with sink.claim(NAME, ASSET) as found:
            assert not isinstance(found, Busy)
    assert parts(tmp_path) == set()


@unix
async def test_a_process_that_got_the_dead_one_s_number_is_not_mistaken_for_it(
    tmp_path: Path,
) -> None:
    with another_process() as (_, owner):
        plant(tmp_path, machine=owner.machine, pid=owner.pid, started="1")
        async with DirectorySink(tmp_path).claim(NAME, ASSET) as found:
            assert not isinstance(found, Busy)


async def test_another_machine_is_waited_for_while_its_heart_beats(tmp_path: Path) -> None:
    record = plant(tmp_path)
    sink = DirectorySink(tmp_path)
    silence(record, 100)
    async with sink.claim(NAME, ASSET) as found:
        assert isinstance(found, Busy)
        assert "elsewhere" in found.owner
    silence(record, 200)
    async with sink.claim(NAME, ASSET) as found:
        assert not isinstance(found, Busy | Present)
        await found.put(BODY, hashed)
    assert parts(tmp_path) == set()


async def test_a_heart_beats(tmp_path: Path) -> None:
    sink = DirectorySink(tmp_path)
    async with sink.claim(NAME, ASSET):
        [name] = parts(tmp_path)
        record = tmp_path / "task-1" / name
        silence(record, 1000)
        before = record.stat().st_mtime
        await sink.beat()
        assert record.stat().st_mtime - before > 900
    await sink.beat()
    assert parts(tmp_path) == set()


async def test_a_claim_that_is_cancelled_while_it_is_made_leaves_the_name_free(
    tmp_path: Path,
) -> None:
    sink = DirectorySink(tmp_path)
    for steps in (*range(6), *range(6)):  # so that the thread is before, in and behind its work
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_claim_for_ever, sink)
            for _ in range(steps):
                await anyio.sleep(0.0005)
            tasks.cancel_scope.cancel()
        assert parts(tmp_path) == set()


async def _claim_for_ever(sink: DirectorySink) -> None:
    async with sink.claim(NAME, ASSET):
        await anyio.sleep_forever()


async def test_a_downloader_beats_while_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("iceye_derivatives.downloader.BEAT", 0.001)
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


@pytest.mark.parametrize("body", [b"", b"{", b"null", b'{"format":9}', b"x" * 100_000])
async def test_a_record_that_is_never_finished_is_taken_over_after_a_while(
    tmp_path: Path, body: bytes
) -> None:
    """Killed between creating the record and writing it."""
    record = plant(tmp_path)
    record.write_bytes(body)
    sink = DirectorySink(tmp_path)
    async with sink.claim(NAME, ASSET) as found:
        assert isinstance(found, Busy)
    silence(record, 30)
    async with sink.claim(NAME, ASSET) as found:
        assert not isinstance(found, Busy)
    assert parts(tmp_path) == set()


@unix
async def test_what_was_planted_in_place_of_a_record_is_told_and_not_waited_for(
    tmp_path: Path,
) -> None:
    record = plant(tmp_path)
    record.unlink()
    record.symlink_to(tmp_path / "anywhere")
    with pytest.raises(OSError, match="no file"):
        async with DirectorySink(tmp_path).claim(NAME, ASSET):
            pass


async def test_a_zombie_can_neither_spoil_nor_publish_what_was_taken_over(tmp_path: Path) -> None:
    """It was suspended for minutes, was succeeded, and wakes up to go on writing."""
    zombie, heir = DirectorySink(tmp_path), DirectorySink(tmp_path)
    store = FakeStore(faults=[Fault(stop_after=200)])
    derivative = store.add("d1", BODY)
    await Downloader(store, zombie, clock=store.clock, settings=SETTINGS).download([derivative])
    async with zombie.claim(NAME, ASSET) as mine:
        assert not isinstance(mine, Busy | Present)
        assert mine.mark is not None
        async with mine.stream() as old:
            held = b"".join([block async for block in old.read()])
            [record] = list(tmp_path.rglob("*.owner.part"))
            note = json.loads(record.read_bytes())
            record.write_text(json.dumps(note | {"machine": "another boot"}))
            silence(record, 1000)
            async with heir.claim(NAME, ASSET) as theirs:
                assert not isinstance(theirs, Busy | Present)
                assert theirs.mark == mine.mark or theirs.mark is not None
                async with theirs.stream() as new:
                    assert b"".join([block async for block in new.read()]) == held
                    await old.write(b"rubbish" * 100_000)
                    await new.write(BODY[len(held) :])
                    with pytest.raises(OSError, match=r"\.part"):
                        await old.commit()
                    await new.commit()
            assert (tmp_path / NAME).read_bytes() == BODY
    assert (tmp_path / NAME).read_bytes() == BODY
    assert not [name for name in parts(tmp_path) if "owner" in name]


def test_who_was_thought_dead_does_not_give_its_heir_s_name_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zombie, heir, third = Claim(), Claim(), Claim()
    with Folder(str(tmp_path), NAME, make=True) as folder:
        assert zombie.take(folder) is None
        with monkeypatch.context() as patched:
            patched.setattr(claims, "lives", lambda *_: False)
            assert heir.take(folder) is None
        zombie.drop(folder)
        assert third.take(folder) is not None
        heir.drop(folder)
        assert third.take(folder) is None
        third.drop(folder)
    assert parts(tmp_path) == set()


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
    assert parts(tmp_path) == {"mine.part"}


def test_of_many_threads_that_reach_for_a_name_one_gets_it(tmp_path: Path) -> None:
    for dead in (False, True):
        root = tmp_path / str(dead)
        if dead:
            silence(plant(root), 1000)
        barrier, got = Barrier(8), list[Claim]()

        def reach(root: Path = root, barrier: Barrier = barrier, got: list[Claim] = got) -> None:
            claim = Claim()
            with Folder(str(root), NAME, make=True) as folder:
                barrier.wait()
                if claim.take(folder) is None:
                    got.append(claim)

        threads = [Thread(target=reach) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(got) == 1
        with Folder(str(root), NAME) as folder:
            got[0].drop(folder)
        assert parts(root) == set()


def killed_over_the_file(root: Path, times: int) -> None:
    """So many processes took the file one after the other, and each died over it."""
    for _ in range(times):
        with Folder(str(root), NAME, make=True) as folder:
            assert Claim().take(folder) is None


def test_however_often_processes_die_over_a_file_the_next_one_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by two hundred kills on a machine too busy to let any of them get far."""
    monkeypatch.setattr(claims, "lives", lambda *_: False)
    killed_over_the_file(tmp_path, 100)
    claim = Claim()
    with Folder(str(tmp_path), NAME) as folder:
        assert claim.take(folder) is None
        assert claim.surely_alone
        claim.drop(folder)
    assert parts(tmp_path) == set()


def test_more_dead_owners_than_can_be_looked_at_are_told_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "lives", lambda *_: False)
    monkeypatch.setattr(claims, "_LONGEST_CHAIN", 5)
    killed_over_the_file(tmp_path, 5)
    with (
        Folder(str(tmp_path), NAME) as folder,
        pytest.raises(FileExistsError, match="remove what ends in"),
    ):
        Claim().take(folder)


class Processes(RuleBasedStateMachine):
    """Claims of processes that die, are thought dead, and come back: never two owners who live.

    Each process is a `Claim` whose life we decide; every order of their steps is tried.
    """

    running = Bundle("running")

    def __init__(self) -> None:
        super().__init__()
        from tempfile import mkdtemp  # noqa: PLC0415 - a folder for each run of the machine

        self.root = mkdtemp()
        self.alive: dict[str, bool] = {}
        self.holders: list[Claim] = []
        self.patched = pytest.MonkeyPatch()
        self.patched.setattr(claims, "lives", lambda owner, _: self.alive.get(owner.token))

    def teardown(self) -> None:
        self.patched.undo()

    @rule(target=running)
    def starts(self) -> Claim:
        return Claim()

    @rule(claim=running)
    def reaches(self, claim: Claim) -> None:
        if claim.mine is not None or claim in self.holders:
            return
        with Folder(self.root, NAME, make=True) as folder:
            if claim.take(folder) is None:
                assert claim.mine is not None
                self.alive[claim.mine.token] = True
                self.holders.append(claim)

    @rule(claim=consumes(running))
    def is_killed(self, claim: Claim) -> None:
        if claim in self.holders:
            assert claim.mine is not None
            self.alive[claim.mine.token] = False
            self.holders.remove(claim)

    @rule(claim=running)
    def gives_back(self, claim: Claim) -> None:
        if claim in self.holders:
            self.holders.remove(claim)
            with Folder(self.root, NAME) as folder:
                claim.drop(folder)

    @invariant()
    def at_most_one_has_it(self) -> None:
        assert len(self.holders) <= 1

    @invariant()
    def what_is_free_can_be_had(self) -> None:
        if not self.holders:
            claim = Claim()
            with Folder(self.root, NAME, make=True) as folder:
                assert claim.take(folder) is None
                claim.drop(folder)
                assert not [name for name in folder.names() if name == f"{folder.file}.owner.part"]


Processes.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
TestProcesses = Processes.TestCase
