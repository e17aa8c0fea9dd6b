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


def test_within_a_class_who_came_first_goes_first_and_nobody_waits_beyond_his_deadline() -> None:
    @settings(max_examples=40)
    @given(st.lists(st.tuples(st.floats(0, 3), st.sampled_from([*Urgency])), max_size=12))
    def law(arrivals: list[tuple[float, Urgency]]) -> None:
        order = trio.run(went_in, arrivals, clock=trio.testing.MockClock(autojump_threshold=0))

        assert sorted(order) == list(range(len(arrivals)))
        for urgency in Urgency:
            ours = [number for number in order if arrivals[number][1] is urgency]
            assert ours == sorted(ours)

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
