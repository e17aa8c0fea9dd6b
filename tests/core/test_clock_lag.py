"""Is what is planned by the API's clock found by it, where this machine's is behind?"""

from __future__ import annotations

import pytest
from foretold import HOUR, MINUTE, NOW, OPENS, at, jitters, scene
from hypothesis import given
from hypothesis import strategies as st
from strategies import TASK_ID, derivative, snapshot, task

from iceye_derivatives import Delays, TaskStatus, Watch
from iceye_derivatives._core.clock_lag import ClockLag
from iceye_derivatives._core.decisions import AskScene, AskTask, Finished, Look, Patience, Wait
from iceye_derivatives._core.spread import IMAGE_TO_FULFILLED

lags = st.floats(60, 30 * 86_400)
IMAGED, FULFILLED, READY = OPENS + 2 * HOUR, OPENS + 3 * HOUR, OPENS + 4 * HOUR


@given(st.none() | st.floats(-1e10, 1e10), st.floats(0, 4e9))
def test_only_a_clock_that_is_behind_is_corrected(date: float | None, now: float) -> None:
    """The law: a ``Date`` makes nobody look later, and seconds are the way of an answer."""
    lag = ClockLag()
    told = lag.learn(date, now)

    behind = 0.0 if date is None else date - now
    assert lag.seconds == (behind if behind >= 30 else 0.0)
    assert told is (behind >= 60)
    assert not lag.learn(date, now), "told once"


def test_the_last_answer_counts_and_one_without_a_date_tells_nothing() -> None:
    """Clocks are set: what was learned of one that was behind must not outlive that."""
    lag = ClockLag()
    lag.learn(NOW + 3600, NOW)
    lag.learn(None, NOW)
    assert lag.seconds == 3600
    lag.learn(NOW + 3599, NOW + 3600)
    assert lag.seconds == 0


def life(
    lag: float, jitter: float, *, known: bool = True
) -> tuple[list[tuple[str, float]], Delays]:
    """What is asked, and when by the API's clock, where this machine's is behind by so much."""
    delays, watch, now, asked = Delays(), Watch(TASK_ID), NOW, list[tuple[str, float]]()
    clocks = ClockLag(seconds=lag) if known else None
    watch.begin(now - lag, Patience(delays=delays, lag=clocks))
    while True:
        while watch.pop() is not None:
            pass
        question = watch.decide(now - lag, jitter)
        if not isinstance(question, Wait):
            asked.append((type(question).__name__, now))
        match question:
            case Wait(seconds=seconds):
                now += max(seconds, 1e-3)
            case AskTask():
                status = TaskStatus.FULFILLED if now >= FULFILLED else TaskStatus.ACTIVE
                came = at(FULFILLED) if now >= FULFILLED else None
                watch.receive_task(task(status, fulfilled_at=came), now - lag)
            case AskScene():
                watch.receive_scene(scene(IMAGED), now - lag)
            case Look() if now < READY:
                watch.receive(snapshot(status=404), now - lag)
            case Look():
                found = [
                    derivative(kind, "geojson", product_type=kind) for kind in watch.requested or ()
                ]
                watch.receive(snapshot(*found, status=200), now - lag)
            case Finished():
                return asked, delays


@given(lags, jitters)
def test_a_clock_that_is_behind_is_as_good_as_one_that_is_right(lag: float, jitter: float) -> None:
    """The law: the same questions at the same moments, and the same is learned."""
    right, learned = life(0.0, jitter)
    slow, learned_slowly = life(lag, jitter)

    assert [what for what, _ in slow] == [what for what, _ in right]
    assert [when for _, when in slow] == pytest.approx([when for _, when in right], abs=0.01)
    for kind in (IMAGE_TO_FULFILLED, "DC_VESSELS"):
        assert learned_slowly.observations(kind) == learned.observations(kind) > 0
        assert learned_slowly.quantile(kind, 0.5) == pytest.approx(learned.quantile(kind, 0.5))


def test_what_it_costs_not_to_know() -> None:
    """Else the law above would hold of a life in which the clock does not matter."""
    known, _ = life(6 * HOUR, 0.5)
    unknown, _ = life(6 * HOUR, 0.5, known=False)

    assert known[-1][1] - READY < 5 * MINUTE
    assert unknown[-1][1] - READY > 25 * MINUTE
