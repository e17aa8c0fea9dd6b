"""Does a long wait end in time where the machine slept, or its clock was set?"""

from __future__ import annotations

import pytest
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives._clock import SystemClock

HOUR = 3600.0


def slept(seconds: float, *, moves: float, at: float) -> float:
    """How long a wait takes on the loop's clock, where the time of day moves in its course."""

    class Machine(SystemClock):
        @staticmethod
        def time() -> float:
            passed = trio.current_time()
            return 1e9 + passed + (moves if passed >= at else 0.0)

    async def wait() -> float:
        await Machine().sleep(seconds)
        return trio.current_time()

    return trio.run(wait, clock=trio.testing.MockClock(autojump_threshold=0))


@pytest.mark.parametrize("moves", [8 * HOUR, 20 * HOUR])
def test_a_wait_of_half_a_day_ends_soon_after_the_machine_wakes(moves: float) -> None:
    left = max(HOUR, 12 * HOUR - moves)
    assert left <= slept(12 * HOUR, moves=moves, at=HOUR) <= left + 60


@given(st.floats(0, 12 * HOUR), st.floats(-72 * HOUR, 72 * HOUR), st.floats(0, 12 * HOUR))
def test_it_never_takes_longer_than_was_asked_for(seconds: float, moves: float, at: float) -> None:
    took = slept(seconds, moves=moves, at=at)
    assert took <= seconds + 1e-6
    if moves <= 0 or at > seconds:
        assert took == pytest.approx(seconds)


def test_a_short_wait_looks_at_no_clock() -> None:
    assert slept(60.0, moves=HOUR, at=1.0) == 60.0
