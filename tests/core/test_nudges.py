"""Does a nudge make a watch look now, and is it harmless whatever it is?"""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import EPOCH, TASK_ID, derivative, snapshot, task

from iceye_derivatives import RateLimitedError, ServerError, TaskStatus, Watch
from iceye_derivatives._core.decisions import AskTask, Failed, Finished, Look, Patience, Wait
from iceye_derivatives._core.nudges import Nudges

NOW = EPOCH.timestamp()
HOUR = 3600.0


def waiting(status: TaskStatus = TaskStatus.ACTIVE) -> Watch:
    watch = Watch(TASK_ID)
    watch.begin(NOW, Patience())
    watch.receive(snapshot(status=404), NOW)
    watch.receive_task(task(status), NOW)
    if watch.decide(NOW, 0.5) == Look():
        watch.receive(snapshot(status=404), NOW)
    assert isinstance(watch.decide(NOW, 0.5), Wait)
    return watch


# -- what a watch makes of it ------------------------------------------------------------------


@pytest.mark.parametrize("status", [TaskStatus.RECEIVED, TaskStatus.ACTIVE, TaskStatus.FULFILLED])
def test_a_nudged_watch_looks_at_once(status: TaskStatus) -> None:
    watch = waiting(status)

    watch.nudge(NOW + 60)

    assert watch.decide(NOW + 60, 0.5) == Look()


def test_before_the_image_a_nudge_that_finds_nothing_asks_for_the_status_too() -> None:
    """ "Callbacks come when a resource's status changes"."""
    watch = waiting(TaskStatus.ACTIVE)
    watch.nudge(NOW + 60)
    watch.decide(NOW + 60, 0.5)

    watch.receive(snapshot(status=404), NOW + 60)

    assert watch.decide(NOW + 60, 0.5) == AskTask()


def test_after_a_nudge_it_looks_often_for_a_while() -> None:
    watch = waiting(TaskStatus.FULFILLED)
    for hour in range(1, 9):
        watch.receive(snapshot(derivative("a")), NOW + hour * HOUR)
    before = watch.decide(NOW + 8 * HOUR, 0.5)
    watch.nudge(NOW + 8 * HOUR + 60)
    watch.decide(NOW + 8 * HOUR + 60, 0.5)
    watch.receive(snapshot(derivative("a")), NOW + 8 * HOUR + 60)

    after = watch.decide(NOW + 8 * HOUR + 60, 0.5)

    assert isinstance(before, Wait)
    assert isinstance(after, Wait)
    assert after.seconds < before.seconds


@given(st.lists(st.floats(0, 5), min_size=1, max_size=60))
def test_a_storm_of_nudges_is_a_look_a_second_at_most(pauses: list[float]) -> None:
    watch, now, looked = waiting(TaskStatus.FULFILLED), NOW, [NOW]
    for pause in pauses:
        now += pause
        watch.nudge(now)
        if watch.decide(now, 0.5) == Look():
            looked.append(now)
            watch.receive(snapshot(derivative("a")), now)

    assert all(b - a > 0.999999 for a, b in pairwise(looked))


@given(st.floats(0, 86_400))
def test_a_clock_that_is_set_back_holds_no_nudge_up(back: float) -> None:
    watch = waiting(TaskStatus.FULFILLED)
    watch.receive(snapshot(derivative("a")), NOW)
    watch.nudge(NOW - back)

    decision = watch.decide(NOW - back, 0.5)

    assert isinstance(decision, Wait)
    assert decision.seconds <= 1.0


def test_a_nudge_during_a_look_is_not_lost() -> None:
    watch = waiting(TaskStatus.FULFILLED)
    watch.receive(snapshot(derivative("a")), NOW + 60)
    watch.nudge(NOW + 60)

    decision = watch.decide(NOW + 60, 0.5)

    assert isinstance(decision, Wait)
    assert decision.seconds == 1.0
    assert watch.decide(NOW + 61, 0.5) == Look()


@pytest.mark.parametrize(
    "error",
    [RateLimitedError("Slow", status=429, retry_after=600.0), ServerError("Down", status=503)],
)
def test_a_nudge_does_not_shorten_what_the_api_needs(
    error: RateLimitedError | ServerError,
) -> None:
    watch = waiting(TaskStatus.FULFILLED)
    watch.receive_failure(error)
    planned = watch.decide(NOW + 1, 0.5)

    watch.nudge(NOW + 1)

    assert watch.decide(NOW + 1, 0.5) == planned


def test_a_nudge_neither_ends_nor_wakes_what_is_over() -> None:
    watch = waiting(TaskStatus.FULFILLED)
    watch.receive(snapshot(derivative("a", "geojson"), status=200), NOW)
    watch.pop()
    watch.nudge(NOW)
    assert watch.decide(NOW, 0.5) == Finished()

    ended = waiting(TaskStatus.FULFILLED)
    ended.receive_task(task(TaskStatus.FAILED), NOW)
    ended.nudge(NOW)
    ended.decide(NOW, 0.5)
    ended.receive(snapshot(status=404), NOW)
    ended.nudge(NOW)
    assert isinstance(ended.decide(NOW, 0.5), Failed)


def test_a_nudge_does_not_stretch_patience() -> None:
    watch = Watch(TASK_ID)
    watch.begin(NOW, Patience(timeout=1.0))
    watch.receive(snapshot(derivative("a")), NOW)
    watch.nudge(NOW + 1)
    assert watch.decide(NOW + 1, 0.5) == Look()
    watch.receive(snapshot(derivative("a")), NOW + 1)
    watch.nudge(NOW + 1)

    assert isinstance(watch.decide(NOW + 1, 0.5), Failed)


# -- the registry ------------------------------------------------------------------------------


class Many:
    """A crowd, as the fleet's scheduler is one."""

    def __init__(self, *task_ids: str) -> None:
        self.task_ids = task_ids
        self.nudged: list[str] = []

    def nudge(self, task_id: str) -> bool:
        self.nudged.append(task_id)
        return task_id in self.task_ids


def test_all_who_watch_a_task_are_woken_and_nobody_else() -> None:
    nudges, woken = Nudges(), list[str]()
    bells = [nudges.bell("a"), nudges.bell("a"), nudges.bell("b")]
    for bell, name in zip(bells, ("first", "second", "other"), strict=True):
        bell.sleepers.add(partial(woken.append, name))

    assert nudges.nudge("a") is True
    assert sorted(woken) == ["first", "second"]


def test_a_task_that_nobody_watches_is_told_so() -> None:
    assert Nudges().nudge("a") is False


def test_who_has_gone_leaves_nothing_behind() -> None:
    nudges, crowd = Nudges(), Many("c")
    bell = nudges.bell("a")
    nudges.join(crowd)
    assert nudges.nudge("a")
    assert nudges.nudge("c")

    del bell, crowd
    gc.collect()

    assert not nudges.nudge("a")
    assert not nudges.nudge("c")


def test_a_crowd_hears_of_its_tasks_until_it_leaves() -> None:
    nudges, crowd = Nudges(), Many("a")
    nudges.join(crowd)

    assert (nudges.nudge("a"), nudges.nudge("b")) == (True, False)
    nudges.leave(crowd)
    nudges.leave(crowd)
    assert nudges.nudge("a") is False
    assert crowd.nudged == ["a", "b"]


def test_whoever_is_woken_may_sleep_or_leave_in_that_moment() -> None:
    bell = Nudges().bell("a")
    woken: list[str] = []

    def one() -> None:
        woken.append("one")
        bell.sleepers.discard(one)
        bell.sleepers.add(other)

    def other() -> None:
        woken.append("other")

    wake: Callable[[], None] = one
    bell.sleepers.add(wake)
    bell.ring()
    bell.ring()

    assert woken == ["one", "other"]
    assert bell.rings == 2
