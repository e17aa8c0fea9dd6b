"""Does the watcher ask, wait and hand out as the watch decides: in virtual time, on two loops?"""

from __future__ import annotations

from contextlib import aclosing

import anyio
import anyio.lowlevel
import pytest
import trio.testing
from attrs import evolve
from strategies import EPOCH, TASK_ID, derivative, snapshot, task, unreadable
from watched import NONE_404, PARTIAL_206, READY_200, FakeClock, Scripted, TrioClock, watching

from iceye_derivatives import (
    DerivativeReady,
    DerivativesUnreadable,
    PollFailed,
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

pytestmark = pytest.mark.anyio


class SetBackClock(FakeClock):
    """Its machine is told, while it sleeps for the third time, that it is three days earlier."""

    async def sleep(self, seconds: float, /) -> None:
        await super().sleep(seconds)
        if len(self.sleeps) == 3:
            self.now -= 3 * 86400.0


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
    events: list[WatchEvent] = []

    with pytest.raises(TaskNotFoundError):
        async for _ in watching(source, clock=clock, on_event=events.append):
            pass

    assert 120 <= sum(clock.sleeps) < 240
    assert {type(event) for event in events} == {SnapshotReceived, Waiting}


async def test_what_cannot_be_read_is_told_once_behind_what_can() -> None:
    poor = snapshot(derivative("a", "geojson"), unreadable=(unreadable(1, "b"),))
    poorer = evolve(poor, unreadable=(*poor.unreadable, unreadable(2)))
    events: list[WatchEvent] = []
    source = Scripted(poor, poor, poorer, poor, READY_200)

    got = [one.id async for one in watching(source, on_event=events.append)]

    assert got == ["a", "b"]
    told = [event for event in events if not isinstance(event, Waiting)]
    looks = [event for event in told if isinstance(event, SnapshotReceived)]
    assert [look.faulty for look in looks] == [1, 1, 2, 1, 0]
    assert [type(event) for event in told[:3]] == [
        SnapshotReceived,
        DerivativeReady,
        DerivativesUnreadable,
    ]
    assert [event.unreadable for event in told if isinstance(event, DerivativesUnreadable)] == [
        (unreadable(1, "b"),),
        (unreadable(2),),
    ]


async def test_what_could_not_be_told_is_told_by_the_next_run() -> None:
    watch = Watch(TASK_ID)
    source = Scripted(snapshot(derivative("a"), unreadable=(unreadable(1),)))

    def deaf(event: WatchEvent) -> None:
        if isinstance(event, DerivativesUnreadable):
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        async for _ in watching(source, watch=watch, on_event=deaf):
            pass

    assert watch.untold == (unreadable(1),)


async def test_a_task_that_was_seen_and_is_unknown_is_a_failed_poll_that_is_told() -> None:
    events: list[WatchEvent] = []
    gone = TaskNotFoundError("no", status=404)
    watch = Watch(TASK_ID)
    watch.status = TaskStatus.ACTIVE
    source = Scripted(*[NONE_404] * 3, READY_200, tasks=(gone, gone, gone, task()))

    got = [one.id async for one in watching(source, watch=watch, on_event=events.append)]

    assert got == ["a", "b"]
    assert [
        (event.error, event.failures, event.budget)
        for event in events
        if isinstance(event, PollFailed)
    ] == [(gone, 1, 60), (gone, 2, 60), (gone, 3, 60)]


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
