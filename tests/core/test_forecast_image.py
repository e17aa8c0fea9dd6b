"""What is asked, and when, on the way to an image whose plan is known?"""

from __future__ import annotations

from itertools import pairwise

import pytest
from attrs import evolve
from foretold import HOUR, NOW, OPENS, TYPES, fresh, jitters, no_scene, scene, settle
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import snapshot, task

from iceye_derivatives import Delays, TaskStatus
from iceye_derivatives._core.decisions import AskScene, AskTask, Failed, Look, Patience, Wait
from iceye_derivatives._core.outlook import Outlook
from iceye_derivatives._core.rhythm import Facts, due_question, next_delay


def facts(now: float, **known: object) -> Facts:
    """An ACTIVE task in its open window."""
    plain = Facts(
        now=now,
        patience=Patience(delays=Delays()),
        status=TaskStatus.ACTIVE,
        opens=OPENS,
        outlook=None,
        requested=TYPES,
        awaited=TYPES,
        ready=0,
        listed=0,
        quiet_looks=0,
        silent_since=NOW,
        asked_at=now,
    )
    return evolve(plain, **known)


def test_an_active_task_is_asked_for_its_scene_and_then_slept_for() -> None:
    watch = fresh()
    planned = OPENS + 2 * HOUR

    assert watch.decide(NOW, 0.5) == Look()
    watch.receive(snapshot(status=404), NOW)
    assert watch.decide(NOW, 0.5) == AskTask()
    watch.receive_task(task(TaskStatus.ACTIVE), NOW)
    assert watch.decide(NOW, 0.5) == AskScene()
    watch.receive_scene(scene(planned), NOW)
    wait = watch.decide(NOW, 0.5)

    assert isinstance(wait, Wait)
    assert 7.5 * HOUR <= wait.seconds <= 10 * HOUR
    assert wait.reason == (
        "the task is ACTIVE and its image is planned for 2027-01-16 02:00 UTC; "
        "the products are due about 60 min after"
    )


def test_what_the_task_promises_is_told() -> None:
    watch = fresh()
    wait = settle(
        watch, NOW, TaskStatus.ACTIVE, NOW + 14.1 * HOUR, products_available_in_seconds=7200
    )

    assert wait.reason == (
        "the task is ACTIVE and its image is planned for 14:06 UTC; "
        "the products are due about 2 h after"
    )


def test_when_the_window_opens_the_scene_is_asked_for_again() -> None:
    """ "Values move until the scene is taken": a plan that is a day old is no plan."""
    watch = fresh()
    settle(watch, NOW, TaskStatus.ACTIVE, OPENS + HOUR)
    wait = settle(watch, OPENS - HOUR, TaskStatus.ACTIVE, OPENS + HOUR)
    assert wait.until == pytest.approx(OPENS)

    assert watch.decide(OPENS, 0.5) == AskScene()


def test_until_then_a_plan_that_is_known_is_not_asked_for_again_but_the_status_is() -> None:
    """No image is taken before the window opens, while an end may come at any time."""
    watch, now, asked = fresh(), NOW - 48 * HOUR, list[str]()
    watch.begin(now, Patience(delays=Delays()))
    while now < OPENS:
        match watch.decide(now, 0.5):
            case Wait(until=until):
                now = until
            case AskTask():
                asked.append("task")
                watch.receive_task(task(TaskStatus.ACTIVE), now)
            case AskScene():
                asked.append("scene")
                watch.receive_scene(scene(OPENS + 60 * HOUR), now)
            case Look():
                watch.receive(snapshot(status=404), now)

    assert asked.count("scene") == 1
    assert asked.count("task") >= 7


def test_once_after_the_image_the_scene_tells_whether_it_was_taken() -> None:
    planned = OPENS + HOUR
    asked_before = Outlook(planned, planned + 10, scene_asked_at=OPENS)
    asked_after = Outlook(planned, planned + 10, scene_asked_at=planned + 20)
    now = planned + 30

    assert due_question(facts(now, outlook=asked_before)) == AskScene()
    assert due_question(facts(now, outlook=asked_after)) == AskTask()


@given(st.floats(OPENS, OPENS + 48 * HOUR), st.floats(0, 48 * HOUR), jitters)
def test_a_later_plan_never_puts_the_question_after_the_image_earlier(
    now: float, left: float, jitter: float
) -> None:
    def next_at(left: float) -> float:
        plan = Outlook(now + left, now + left, scene_asked_at=now)
        return next_delay(facts(now, outlook=plan), jitter)

    earlier, later = next_at(left), next_at(left + HOUR)
    assume(earlier > left and later > left + HOUR)  # neither is a question on the way

    assert later >= earlier


@given(st.floats(OPENS, OPENS + 48 * HOUR), st.floats(1, 400 * HOUR), jitters)
def test_on_the_way_to_the_image_it_asks_within_ten_hours(
    now: float, left: float, jitter: float
) -> None:
    """Also where the plan is a lie: an end or an earlier image is noticed that soon."""
    plan = Outlook(now + left, now + left, scene_asked_at=now)

    assert next_delay(facts(now, outlook=plan), jitter) <= 10 * HOUR


@given(st.floats(OPENS, OPENS + 48 * HOUR), st.floats(1, 400 * HOUR), jitters)
def test_an_image_that_comes_early_is_noticed_before_half_of_what_was_left_has_passed(
    now: float, left: float, jitter: float
) -> None:
    """But for the last hours, in which the next question is the one after the image."""
    plan = Outlook(now + left, now + left, scene_asked_at=now)

    assert next_delay(facts(now, outlook=plan), jitter) <= left / 2 or left <= 4.5 * HOUR


def test_on_the_way_the_scene_is_asked_for_and_once_a_day_the_task() -> None:
    """A scene that is there for ever would else hide that the task has come to its end."""
    watch, now, asked, at = fresh(), OPENS, list[str](), [OPENS]
    settle(watch, now, TaskStatus.ACTIVE, OPENS + 400 * HOUR)
    while now < OPENS + 60 * HOUR:
        match watch.decide(now, 0.5):
            case Wait(until=until):
                now = until
            case AskTask():
                asked.append("task")
                at.append(now)
                watch.receive_task(task(TaskStatus.ACTIVE), now)
            case AskScene():
                asked.append("scene")
                watch.receive_scene(scene(OPENS + 400 * HOUR), now)
            case Look():
                watch.receive(snapshot(status=404), now)

    assert asked.count("scene") > asked.count("task") > 0
    assert max(later - earlier for earlier, later in pairwise(at)) <= 34 * HOUR
    assert len(asked) <= 12


def test_a_scene_that_is_gone_has_the_task_asked_for_at_once() -> None:
    """It is "gone after cancellation"."""
    watch = fresh()
    settle(watch, OPENS, TaskStatus.ACTIVE, OPENS + 40 * HOUR)
    then = OPENS + 10 * HOUR

    assert watch.decide(then, 0.5) == AskScene()
    watch.receive_no_scene(no_scene(), then)
    assert watch.decide(then, 0.5) == AskTask()
    watch.receive_task(task(TaskStatus.CANCELED), then)
    assert watch.decide(then, 0.5) == Look()
    watch.receive(snapshot(status=404), then)

    assert isinstance(watch.decide(then, 0.5), Failed)
