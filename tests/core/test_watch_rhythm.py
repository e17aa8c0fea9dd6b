"""When does a watch look, and when does it only ask for the task?"""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from strategies import derivative, snapshot, task
from watches import HOUR, NOW, drain, fresh, wait_of

from iceye_derivatives import Backoff, TaskStatus
from iceye_derivatives._core.decisions import AskTask, Look, Wait


def test_an_unknown_status_is_no_reason_to_look_rarely() -> None:
    watch, now, looks = fresh(), NOW, 0
    while now < NOW + HOUR:
        match watch.decide(now, 0.5):
            case Wait(until=until):
                now = until
            case Look():
                looks += 1
                watch.receive(snapshot(status=404), now)
            case AskTask():
                watch.receive_task(task("SOMETHING_NEW"), now)
            case other:
                raise AssertionError(other)

    assert looks > 60


def test_before_the_window_opens_it_looks_rarely_but_is_awake_when_it_does() -> None:
    watch = fresh()
    watch.receive(snapshot(status=404), NOW)
    watch.receive_task(task(TaskStatus.ACTIVE), NOW)

    assert wait_of(watch.decide(NOW, 0.5)) == 3 * HOUR

    almost = NOW + 24 * HOUR - 60
    watch.receive_task(task(TaskStatus.ACTIVE), almost)
    assert wait_of(watch.decide(almost, 0.99)) == 60


def test_while_received_a_rejection_is_noticed_within_minutes() -> None:
    watch = fresh()
    watch.receive(snapshot(status=404), NOW)
    watch.receive_task(task(TaskStatus.RECEIVED), NOW)

    assert wait_of(watch.decide(NOW, 0.99)) < 10 * 60


def test_before_the_image_only_the_status_is_asked_for_but_now_and_then_the_endpoint() -> None:
    """ "A client must not take DONE as ready": the endpoint has the last word, even early."""
    watch, now, asked = fresh(), NOW, []
    watch.decide(now, 0.5)
    watch.receive(snapshot(status=404), now)
    for _ in range(40):
        match watch.decide(now, 0.5):
            case Wait(until=until):
                now = until
            case AskTask():
                asked.append("task")
                watch.receive_task(task(TaskStatus.RECEIVED), now)
            case Look():
                asked.append("derivatives")
                watch.receive(snapshot(status=404), now)
            case other:
                raise AssertionError(other)

    assert Counter(asked)["task"] > 4 * Counter(asked)["derivatives"] > 0


def test_a_clock_that_is_set_back_does_not_silence_a_watch() -> None:
    watch = fresh()
    watch.receive(snapshot(derivative("a")), NOW)
    planned = wait_of(watch.decide(NOW, 0.5))

    assert wait_of(watch.decide(NOW - 6 * HOUR, 0.5)) <= planned


def test_fulfilment_makes_it_quick_at_once() -> None:
    watch = fresh()
    watch.receive(snapshot(status=404), NOW)
    watch.receive_task(task(TaskStatus.ACTIVE), NOW)
    watch.receive_task(task(TaskStatus.FULFILLED), NOW + HOUR)
    assert watch.decide(NOW + HOUR, 0.99) == Look()
    watch.receive(snapshot(status=404), NOW + HOUR)

    assert wait_of(watch.decide(NOW + HOUR, 0.99)) <= 7.5


@given(st.integers(1, 200))
def test_silence_slows_and_news_makes_it_quick_again(quiet: int) -> None:
    """Complaint 8 (planetlabs/planet-client-python #843).

    Fixed delay and try count make users do arithmetic.
    """
    watch, now, ceilings = fresh(), NOW, []
    watch.decide(now, 0.999)
    for _ in range(quiet):
        watch.receive(snapshot(derivative("a"), derivative("b")), now)
        ceilings.append(wait_of(watch.decide(now, 0.999)))
        now += ceilings[-1]
        assert watch.decide(now, 0.999) == Look()

    assert ceilings == sorted(ceilings)
    assert ceilings[-1] <= 10 * 60

    watch.receive(snapshot(derivative("a", "geojson"), derivative("b")), now)
    drain(watch)
    assert wait_of(watch.decide(now, 0.999)) <= 5.0


def test_the_longer_the_window_is_open_the_rarer_it_looks_up_to_two_hours() -> None:
    watch = fresh()
    opened = NOW + 24 * HOUR
    waits = []
    for hours in range(0, 72, 3):
        watch.receive_task(task(TaskStatus.ACTIVE), opened + hours * HOUR)
        if watch.decide(opened + hours * HOUR, 0.5) == Look():
            watch.receive(snapshot(status=404), opened + hours * HOUR)
        waits.append(wait_of(watch.decide(opened + hours * HOUR, 0.5)))

    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (0.5 * 0.75 * HOUR, 0.5 * 2 * HOUR)


def test_one_setting_scales_the_whole_rhythm() -> None:
    """Complaint 8 (planetlabs/planet-client-python #843).

    Fixed delay and try count make users do arithmetic.
    Complaint (Azure/azure-sdk-for-python #1120): nobody finds how to change the poll interval.
    """
    watch = fresh(backoff=Backoff(initial=0.01, maximum=0.06))
    watch.receive(snapshot(status=404), NOW)
    watch.receive_task(task(TaskStatus.ACTIVE), NOW)

    assert wait_of(watch.decide(NOW, 0.999)) <= 360 * 0.06


def test_the_reason_for_a_wait_is_a_sentence_for_people() -> None:
    watch = fresh()
    watch.receive(snapshot(status=404), NOW)
    watch.receive_task(task(TaskStatus.ACTIVE), NOW)
    decision = watch.decide(NOW, 0.5)

    assert isinstance(decision, Wait)
    assert decision.reason == "the task is ACTIVE and its acquisition window opens in 24 h"
