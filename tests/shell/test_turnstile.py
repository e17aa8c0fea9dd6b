"""Does the most urgent request go next, and does everybody's turn come?"""

from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from iceye_derivatives._core.pace import Pacer, Urgency
from iceye_derivatives._transport.turnstile import Turnstile

TRIO = ("trio", {"clock": trio.testing.MockClock(autojump_threshold=0)})
RENEWAL, CALL, POLL = Urgency.RENEWAL, Urgency.CALL, Urgency.POLL


class TrioClock:
    """Trio's own virtual clock."""

    def time(self) -> float:
        return trio.current_time()

    async def sleep(self, seconds: float, /) -> None:
        await anyio.sleep(seconds)


async def go(turnstile: Turnstile, urgency: Urgency) -> None:
    if not turnstile.may_pass():
        await turnstile.wait(urgency)


async def went_in(arrivals: list[tuple[float, Urgency]], rate: float = 1.0) -> list[int]:
    """The order in which those go that come after pauses; the first takes the one slot there is."""
    turnstile, went = Turnstile(Pacer(rate=rate, burst=1), TrioClock()), list[int]()

    async def one(number: int, urgency: Urgency) -> None:
        await go(turnstile, urgency)
        went.append(number)

    async with anyio.create_task_group() as group:
        for number, (pause, urgency) in enumerate(arrivals):
            await anyio.sleep(pause)
            group.start_soon(one, number, urgency)
            await anyio.lowlevel.checkpoint()
    assert len(turnstile) == 0
    return went


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", [TRIO])
async def test_a_renewal_goes_before_all_that_wait(anyio_backend: object) -> None:
    """Also before the one that stands first and sleeps already."""
    assert await went_in([(0, POLL), (0, POLL), (0, POLL), (0, CALL), (0.5, RENEWAL)]) == [
        0,
        4,
        3,
        1,
        2,
    ]


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", [TRIO])
async def test_a_poll_is_not_overtaken_for_ever(anyio_backend: object) -> None:
    """Renewals come as fast as slots do; half a minute later it is the poll's turn."""
    arrivals = [(0.0, RENEWAL), (0.0, POLL), *[(0.9, RENEWAL)] * 60]

    order = await went_in(arrivals)

    assert 25 < order.index(1) < 40


SLOT = 4.0
"""Seconds: so long that a call may stand before a renewal that came five seconds after it."""


def in_order_of_deadlines(arrivals: list[tuple[float, Urgency]]) -> list[int]:
    """The same by hand: at each slot the one goes whose deadline is the earliest of those there."""
    came, at = list[float](), 0.0
    for pause, _ in arrivals:
        at += pause
        came.append(at)
    waiting, went, slot = [*range(len(arrivals))], list[int](), 0.0
    while waiting:
        slot = max(slot, min(came[one] for one in waiting))
        there = [one for one in waiting if came[one] <= slot]
        went.append(min(there, key=lambda one: (came[one] + arrivals[one][1].value, one)))
        waiting.remove(went[-1])
        slot += SLOT
    return went


def test_whoever_may_wait_least_goes_next_however_they_come() -> None:
    """So polls keep their order, renewals go first, and nobody is overtaken for ever.

    No two of them come in one moment, nor anybody in the very moment of another's slot.
    """
    pauses = st.integers(0, 16).map(lambda number: 0.01 + 0.0731 * number)

    @settings(max_examples=40)
    @given(st.lists(st.tuples(pauses, st.sampled_from([*Urgency])), min_size=1, max_size=12))
    def law(arrivals: list[tuple[float, Urgency]]) -> None:
        clock = trio.testing.MockClock(autojump_threshold=0)
        order = trio.run(went_in, arrivals, 1 / SLOT, clock=clock)

        assert order == in_order_of_deadlines(arrivals)

    law()


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", TRIO])
@pytest.mark.parametrize("cancelled", [1, 2, 3])
async def test_whoever_is_cancelled_leaves_no_gap(anyio_backend: object, cancelled: int) -> None:
    clock = TrioClock() if anyio_backend != "asyncio" else RealisticClock()
    turnstile, went, start = Turnstile(Pacer(rate=1.0, burst=1), clock), list[int](), clock.time()
    scopes = [anyio.CancelScope() for _ in range(4)]

    async def one(number: int) -> None:
        with scopes[number]:
            await go(turnstile, POLL)
            went.append(number)

    async with anyio.create_task_group() as group:
        for number in range(4):
            group.start_soon(one, number)
            await anyio.lowlevel.checkpoint()  # trio starts tasks in any order
        await anyio.wait_all_tasks_blocked()
        scopes[cancelled].cancel()

    assert went == [number for number in range(4) if number != cancelled]
    assert clock.time() - start == pytest.approx(2.0)
    assert len(turnstile) == 0


class RealisticClock:
    """Moves when it is slept on; those in the queue sleep one at a time."""

    def __init__(self) -> None:
        self.now = 0.0

    def time(self) -> float:
        return self.now

    async def sleep(self, seconds: float, /) -> None:
        await anyio.sleep(0.01)
        self.now += seconds
