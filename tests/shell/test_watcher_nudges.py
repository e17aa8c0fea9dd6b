"""Does a nudge wake a watch, asleep or awake, and is none lost?"""

from __future__ import annotations

from contextlib import aclosing

import anyio
import anyio.lowlevel
import pytest
import trio.testing
from strategies import TASK_ID
from watched import NONE_404, PARTIAL_206, READY_200, FakeClock, Scripted, watching

from iceye_derivatives import (
    Snapshot,
    Waiting,
    WatchEvent,
)
from iceye_derivatives._core.nudges import Nudges

pytestmark = pytest.mark.anyio

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
