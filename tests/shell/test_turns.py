"""The loop waits for the disk's thread: never for long, only where it gains, and losing nothing?"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Generator, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from queue import Empty, SimpleQueue

import anyio
import pytest
from anyio.lowlevel import checkpoint
from attrs import define, field

from iceye_derivatives.sinks import DirectorySink, _steps, _worker
from iceye_derivatives.sinks._disk import BRIEF, Disk

pytestmark = pytest.mark.anyio


@define
class Waits:
    """Each time that the loop waited: for how long at most, and what the thread said."""

    bounds: list[float] = field(factory=list)
    heard: list[float | None] = field(factory=list)
    longest: float = 10.0
    """Seconds for which this double waits: a machine may be busy."""

    def listen(self, bell: SimpleQueue[float], bound: float) -> float:
        self.bounds.append(bound)
        try:
            idle = bell.get(timeout=self.longest)
        except Empty:
            self.heard.append(None)
            raise
        self.heard.append(idle)
        return idle


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    waits = Waits()
    monkeypatch.setattr(_worker, "_listen", waits.listen)
    # No time passes in the thread: what a machine does beside it is not tested.
    monkeypatch.setattr(_worker, "perf_counter", lambda: 0.0)
    monkeypatch.setattr(_worker, "thread_time", lambda: 0.0)
    return waits


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[Callable[..., object]]:
    """What another thread had called in the loop."""
    calls: list[Callable[..., object]] = []
    real = asyncio.BaseEventLoop.call_soon_threadsafe

    def call(loop: asyncio.BaseEventLoop, callback: Callable[..., object], *args: object) -> object:
        calls.append(callback)
        return real(loop, callback, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(asyncio.BaseEventLoop, "call_soon_threadsafe", call)
    return calls


async def together(disk: Disk, *works: Callable[[], object]) -> None:
    async with anyio.create_task_group() as tasks:
        for work in works:
            tasks.start_soon(disk.do, work)


async def test_what_a_quick_disk_has_done_is_answered_without_waking_the_loop(
    waits: Waits, woken: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through all of its steps, in one turn."""
    synced: list[int] = []

    def sync_all(handles: Sequence[int]) -> list[None]:
        synced.extend(handles)
        return [None] * len(handles)

    def job(number: int) -> Generator[int, None, None]:
        yield number
        yield number

    monkeypatch.setattr(_steps, "sync_all", sync_all)
    disk = Disk()
    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(disk.go_through, job(number))
    assert synced == [*range(20)] * 2
    assert waits.bounds == [_worker.BOUND]
    assert woken == []


async def test_a_disk_that_hangs_does_not_stop_the_loop_and_answers_later() -> None:
    """Here with the real bound: the loop comes back while the job cannot have ended."""
    go_on, ended = threading.Event(), list[str]()
    disk = Disk()

    async def hang() -> None:
        await disk.do(lambda: go_on.wait(10))
        ended.append("it")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hang)
        for _ in range(20):
            await checkpoint()
        assert ended == []
        go_on.set()
    assert ended == ["it"]


async def test_the_longest_wait_is_two_milliseconds_and_one_in_many_where_the_disk_hangs(
    waits: Waits,
) -> None:
    waits.longest = 0.0
    disk = Disk()
    for _ in range(60):
        go_on = threading.Event()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(disk.do, lambda go_on=go_on: go_on.wait(10))
            await checkpoint()
            await checkpoint()
            go_on.set()
        await anyio.to_thread.run_sync(_rested, disk)
    assert max(waits.bounds) <= 0.002
    assert 1 < len(waits.bounds) < 8


def _rested(disk: Disk) -> None:
    """Return when its thread waits for more."""
    [worker] = disk._workers.values()
    with worker._changed:
        while not worker._rests:
            worker._changed.wait(0.001)


async def test_a_thread_that_mostly_waits_itself_is_soon_left_alone(
    waits: Waits, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter(range(100_000))
    monkeypatch.setattr(_worker, "perf_counter", lambda: next(seconds) * 1e-6)
    disk = Disk()
    for _ in range(40):
        await together(disk, list, list)
    assert waits.heard[0] == 1.0
    assert len(waits.heard) < 10


async def test_a_turn_ends_between_two_jobs_and_the_loop_goes_on_before_the_next(
    waits: Waits, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter(range(100_000))
    monkeypatch.setattr(_worker, "perf_counter", lambda: next(looks) * 0.0004)
    monkeypatch.setattr(_worker.AdaptiveWait, "pays", lambda _: True)
    order: list[str] = []

    async def tick() -> None:
        while len(order) < 40:
            order.append("tick")
            await checkpoint()

    async def hand_in() -> None:
        await disk.do(lambda: order.append("job"))
        order.append("answer")

    disk = Disk()
    async with anyio.create_task_group() as tasks:
        for _ in range(12):
            tasks.start_soon(hand_in)
        tasks.start_soon(tick)
    assert order.count("job") == order.count("answer") == 12
    assert order.index("answer") < len(order) - order[::-1].index("job")
    assert "job job job job" not in " ".join(order)
    assert len(waits.bounds) >= 4


async def test_what_takes_longer_is_done_beside_the_loop_and_so_is_all_that_is_with_it(
    waits: Waits, tmp_path: Path
) -> None:
    sink, go_on = DirectorySink(tmp_path), threading.Event()

    def check(_: bytes) -> str:
        assert go_on.wait(10)
        return "checked"

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sink.put, "large", b"x" * (BRIEF + 1), check)
        await checkpoint()
        await checkpoint()
        tasks.start_soon(sink.put, "small", b"x", lambda _: "checked")
        await checkpoint()
        await checkpoint()
        go_on.set()
    assert waits.bounds == []
    await anyio.to_thread.run_sync(_rested, sink._disk)
    await sink.put("small", b"x" * BRIEF, lambda _: "checked")
    assert waits.bounds != []


async def test_what_was_withdrawn_is_nothing_to_go_on_beside(waits: Waits) -> None:
    waits.longest = 0.0
    disk, go_on, done = Disk(), threading.Event(), list[int]()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(disk.do, lambda: go_on.wait(10))
        await checkpoint()
        await checkpoint()
        async with anyio.create_task_group() as given_up:
            steps = _steps.whole(lambda: done.append(1))
            given_up.start_soon(lambda: disk.go_through(steps, size=BRIEF + 1))
            await checkpoint()
            await checkpoint()
            given_up.cancel_scope.cancel()
        go_on.set()
    await anyio.to_thread.run_sync(_rested, disk)
    await disk.do(list)
    assert done == []
    assert len(waits.bounds) == 2


@pytest.mark.parametrize("surely", [True, False])
async def test_who_is_cancelled_while_the_loop_waits_hears_of_it_when_the_job_has_ended(
    waits: Waits, *, surely: bool
) -> None:
    loop, seen = asyncio.get_running_loop(), list[str]()

    def work() -> None:
        loop.call_soon_threadsafe(task.cancel)
        seen.append("ended")

    async def wait() -> None:
        try:
            await Disk().do(work, surely=surely)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    task = asyncio.ensure_future(wait())  # noqa: TID251 - awaited below
    await asyncio.wait([task])
    assert task.cancelled()
    assert seen == ["ended", "cancelled"]
    assert len(waits.bounds) == 1


async def test_a_thread_that_is_late_when_its_turn_ends_does_not_wait_for_the_next(
    waits: Waits, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Just then the loop has lost its patience, and would not come."""
    at_its_end, given_up, done = threading.Event(), threading.Event(), list[int]()

    def clock() -> float:
        if len(done) == 1 and not given_up.is_set():
            at_its_end.set()
            assert given_up.wait(10)
            return 10.0
        return 0.0

    def listen(bell: SimpleQueue[float], bound: float) -> float:
        assert at_its_end.wait(10)
        raise Empty

    monkeypatch.setattr(_worker, "_REST", 60.0)
    monkeypatch.setattr(_worker, "perf_counter", clock)
    monkeypatch.setattr(_worker, "_listen", listen)
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(together, Disk(), *[partial(done.append, number) for number in (1, 2)])
            await anyio.to_thread.run_sync(at_its_end.wait)
            await checkpoint()
            given_up.set()
    assert done == [1, 2]


def test_an_interrupt_while_the_loop_waits_loses_no_answer(
    waits: Waits, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python raises Ctrl-C wherever its main thread is; the next loop finds all as it should be."""

    def interrupt(bell: SimpleQueue[float], bound: float) -> float:
        waits.listen(bell, bound)
        raise KeyboardInterrupt

    loop, disk, ended = asyncio.new_event_loop(), Disk(), list[str]()

    async def both() -> None:
        await together(disk, lambda: ended.append("a"), lambda: ended.append("b"))

    task = loop.create_task(both())
    with monkeypatch.context() as patched:
        patched.setattr(_worker, "_listen", interrupt)
        with pytest.raises(KeyboardInterrupt):
            loop.run_until_complete(task)
    ends = asyncio.wait([task], timeout=10)
    assert loop.run_until_complete(ends) == ({task}, set())
    loop.close()
    assert sorted(ended) == ["a", "b"]


def test_a_thread_whose_loop_has_ended_does_all_that_is_left(
    waits: Waits, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It rests for a moment only, when its turn is over."""
    monkeypatch.setattr(_worker, "TURN", -1.0)
    monkeypatch.setattr(_worker, "_REST", 0.0)
    done, rests, last = list[int](), list[bool](), threading.Event()
    disk, loop = Disk(), asyncio.new_event_loop()

    def note(number: int) -> None:
        [worker] = disk._workers.values()
        rests.append(worker._rests)
        done.append(number)
        if len(done) == 5:
            last.set()

    async def begin() -> None:
        for number in range(5):
            disk.begin(_steps.whole(lambda number=number: note(number)), beside=False)

    loop.run_until_complete(begin())
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    assert last.wait(10)
    assert done == [*range(5)]
    assert not any(rests)  # or a loop would wait for what it has in hand


@pytest.mark.parametrize("sinks", [1, 5])
async def test_the_loop_waits_once_a_round_however_many_tasks_have_jobs(
    waits: Waits, monkeypatch: pytest.MonkeyPatch, sinks: int
) -> None:
    """Each of whose jobs ends a turn; waits of one round would add up to more than the bound."""
    now, round_, waited = count(), 0, Counter[int]()
    monkeypatch.setattr(_worker, "perf_counter", lambda: next(now) * 2 * _worker.TURN)
    monkeypatch.setattr(_worker, "thread_time", lambda: float(next(now)))  # it is never idle

    def listen(bell: SimpleQueue[float], bound: float) -> float:
        waited[round_] += 1
        return waits.listen(bell, bound)

    def beat() -> None:
        nonlocal round_
        round_ += 1
        beating[0] = loop.call_soon(beat)

    monkeypatch.setattr(_worker, "_listen", listen)
    disks, loop = [Disk() for _ in range(sinks)], asyncio.get_running_loop()
    beating = [loop.call_soon(beat)]

    async def several(disk: Disk) -> None:
        for _ in range(10):
            await disk.do(lambda: None)

    async with anyio.create_task_group() as tasks:
        for number in range(16):
            tasks.start_soon(several, disks[number % sinks])
    beating[0].cancel()
    assert len(waited) > 20
    assert set(waited.values()) == {1}


def test_what_one_loop_has_learned_of_a_disk_is_not_forgotten_with_the_next(waits: Waits) -> None:
    disk, loops = Disk(), [asyncio.new_event_loop() for _ in range(2)]
    for loop in [*loops, *loops]:
        loop.run_until_complete(disk.do(lambda: None))
    assert set(disk._workers) == set(loops)
    workers = dict(disk._workers)
    for loop in [*loops, *loops]:
        loop.run_until_complete(disk.do(lambda: None))
    assert all(disk._workers[loop] is workers[loop] for loop in loops)
    for loop in loops:
        loop.close()
    asyncio.run(disk.do(lambda: None))
    assert not set(disk._workers) & set(loops)


def test_a_coroutine_that_is_closed_where_no_loop_runs_says_nothing() -> None:
    """As the interpreter does it with what is left when it ends."""
    disk, left = Disk(), list[Coroutine[object, object, None]]()

    async def leave() -> None:
        left.append(disk.do(lambda: None))
        left[0].send(None)

    asyncio.run(leave())
    left[0].close()
