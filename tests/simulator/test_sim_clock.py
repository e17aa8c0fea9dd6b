"""Do the clocks keep their promises: order, deadlines, holds, and nothing left behind?"""

from __future__ import annotations

import asyncio
import math
from itertools import pairwise

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives.simulator import RealClock, VirtualClock

pytestmark = pytest.mark.anyio

durations = st.lists(st.integers(1, 300).map(float), min_size=1, max_size=12)


@given(durations)
def test_sleepers_wake_in_order_each_at_its_own_deadline(seconds: list[float]) -> None:
    clock = VirtualClock(start=100.0, pause=0)
    woken: list[tuple[float, float]] = []

    async def sleeper(duration: float) -> None:
        await clock.sleep(duration)
        woken.append((clock.time(), 100.0 + duration))

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for duration in seconds:
                group.start_soon(sleeper, duration)

    asyncio.run(main())
    assert [seen for seen, _ in woken] == sorted(100.0 + each for each in seconds)
    assert all(seen == deadline for seen, deadline in woken)


@given(durations)
def test_time_never_goes_backwards(seconds: list[float]) -> None:
    clock = VirtualClock(pause=0)
    seen = [clock.time()]
    for each in seconds:
        clock.advance(each)
        seen.append(clock.time())
    assert all(earlier <= later for earlier, later in pairwise(seen))
    with pytest.raises(ValueError, match="backwards"):
        clock.set(clock.time() - 1)


async def test_three_days_pass_without_three_days_passing() -> None:
    clock = VirtualClock(start=0.0)
    with anyio.fail_after(5):
        await clock.sleep(3 * 86_400)
    assert clock.time() == 3 * 86_400


async def test_a_held_clock_does_not_jump_until_it_is_let_go() -> None:
    clock = VirtualClock(start=0.0, pause=0)
    async with anyio.create_task_group() as group:
        with clock.hold():
            group.start_soon(clock.sleep, 10)
            for _ in range(100):
                await asyncio.sleep(0)
            assert clock.time() == 0.0
    assert clock.time() == 10.0


async def test_a_hold_also_stops_a_jump_that_was_coming() -> None:
    clock = VirtualClock(start=0.0, pause=0)
    async with anyio.create_task_group() as group:
        group.start_soon(clock.sleep, 10)
        await asyncio.sleep(0)
        with clock.hold():
            for _ in range(100):
                await asyncio.sleep(0)
            assert clock.time() == 0.0
    assert clock.time() == 10.0


async def test_a_busy_loop_is_not_a_quiet_one() -> None:
    """The jump waits for those who use the clock, even if each of them waits for nothing."""
    clock = VirtualClock(start=0.0, pause=0)
    async with anyio.create_task_group() as group:
        group.start_soon(clock.sleep, 10)
        for _ in range(200):
            await asyncio.sleep(0)
            with clock.hold():
                pass
        assert clock.time() == 0.0


async def test_a_cancelled_sleep_is_forgotten() -> None:
    clock = VirtualClock(start=0.0, pause=0)
    with anyio.move_on_after(0):
        await clock.sleep(5)
    assert not clock._sleepers
    await clock.sleep(60)
    assert clock.time() == 60.0


async def test_without_auto_only_the_hand_moves_it() -> None:
    clock = VirtualClock(start=0.0, auto=False)
    woken: list[float] = []

    async def sleeper(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    async with anyio.create_task_group() as group:
        for seconds in (30.0, 10.0, 20.0):
            group.start_soon(sleeper, seconds)
        await anyio.wait_all_tasks_blocked()
        await asyncio.sleep(0.005)
        assert woken == []
        clock.advance(20)
        await anyio.wait_all_tasks_blocked()
        assert woken == [10.0, 20.0]
        clock.advance(10)


async def test_an_endless_sleep_does_not_keep_the_loop_busy() -> None:
    clock = VirtualClock(start=0.0, pause=0)
    with anyio.move_on_after(0.01):
        await clock.sleep(math.inf)
    assert clock.time() == 0.0


@pytest.mark.parametrize("cancel", [True, False])
def test_a_clock_outlives_a_loop_that_died_in_its_sleep(cancel: bool) -> None:
    clock = VirtualClock(start=0.0)
    loop = asyncio.new_event_loop()
    task = loop.create_task(clock.sleep(5))
    loop.run_until_complete(asyncio.sleep(0))
    if cancel:
        task.cancel()
        loop.run_until_complete(asyncio.wait([task]))
    else:
        # What asyncio says of a task that died with its loop is not the point here.
        loop.set_exception_handler(lambda *_: None)
    loop.close()
    for end in (7.0, 14.0):
        asyncio.run(clock.sleep(7))
        assert clock.time() == end
    del task


def test_two_clocks_do_not_know_each_other() -> None:
    slow, fast = VirtualClock(start=0.0), VirtualClock(start=0.0)

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(slow.sleep, 1)
            group.start_soon(fast.sleep, 1_000_000)

    asyncio.run(main())
    assert (slow.time(), fast.time()) == (1.0, 1_000_000.0)


async def test_a_real_clock_runs_at_its_speed() -> None:
    clock = RealClock(speed=100_000, start=0.0)
    before = clock.time()
    await clock.sleep(1_000)
    # No upper bound: a machine may be slow. The loop rounds to its timer's resolution.
    assert clock.time() - before >= 900


def test_a_clock_that_stands_still_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        RealClock(speed=0)
