"""Do jobs for the disk that gather in one line end as if each had been alone, in any order?"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import os
import threading
from collections.abc import Generator, Sequence
from functools import partial
from pathlib import Path
from queue import SimpleQueue

import anyio
import pytest
from anyio.lowlevel import checkpoint
from attrs import define, field, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from iceye_derivatives.sinks import _line, _steps, _sync
from iceye_derivatives.sinks._disk import BRIEF, Disk, Steps, at_once
from iceye_derivatives.sinks._steps import whole

pytestmark = pytest.mark.anyio


class Broken(Exception):  # noqa: N818 - what a job of these tests raises
    """A step failed by itself."""


@frozen
class Plan:
    """One job of a test: its steps, what goes wrong with it, and when somebody loses patience."""

    steps: int
    fails_at: int | None
    unsynced_at: int | None
    cancelled_after: int | None
    """Turns of the loop."""
    by_scope: bool
    surely: bool
    long: bool
    later: int
    """Turns of the loop before it is handed in."""


few = st.integers(0, 4)
plans = st.builds(
    Plan,
    steps=few,
    fails_at=st.none() | few,
    unsynced_at=st.none() | few,
    cancelled_after=st.none() | few,
    by_scope=st.booleans(),
    surely=st.booleans(),
    long=st.booleans(),
    later=few,
)


@define
class Trial:
    """What the jobs did, as the thread and the loop saw it."""

    plans: list[Plan]
    begun: set[int] = field(factory=set)
    ended: set[int] = field(factory=set)
    synced: set[tuple[int, int]] = field(factory=set)
    answers: dict[int, list[object]] = field(factory=dict)
    threads: set[int] = field(factory=set)

    def job(self, number: int) -> Steps[int]:
        """One handle a step; each must have been synced before the next."""
        plan = self.plans[number]
        self.begun.add(number)
        self.threads.add(threading.get_ident())
        try:
            for step in range(plan.steps):
                if plan.fails_at == step:
                    raise Broken
                yield self.handle(number, step)
                assert (number, step) in self.synced
            return number
        finally:
            self.ended.add(number)

    def handle(self, number: int, step: int) -> int:
        return number * 100 + step

    def sync_all(self, handles: Sequence[int]) -> list[BaseException | None]:
        failures: list[BaseException | None] = []
        for handle in handles:
            number, step = divmod(handle, 100)
            if self.plans[number].unsynced_at == step:
                failures.append(OSError(errno.EIO, "bad sector"))
            else:
                self.synced.add((number, step))
                failures.append(None)
        return failures

    async def hand_in(self, disk: Disk, number: int) -> None:
        """Note how it was answered; whoever is told so, the job must not run any more."""
        plan = self.plans[number]
        for _ in range(plan.later):
            await asyncio.sleep(0)
        try:
            answer: object = await disk.go_through(
                self.job(number), surely=plan.surely, size=BRIEF + plan.long
            )
        except (Broken, OSError) as error:
            answer = type(error)
        except asyncio.CancelledError:
            self.note(number, asyncio.CancelledError)
            raise
        self.note(number, answer)

    def note(self, number: int, answer: object) -> None:
        assert (number in self.begun) == (number in self.ended)
        self.answers.setdefault(number, []).append(answer)

    async def impatiently(self, disk: Disk, number: int) -> None:
        """Hand it in, and cancel that in the plan's own way."""
        plan, scope = self.plans[number], anyio.CancelScope()

        async def scoped() -> None:
            with scope:
                await self.hand_in(disk, number)

        task = asyncio.ensure_future(scoped())  # noqa: TID251 - awaited below
        if plan.cancelled_after is not None:
            for _ in range(plan.later + plan.cancelled_after):
                await asyncio.sleep(0)
            if plan.by_scope:
                scope.cancel()
            else:
                task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()

    def expected(self, plan: Plan, number: int) -> object:
        """How it would end alone."""
        for step in range(plan.steps):
            if plan.fails_at == step:
                return Broken
            if plan.unsynced_at == step:
                return OSError
        return number


@settings(max_examples=200)
@given(st.lists(plans, min_size=1, max_size=12), st.sampled_from([0.0, 0.001]), st.booleans())
def test_each_job_is_answered_once_as_if_it_were_alone_and_none_runs_on_unseen(
    jobs: list[Plan], turn: float, late: bool
) -> None:
    """Also where each turn of the thread ends behind one job, or the loop's patience before it."""
    trial = Trial(jobs)

    def late_or_not(bell: SimpleQueue[float], bound: float) -> float:
        return bell.get(timeout=1e-6 if late else bound)

    async def main() -> None:
        disk = Disk()
        with anyio.fail_after(20):
            async with anyio.create_task_group() as tasks:
                for number in range(len(jobs)):
                    tasks.start_soon(trial.impatiently, disk, number)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_steps, "sync_all", trial.sync_all)
        patched.setattr(_line, "TURN", turn)
        patched.setattr(_line, "_REST", 30.0)  # nobody needs that way out here
        patched.setattr(_line, "_listen", late_or_not)
        anyio.run(main)

    assert trial.begun == trial.ended
    for number, plan in enumerate(jobs):
        answers = trial.answers.get(number, [])
        if plan.cancelled_after is None:
            assert answers[-1:] == [trial.expected(plan, number)]
        elif answers and answers[-1] is not asyncio.CancelledError:
            assert answers[-1] == trial.expected(plan, number)
        if plan.surely and answers:
            assert number in trial.begun
    assert threading.get_ident() not in trial.threads


async def test_what_gathers_while_the_disk_is_busy_is_synced_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    busy, go_on, rounds = threading.Event(), threading.Event(), list[int]()

    def sync_all(handles: Sequence[int]) -> list[None]:
        rounds.append(len(handles))
        return [None] * len(handles)

    def wait() -> None:
        busy.set()
        assert go_on.wait(10)

    def job() -> Generator[int, None, None]:
        yield 1

    monkeypatch.setattr(_steps, "sync_all", sync_all)
    disk = Disk()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(disk.do, wait)
        await anyio.to_thread.run_sync(busy.wait)
        for _ in range(50):
            tasks.start_soon(disk.go_through, job())
        await checkpoint()
        await checkpoint()
        go_on.set()
    assert rounds == [50]


@pytest.mark.parametrize(
    ("sync", "rounds"),
    [(0.0, [3, 2, 2, 2, 2, 2, 1]), (1.0, [3, 2, 2, 2, 2, 2, 1]), (9.0, [3, 4, 7])],
)
async def test_of_long_bodies_a_portion_is_stored_at_a_time_and_small_ones_pass_them(
    sync: float, rounds: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each ends before the next one but one begins: others are read meanwhile."""
    busy, go_on, clock = threading.Event(), threading.Event(), [0.0]
    done, begun = list[str](), [0]

    def sync_all(handles: Sequence[int]) -> list[None]:
        begun.append(0)
        clock[0] += sync
        return [None] * len(handles)

    def wait() -> None:
        busy.set()
        assert go_on.wait(10)

    def job(name: str) -> Generator[int, None, None]:
        done.append(f"begins {name}")
        begun[-1] += 1
        clock[0] += 1
        yield 1
        yield 1
        done.append(f"ends {name}")

    monkeypatch.setattr(_line, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(_steps, "sync_all", sync_all)
    disk = Disk()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(disk.do, wait)
        await anyio.to_thread.run_sync(busy.wait)
        tasks.start_soon(disk.go_through, job("small"))
        for number in range(13):
            tasks.start_soon(lambda name: disk.go_through(job(name), size=BRIEF + 1), str(number))
        await checkpoint()
        await checkpoint()
        go_on.set()
    assert begun[: len(rounds)] == rounds
    assert [word for word in done if word.startswith("begins")] == [
        f"begins {name}" for name in ("small", *range(13))
    ]
    passed = rounds[0] - 1
    for portion in rounds[1:-1]:
        for number in range(passed):
            assert done.index(f"ends {number}") < done.index(f"begins {passed + portion}")
        passed += portion


async def test_what_nobody_waits_for_any_more_is_not_begun_unless_it_must_be() -> None:
    busy, go_on, done = threading.Event(), threading.Event(), list[str]()

    def wait() -> None:
        busy.set()
        assert go_on.wait(10)

    disk = Disk()
    async with anyio.create_task_group() as outer:
        outer.start_soon(disk.do, wait)
        await anyio.to_thread.run_sync(busy.wait)

        async def both() -> None:
            try:
                await disk.do(lambda: done.append("left out"))
            finally:
                await disk.do(lambda: done.append("tidied"), surely=True)

        async with anyio.create_task_group() as inner:
            inner.start_soon(both)
            await checkpoint()
            await checkpoint()
            inner.cancel_scope.cancel()
            asyncio.get_running_loop().call_later(0.01, go_on.set)
    assert done == ["tidied"]


async def test_a_small_file_passes_long_bodies_that_wait_for_their_portion() -> None:
    busy, go_on, begun = threading.Event(), threading.Event(), list[str]()
    disk = Disk()

    def wait() -> None:
        busy.set()
        assert go_on.wait(10)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(disk.do, wait)
        await anyio.to_thread.run_sync(busy.wait)
        for name, size in (("1", BRIEF + 1), ("2", BRIEF + 1), ("3", BRIEF + 1), ("small", BRIEF)):
            job = whole(partial(begun.append, name))
            tasks.start_soon(lambda job, size: disk.go_through(job, size=size), job, size)
        await checkpoint()
        await checkpoint()
        go_on.set()
    assert begun == ["1", "2", "small", "3"]


async def test_a_long_body_that_waits_for_its_portion_was_not_begun() -> None:
    busy, go_on, done = threading.Event(), threading.Event(), list[str]()
    disk = Disk()

    def job(name: str) -> Steps[None]:
        done.append(name)
        busy.set()
        assert go_on.wait(10)
        yield from ()

    async with anyio.create_task_group() as tasks:
        for name in ("first", "second", "left out", "left out as well"):
            tasks.start_soon(lambda name: disk.go_through(job(name), size=BRIEF + 1), name)
        await anyio.to_thread.run_sync(busy.wait)
        tasks.cancel_scope.cancel()
        asyncio.get_running_loop().call_later(0.01, go_on.set)
    assert done == ["first", "second"]
    await disk.do(lambda: done.append("later"))
    assert done == ["first", "second", "later"]


async def test_a_sync_that_fails_as_a_whole_fails_its_jobs_and_not_the_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def sync_all(handles: Sequence[int]) -> list[BaseException | None]:
        raise MemoryError

    def job() -> Steps[str]:
        yield 1
        return "whole"

    disk = Disk()
    with anyio.fail_after(10), monkeypatch.context() as patched:
        patched.setattr(_steps, "sync_all", sync_all)
        with pytest.raises(OSError, match="MemoryError"):
            await disk.go_through(job())
    with anyio.fail_after(10):
        assert await disk.do(lambda: "next") == "next"


async def test_where_no_thread_can_be_had_jobs_are_told_so_and_later_ones_try_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    disk = Disk()
    with anyio.fail_after(10), monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        with pytest.raises(OSError, match="can't start new thread"):
            await disk.do(lambda: "never")
    with anyio.fail_after(10):
        assert await disk.do(lambda: "later") == "later"


def test_one_disk_serves_one_loop_after_the_other() -> None:
    disk = Disk()
    assert [asyncio.run(disk.do(partial(str, number))) for number in (1, 2)] == ["1", "2"]


# -- syncing ---------------------------------------------------------------------------------------


class Calls:
    """What the system was asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.each: list[int] = []
        self.together: list[int] = []
        self.bad: set[int] = set()
        self.answer = 0
        monkeypatch.setattr(os, "fsync", self._fsync)
        monkeypatch.setattr(_sync, "syncfs", self._syncfs)

    def _fsync(self, handle: int) -> None:
        self.each.append(handle)
        if handle in self.bad:
            raise OSError(errno.EIO, "bad sector")

    def _syncfs(self, handle: int) -> int:
        self.together.append(handle)
        return self.answer


@pytest.fixture
def handles(tmp_path: Path) -> Generator[list[int], None, None]:
    opened = [os.open(tmp_path / str(n), os.O_RDWR | os.O_CREAT) for n in range(5)]
    yield opened
    for handle in opened:
        os.close(handle)


@pytest.mark.parametrize(("known", "answer"), [(True, 0), (True, -1), (False, 0)])
def test_many_are_synced_by_one_call_where_that_is_as_good_and_else_each_by_itself(
    handles: list[int], monkeypatch: pytest.MonkeyPatch, *, known: bool, answer: int
) -> None:
    calls = Calls(monkeypatch)
    calls.answer = answer
    calls.bad = {handles[2]}
    monkeypatch.setattr(_sync, "is_known", lambda handle: known)

    failures = _sync.sync_all(handles)

    if known and answer == 0:
        assert (len(calls.together), calls.each) == (1, [])
        assert failures == [None] * 5
    else:
        assert sorted(calls.each) == sorted(handles)
        assert [failure is None for failure in failures] == [True, True, False, True, True]


def test_a_few_are_synced_each_by_itself_and_a_folder_of_many_files_once(
    handles: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Syncing all would also write what other programs have under way."""
    calls = Calls(monkeypatch)
    assert _sync.sync_all([handles[0]] * 20 + [handles[1]]) == [None] * 21
    assert calls.together == []
    assert calls.each == handles[:2]


def test_a_handle_that_is_not_known_any_more_fails_alone(
    handles: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a server that has forgotten the file: ESTALE."""
    calls, fstat = Calls(monkeypatch), os.fstat

    def stale(handle: int) -> os.stat_result:
        if handle == handles[1]:
            raise OSError(errno.ESTALE, "stale file handle")
        return fstat(handle)

    monkeypatch.setattr(os, "fstat", stale)
    failures = _sync.sync_all(handles[:3])
    assert [failure is None for failure in failures] == [True, False, True]
    assert calls.each == [handles[0], handles[2]]


@pytest.mark.parametrize("threads", [0, 2])
def test_each_is_synced_once_though_the_system_gives_too_few_threads(
    handles: list[int], monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    calls, start, begun = Calls(monkeypatch), threading.Thread.start, list[str]()

    def scarce(thread: threading.Thread) -> None:
        if len(begun) == threads:
            raise RuntimeError("can't start new thread")
        begun.append(thread.name)
        start(thread)

    calls.bad = {handles[0]}
    monkeypatch.setattr(_sync, "is_known", lambda handle: False)
    monkeypatch.setattr(threading.Thread, "start", scarce)
    failures = _sync.sync_all(handles)
    assert [failure is None for failure in failures] == [False, True, True, True, True]
    assert sorted(calls.each) == sorted(handles)


def test_a_device_number_that_is_used_again_is_no_knowledge_of_the_file_system(
    handles: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anonymous numbers come back at once: what was a tmpfs may be a FUSE after a remount."""
    kinds = [0x01021994, 0x65735546]

    def fstatfs(handle: int, found: ctypes.Array[ctypes.c_char]) -> int:
        ctypes.c_ulong.from_buffer(found).value = kinds.pop(0)
        return 0

    monkeypatch.setattr(_sync, "_library", lambda name: fstatfs)

    assert [_sync.is_known(handles[0]), _sync.is_known(handles[0])] == [True, False]


@pytest.mark.skipif(not Path("/proc/mounts").exists(), reason="needs Linux")
def test_the_file_system_is_known_by_what_the_system_says(tmp_path: Path) -> None:
    """This machine's own: whichever it is, it is judged as its mount table names it."""
    mounts = [line.split()[:3] for line in Path("/proc/mounts").read_text().splitlines()]
    root = str(tmp_path.resolve())
    below = [(len(at), kind) for _, at, kind in mounts if root.startswith(at)]
    kind = max(below)[1]
    handle = os.open(tmp_path, os.O_RDONLY)
    try:
        known = _sync.is_known(handle)
        assert known == (kind in {"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "tmpfs"})
        assert _sync.sync_all([handle] * 3) == [None] * 3
    finally:
        os.close(handle)


def test_steps_can_be_taken_at_once_each_synced_by_itself(
    handles: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Calls(monkeypatch)
    calls.bad = {handles[1]}

    def job() -> Steps[str]:
        yield handles[0]
        try:
            yield handles[1]
        except OSError as error:
            return f"{error.strerror}"
        return "whole"

    assert at_once(job()) == "bad sector"
    assert calls.each == handles[:2]
