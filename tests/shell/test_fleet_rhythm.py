"""How much does a fleet do at a time, and whose turn is it?"""

from __future__ import annotations

import random
from itertools import cycle

import anyio
import anyio.lowlevel
import pytest
from fleet_world import HOUR, START, Jumping, World, drained, watching, world
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives import (
    DerivativeReady,
    FleetState,
    RateLimitedError,
    TaskStatusReceived,
    Waiting,
    WatchFinished,
)
from iceye_derivatives._core.fleet import Reach, RotaEntry
from iceye_derivatives._core.nudges import Nudges
from iceye_derivatives._fleet_opening import _resumed
from iceye_derivatives._fleet_terms import FirstLooks, FleetSettings

pytestmark = pytest.mark.anyio


async def test_a_slow_reader_holds_the_looks_back() -> None:
    """No look begins while an event waits: each worker is at most one look ahead."""
    source = world(*(f"{number}" for number in range(50)))

    async with watching(source, concurrency=3) as fleet:
        await fleet.receive()
        for _ in range(5):
            await anyio.wait_all_tasks_blocked()
            await source.clock.sleep(HOUR)
        assert source.requests("derivatives") <= 1 + 3

        events = await drained(fleet)

    assert sum(isinstance(event, WatchFinished) for event in events) == 50


@pytest.mark.parametrize("concurrency", [1, 3, 16])
async def test_no_more_looks_than_allowed_are_under_way(concurrency: int) -> None:
    source = world(*(f"{number}" for number in range(50)))

    source.takes = 5.0

    async with watching(source, concurrency=concurrency) as fleet:
        await drained(fleet)

    assert source.most == concurrency


async def test_of_those_that_are_due_the_soonest_is_looked_at_first() -> None:
    """However many wait for a worker, and in whatever order they were added."""
    draw = random.Random(1)
    source = world(*(f"{number}" for number in range(60)), ready=20 * HOUR)
    source.takes = 5.0  # three workers are kept busy, so that a line of those due comes about
    dues = {task_id: START + draw.uniform(0, 60) for task_id in source.ready}
    places = tuple(RotaEntry(due, task_id, Reach.ALONE, "[]") for task_id, due in dues.items())

    async with watching(
        source, state=FleetState(places), only=(), heartbeats=True, concurrency=3
    ) as fleet:
        while len({task_id for task_id, _ in source.asked}) < len(dues):
            await fleet.receive()

    first_asked = [*dict.fromkeys(task_id for task_id, _ in source.asked)]
    assert first_asked == sorted(dues, key=dues.__getitem__)


async def test_those_that_wait_take_neither_a_timer_nor_a_coroutine_each() -> None:
    """Workers, one of whom keeps the time: so many whether two tasks wait or two hundred."""
    most = []
    for tasks in (5, 200):
        source = world(*(f"{number}" for number in range(tasks)), ready=3600)
        counted = source.clock.count_sleepers()
        async with watching(source, concurrency=3) as fleet:
            await drained(fleet)
        most.append([max(each) for each in zip(*counted, strict=True)])

    assert most[0] == most[1]
    assert most[0][0] <= 3


async def test_first_looks_are_spread_as_the_rate_allows() -> None:
    source = world(*(f"{number}" for number in range(100)))

    async with watching(source) as fleet:
        await drained(fleet)

    assert 99 * 0.2 <= source.since() <= 102 * 0.2


@given(
    dues=st.lists(st.floats(-1e6, 1e6), max_size=40),
    jitters=st.lists(st.floats(0, 1, exclude_max=True), min_size=1),
)
def test_whatever_was_due_while_nobody_was_there_is_spread_in_the_order_in_which_it_was_due(
    dues: list[float], jitters: list[float]
) -> None:
    """The law of a restart: one of them an interval, and who is not due yet keeps its time."""
    draws = cycle(jitters)
    settings = FleetSettings(
        source=world(), clock=Jumping(), jitter=lambda: next(draws), interval=0.5
    )
    places = tuple(RotaEntry(START + due, f"{n}", Reach.ALONE, "[]") for n, due in enumerate(dues))

    rota = _resumed(FleetState(places), FirstLooks(settings), START)
    late = sorted(place for place in places if place.due <= START)
    now = {place.task_id: place.due for place in rota.waiting()}

    for number, place in enumerate(late):
        assert 0.5 * number <= now[place.task_id] - START <= 0.5 * (number + 1)
    for place in set(places) - set(late):
        assert now[place.task_id] == place.due


async def test_a_clock_that_is_set_back_does_not_keep_new_tasks_waiting() -> None:
    source = world("a", "b")

    async with watching(source, only=("a",), keep_open=True) as fleet:
        assert isinstance(await fleet.receive(), DerivativeReady)
        source.clock.ahead -= 5 * HOUR
        begun = source.clock.time()
        await fleet.add(["b"])
        while (await fleet.receive()).task_id != "b":
            pass

        assert source.clock.time() - begun < 5


async def test_a_clock_that_is_set_back_in_mid_wait_does_not_begin_the_wait_again() -> None:
    """Lesson: a wait of ten hours became one of twenty, as the rota last saw the time before it."""

    class SetBack(Jumping):
        async def sleep(self, seconds: float, /) -> None:
            await super().sleep(seconds)
            if seconds > HOUR and self.ahead == 0:
                self.ahead -= 24 * HOUR

    source, planned = World(SetBack(), {"a": 24 * HOUR}), list[float]()
    async with watching(source, heartbeats=True) as fleet:
        async for event in fleet:
            if isinstance(event, Waiting) and event.seconds > HOUR:
                planned.append(event.until)
            elif planned:
                break

    assert source.clock.ahead == -24 * HOUR
    assert source.clock.time() - source.clock.ahead == pytest.approx(planned[0], abs=5)


async def test_a_nudged_task_is_looked_at_now() -> None:
    nudges = Nudges()
    source = world("a", "b", ready=2 * HOUR)
    early: list[float] = []

    async with watching(source, nudges=nudges) as fleet:
        async for event in fleet:
            if isinstance(event, TaskStatusReceived) and not early:
                early.append(source.since())
                source.ready["a"] = 0.0  # it is ready long before anybody would have looked
                assert nudges.nudge("a")
                assert not nudges.nudge("unknown")
            if isinstance(event, DerivativeReady):
                early.append(source.since())
                break

    assert early[1] - early[0] < 5
    assert not nudges.nudge("a")


async def test_a_nudge_does_not_shorten_what_the_api_asked_for() -> None:
    source = world("a", ready=HOUR)
    source.failing["a"] = RateLimitedError("slow down", status=429, retry_after=900.0)

    async with watching(source, heartbeats=True, keep_open=True) as fleet:
        async for event in fleet:
            if isinstance(event, Waiting):
                break
        for _ in range(20):
            fleet.nudge("a")
            await anyio.wait_all_tasks_blocked()

        assert source.requests() <= 2


async def test_what_came_due_while_nobody_was_there_is_no_herd() -> None:
    source = world(*(f"{number}" for number in range(100)), ready=20 * HOUR)
    async with watching(source) as fleet:
        state = fleet.state()
    source.clock.ahead += 5 * HOUR

    async with watching(source, state=state, only=(), heartbeats=True) as fleet:
        begun = source.clock.time()
        for _ in range(50):
            await fleet.receive()
        assert source.clock.time() - begun > 2
