"""How seldom does a watch ask that is told of changes, and what does a push change?"""

from __future__ import annotations

from itertools import cycle

import pytest
from foretold import HOUR, MINUTE, NOW, OPENS, at, fresh, jitters, settle, taught
from hypothesis import given
from hypothesis import strategies as st
from strategies import snapshot, task

from iceye_derivatives import TaskStatus
from iceye_derivatives._core.decisions import AskTask, Look, Wait


@pytest.mark.parametrize("status", [TaskStatus.RECEIVED, TaskStatus.ACTIVE])
def test_with_pushes_there_is_a_look_each_half_day_and_no_scene(status: TaskStatus) -> None:
    watch, now, asked = fresh(push=True), NOW, 0
    while now < NOW + 72 * HOUR:
        match watch.decide(now, 0.5):
            case Wait(until=until):
                now = until
            case AskTask():
                asked += 1
                watch.receive_task(task(status), now)
            case Look():
                watch.receive(snapshot(status=404), now)
            case other:
                raise AssertionError(other)

    assert 6 <= asked <= 9


@given(
    draws=st.lists(jitters, min_size=1, max_size=8),
    statuses=st.lists(
        st.sampled_from([TaskStatus.RECEIVED, TaskStatus.ACTIVE]), min_size=1, max_size=4
    ),
)
def test_with_pushes_no_day_before_the_image_costs_more_than_four_questions(
    draws: list[float], statuses: list[TaskStatus]
) -> None:
    """The law of "a slow safety poll only": without a call, and whatever is drawn.

    Three for the status, and now and then a look at the endpoint itself.
    """
    watch, now, asked = fresh(push=True), NOW, list[float]()
    jitter, status = cycle(draws), cycle(sorted(statuses, reverse=True))
    settle(watch, NOW, TaskStatus.RECEIVED)
    while now < NOW + 10 * 24 * HOUR:
        match watch.decide(now, next(jitter)):
            case Wait(until=until):
                now = until
                continue
            case AskTask():
                watch.receive_task(task(next(status)), now)
            case Look():
                watch.receive(snapshot(status=404), now)
            case other:
                raise AssertionError(other)
        asked.append(now)

    assert all(
        later - earlier >= 24 * HOUR for earlier, later in zip(asked, asked[4:], strict=False)
    )
    assert len(asked) >= 20, "none of it is left to the callbacks alone"


def test_a_push_is_followed_by_the_rhythm_of_the_forecast() -> None:
    watch, now = fresh(taught(DC_VESSELS=20), push=True), OPENS + HOUR
    settle(watch, NOW, TaskStatus.ACTIVE)
    watch.nudge(now)
    wait = settle(watch, now, TaskStatus.FULFILLED, fulfilled_at=at(now - 20 * MINUTE))

    assert 0 < wait.seconds < 30
