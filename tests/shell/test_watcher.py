"""Does the watcher ask, wait and hand out as the watch decides: in virtual time, on two loops?"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import anyio
import anyio.lowlevel
import pytest
import trio.testing
from strategies import EPOCH, TASK_ID, derivative, snapshot, task

from iceye_derivatives import (
    Derivative,
    DerivativeReady,
    PollFailed,
    Scene,
    ServerError,
    Snapshot,
    SnapshotReceived,
    Task,
    TaskEndedError,
    TaskNotFoundError,
    TaskStatus,
    TaskStatusReceived,
    Waiting,
    Watch,
    WatchEvent,
    WatchFinished,
    WatchTimeoutError,
)
from iceye_derivatives._core.decisions import Patience
from iceye_derivatives._core.nudges import Nudges
from iceye_derivatives.watcher import watch_derivatives

pytestmark = pytest.mark.anyio

READY_200 = snapshot(derivative("a", "geojson"), derivative("b", "geojson"), status=200)
PARTIAL_206 = snapshot(derivative("a", "geojson"), derivative("b"))
NONE_404 = snapshot(status=404)


class FakeClock:
    """Sleeping takes no time but moves it."""

    def __init__(self) -> None:
        self.now = EPOCH.timestamp()
        self.sleeps: list[float] = []

    def time(self) -> float:
        return self.now

    async def sleep(self, seconds: float, /) -> None:
        self.sleeps.append(seconds)
        await anyio.lowlevel.checkpoint()
        self.now += seconds


class SetBackClock(FakeClock):
    """Its machine is told, while it sleeps for the third time, that it is three days earlier."""

    async def sleep(self, seconds: float, /) -> None:
        await super().sleep(seconds)
        if len(self.sleeps) == 3:
            self.now -= 3 * 86400.0


class TrioClock:
    """Trio's own virtual clock: a day of sleeping passes in milliseconds, in exact order."""

    def time(self) -> float:
        return EPOCH.timestamp() + trio.current_time()

    async def sleep(self, seconds: float, /) -> None:
        await anyio.sleep(seconds)


class Scripted:
    """A source that answers from a list; the last answer is repeated."""

    def __init__(
        self, *looks: Snapshot | Exception, tasks: tuple[Task | Exception, ...] = ()
    ) -> None:
        self.looks = list(looks)
        self.tasks = list(tasks) or [task(TaskStatus.FULFILLED)]
        self.asked: list[str] = []

    async def look_at_derivatives(self, task_id: str) -> Snapshot:
        self.asked.append("derivatives")
        await anyio.lowlevel.checkpoint()
        answer = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def look_at_scene(self, task_id: str) -> Scene:
        raise TaskNotFoundError("no scene", status=404)

    async def look_at_task(self, task_id: str) -> Task:
        self.asked.append("task")
        await anyio.lowlevel.checkpoint()
        answer = self.tasks.pop(0) if len(self.tasks) > 1 else self.tasks[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def watching(
    source: Scripted,
    *,
    watch: Watch | None = None,
    clock: FakeClock | TrioClock | None = None,
    on_event: Callable[[WatchEvent], None] = lambda event: None,
    timeout: float | None = None,
    nudges: Nudges | None = None,
) -> AsyncGenerator[Derivative, None]:
    return watch_derivatives(
        source,
        Watch(TASK_ID) if watch is None else watch,
        patience=Patience(timeout=timeout),
        clock=FakeClock() if clock is None else clock,
        jitter=lambda: 0.5,
        on_event=on_event,
        nudges=nudges,
    )


async def test_from_404_over_206_to_200_each_derivative_comes_once() -> None:
    source = Scripted(NONE_404, NONE_404, PARTIAL_206, PARTIAL_206, READY_200)

    got = [one.id async for one in watching(source)]

    assert got == ["a", "b"]
    assert source.asked == ["derivatives", "task", *["derivatives"] * 4]


async def test_events_tell_the_whole_story() -> None:
    """Complaint 15 (CS-SI/eodag #1067).

    Hopeless errors are retried for the full wait; a good wait looks frozen.
    """
    events: list[WatchEvent] = []
    source = Scripted(ServerError("down", status=503), NONE_404, READY_200)

    async for _ in watching(source, on_event=events.append):
        pass

    assert [type(event) for event in events] == [
        PollFailed,
        Waiting,
        SnapshotReceived,
        TaskStatusReceived,
        SnapshotReceived,
        DerivativeReady,
        DerivativeReady,
        WatchFinished,
    ]
    for event in events:
        if isinstance(event, Waiting):
            assert event.until >= event.seconds > 0
            assert event.reason


async def test_what_was_ready_comes_before_the_error() -> None:
    source = Scripted(PARTIAL_206, NONE_404, tasks=(task(TaskStatus.CANCELED),))
    got: list[str] = []

    with pytest.raises(TaskEndedError):
        async for one in watching(source):
            got.append(one.id)  # noqa: PERF401  what came before the error must be kept

    assert got == ["a"]


async def test_a_task_unknown_to_both_endpoints_is_not_found_after_the_grace() -> None:
    clock = FakeClock()
    source = Scripted(NONE_404, tasks=(TaskNotFoundError("no", status=404),))

    with pytest.raises(TaskNotFoundError):
        async for _ in watching(source, clock=clock):
            pass

    assert 120 <= sum(clock.sleeps) < 240


async def test_what_could_not_be_told_is_not_taken() -> None:
    """A listener that fails (a closed pipe, a full disk) must not cost a derivative."""
    watch = Watch(TASK_ID)

    def deaf(event: WatchEvent) -> None:
        if isinstance(event, DerivativeReady):
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        async for _ in watching(Scripted(READY_200), watch=watch, on_event=deaf):
            pass

    assert watch.delivered == ()
    assert [one.id async for one in watching(Scripted(READY_200), watch=watch)] == ["a", "b"]


async def test_an_abandoned_loop_goes_on_with_the_same_watch() -> None:
    watch = Watch(TASK_ID)
    source = Scripted(READY_200)
    async with aclosing(watching(source, watch=watch)) as derivatives:
        async for one in derivatives:
            first = one.id
            break

    rest = [one.id async for one in watching(source, watch=watch)]

    assert [first, *rest] == ["a", "b"]
    assert watch.finished


class Countdown:
    """Cancels a scope at the n-th await."""

    def __init__(self, n: int, scope: anyio.CancelScope) -> None:
        self.left, self.scope = n, scope

    async def tick(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.scope.cancel()
        await anyio.lowlevel.checkpoint()


class CountedSource(Scripted):
    """A scripted source in which each question may be the one that is cancelled."""

    countdown: Countdown

    async def look_at_derivatives(self, task_id: str) -> Snapshot:
        await self.countdown.tick()
        return await super().look_at_derivatives(task_id)

    async def look_at_task(self, task_id: str) -> Task:
        await self.countdown.tick()
        return await super().look_at_task(task_id)


class CountedClock(FakeClock):
    """A clock in which each sleep may be the one that is cancelled."""

    def __init__(self, countdown: Countdown) -> None:
        super().__init__()
        self.countdown = countdown

    async def sleep(self, seconds: float, /) -> None:
        await self.countdown.tick()
        await super().sleep(seconds)


AWAITS = 7
"""Of a whole run over the script below: four looks, one question for the task, two waits."""


@pytest.mark.parametrize("cut", range(1, AWAITS + 2))
async def test_cancelled_at_any_await_it_loses_nothing_and_repeats_nothing(cut: int) -> None:
    """The trap: a generator whose ``__anext__`` was cancelled is dead, and looks like success."""
    watch = Watch(TASK_ID)
    source = CountedSource(NONE_404, PARTIAL_206, PARTIAL_206, READY_200)
    got: list[str] = []

    with anyio.CancelScope() as scope:
        source.countdown = Countdown(cut, scope)
        clock = CountedClock(source.countdown)
        async with aclosing(watching(source, watch=watch, clock=clock)) as derivatives:
            async for one in derivatives:
                got.append(one.id)  # noqa: PERF401  what came before the cut must be kept
    assert scope.cancelled_caught == (cut <= AWAITS)

    got += [one.id async for one in watching(Scripted(READY_200), watch=watch)]

    assert got == ["a", "b"]


@pytest.mark.parametrize(
    "anyio_backend", [("trio", {"clock": trio.testing.MockClock(autojump_threshold=0)})]
)
async def test_three_days_pass_under_trios_clock(anyio_backend: object) -> None:
    start = EPOCH.timestamp()

    class ThreeDays(Scripted):
        async def look_at_derivatives(self, task_id: str) -> Snapshot:
            self.asked.append("derivatives")
            return READY_200 if TrioClock().time() - start > 3 * 86_400 else NONE_404

        async def look_at_task(self, task_id: str) -> Task:
            self.asked.append("task")
            imaged = TrioClock().time() - start > 3 * 86_400 - 7200
            return task(TaskStatus.FULFILLED if imaged else TaskStatus.ACTIVE)

    source = ThreeDays(NONE_404)

    got = [one.id async for one in watching(source, clock=TrioClock())]

    assert got == ["a", "b"]
    assert TrioClock().time() - start > 3 * 86_400
    assert len(source.asked) < 400


# -- nudges ------------------------------------------------------------------------------------

TRIO = ("trio", {"clock": trio.testing.MockClock(autojump_threshold=0)})


class Patient(FakeClock):
    """A clock that does not move by itself: only a nudge ends a sleep."""

    def __init__(self) -> None:
        super().__init__()
        self.asleep = anyio.Event()

    async def sleep(self, seconds: float, /) -> None:
        self.sleeps.append(seconds)
        self.asleep.set()
        await anyio.sleep_forever()


async def test_a_clock_that_is_set_back_begins_no_wait_anew_and_stretches_no_patience() -> None:
    clock, asked = SetBackClock(), list[int]()
    source = Scripted(NONE_404, tasks=(task(TaskStatus.ACTIVE),))

    def note(event: WatchEvent) -> None:
        if isinstance(event, Waiting):
            asked.append(len(source.asked))

    with pytest.raises(WatchTimeoutError):
        async for _ in watching(source, clock=clock, timeout=30 * 3600.0, on_event=note):
            raise AssertionError("nothing is ready")

    assert len(clock.sleeps) > 3
    assert len(set(asked)) == len(asked), "two waits without a question between them"
    assert sum(clock.sleeps) == pytest.approx(30 * 3600.0)


@pytest.mark.parametrize("anyio_backend", ["asyncio", TRIO])
async def test_a_nudge_wakes_a_sleeping_watch(anyio_backend: object) -> None:
    nudges, clock = Nudges(), Patient()
    got: list[str] = []

    async def consume() -> None:
        source = Scripted(PARTIAL_206, READY_200)
        async for one in watching(source, clock=clock, nudges=nudges):
            got.append(one.id)  # noqa: PERF401  what has come is looked at meanwhile

    async with anyio.create_task_group() as group:
        group.start_soon(consume)
        await clock.asleep.wait()
        clock.now += 60
        assert got == ["a"]
        assert nudges.nudge(TASK_ID) is True

    assert got == ["a", "b"]
    assert len(clock.sleeps) == 1
    assert nudges.nudge(TASK_ID) is False


@pytest.mark.parametrize("where", ["the body of the loop", "a look", "an event"])
async def test_a_nudge_that_comes_while_it_is_awake_is_not_lost(where: str) -> None:
    nudges, clock = Nudges(), FakeClock()

    class Nudged(Scripted):
        async def look_at_derivatives(self, task_id: str) -> Snapshot:
            answer = await super().look_at_derivatives(task_id)
            if where == "a look" and len(self.asked) == 1:
                nudges.nudge(task_id)
            return answer

    def on_event(event: WatchEvent) -> None:
        if where == "an event" and isinstance(event, Waiting) and not clock.sleeps:
            nudges.nudge(TASK_ID)

    loop = watching(Nudged(PARTIAL_206, READY_200), clock=clock, nudges=nudges, on_event=on_event)
    async with aclosing(loop) as derivatives:
        async for one in derivatives:
            if one.id == "a" and where == "the body of the loop":
                nudges.nudge(TASK_ID)

    assert clock.sleeps == pytest.approx([1.0])  # and no look follows another more closely


async def test_an_abandoned_watch_is_not_known_any_more() -> None:
    nudges = Nudges()
    async with aclosing(watching(Scripted(READY_200), nudges=nudges)) as derivatives:
        async for _ in derivatives:
            break
        assert nudges.nudge(TASK_ID) is True

    assert nudges.nudge(TASK_ID) is False


async def test_a_watch_that_is_cancelled_in_its_sleep_stays_cancelled() -> None:
    """A nudge and a cancellation in one moment: the nudge must not swallow the other."""
    nudges, clock = Nudges(), Patient()

    async def consume() -> None:
        async for _ in watching(Scripted(NONE_404), clock=clock, nudges=nudges):
            pass

    async with anyio.create_task_group() as group:
        group.start_soon(consume)
        await clock.asleep.wait()
        nudges.nudge(TASK_ID)
        group.cancel_scope.cancel()

    assert len(clock.sleeps) == 1
