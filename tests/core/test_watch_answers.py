"""Are the three answers, and what the task says beside them, read for what they mean?"""

from __future__ import annotations

import pytest
from strategies import TASK_ID, derivative, snapshot, task
from watches import HOUR, NOW, drain, failure_of, fresh, wait_of

from iceye_derivatives import (
    NoDerivativesRequestedError,
    TaskEndedError,
    TaskNotFoundError,
    TaskStatus,
    Watch,
)
from iceye_derivatives._core.decisions import AskTask, Finished, Look, Patience, Wait
from iceye_derivatives.models import Extra

UNKNOWN = TaskNotFoundError("not found", status=404)


def test_the_first_thing_to_do_is_to_look() -> None:
    assert fresh().decide(NOW, 0.5) == Look()


def test_200_with_assets_for_all_finishes_once_everything_is_taken() -> None:
    watch = fresh()
    watch.receive(snapshot(derivative("a", "geojson"), status=200), NOW)

    assert not watch.finished
    assert [one.id for one in drain(watch)] == ["a"]
    assert watch.decide(NOW, 0.5) == Finished()
    assert watch.finished


def test_206_hands_out_what_is_ready_and_looks_again() -> None:
    """ "some derivatives are still being processed" """
    watch = fresh()
    watch.receive(snapshot(derivative("a"), derivative("b", "geojson")), NOW)

    assert [one.id for one in drain(watch)] == ["b"]
    assert watch.missing == ("a",)
    assert 0 < wait_of(watch.decide(NOW, 0.99)) <= 5.0


def test_200_with_an_empty_assets_list_is_not_complete() -> None:
    watch = fresh()
    watch.receive(snapshot(derivative("a"), derivative("b", "geojson"), status=200), NOW)
    drain(watch)

    assert isinstance(watch.decide(NOW, 0.5), Wait)


def test_200_that_lacks_a_requested_type_is_not_complete() -> None:
    """The page: 200 means "All requested derivatives have products available".

    Complaint 12 (sentinel-hub/sentinelhub-py #537): the monitor never ended, or ended at 100%
    before the state was final.
    """
    watch = Watch(TASK_ID, requested=("DC_VESSELS", "DC_AIRCRAFT"))
    watch.begin(NOW, Patience())
    watch.receive(snapshot(derivative("a", "geojson"), status=200), NOW)
    drain(watch)

    assert watch.missing == ("DC_AIRCRAFT",)
    assert isinstance(watch.decide(NOW, 0.5), Wait)

    aircraft = derivative("b", "geojson", product_type="DC_AIRCRAFT")
    watch.receive(snapshot(derivative("a", "geojson"), aircraft, status=200), NOW)

    assert [one.id for one in drain(watch)] == ["b"]
    assert watch.decide(NOW, 0.5) == Finished()


def test_404_asks_for_the_task() -> None:
    watch = fresh()
    watch.receive(snapshot(status=404), NOW)

    assert watch.decide(NOW, 0.5) == AskTask()


def test_404_of_a_task_that_stays_unknown_is_not_found_after_a_grace() -> None:
    """ "Not found" just after creation must not stop the wait: the task exists a second later.

    Complaint 13 (hashicorp/go-azure-sdk #740): "not found" just after creation stops the poller.
    """
    watch = fresh(grace=120.0)
    for now in (NOW, NOW + 60, NOW + 119.9):
        watch.receive(snapshot(status=404), now)
        assert watch.decide(now, 0.5) == AskTask()
        watch.receive_unknown_task(UNKNOWN, now)
        assert isinstance(watch.decide(now, 0.5), Wait)
    watch.receive(snapshot(status=404), NOW + 120)
    watch.receive_unknown_task(UNKNOWN, NOW + 120)

    error = failure_of(watch.decide(NOW + 120, 0.5))

    assert isinstance(error, TaskNotFoundError)
    assert (error.task_id, error.status) == (TASK_ID, 404)


def test_a_fresh_task_that_becomes_known_within_the_grace_is_waited_for() -> None:
    watch = fresh()
    watch.receive(snapshot(status=404), NOW)
    watch.receive_unknown_task(UNKNOWN, NOW)
    watch.receive(snapshot(status=404), NOW + 10)
    watch.receive_task(task(TaskStatus.RECEIVED), NOW + 10)

    assert wait_of(watch.decide(NOW + 10, 0.5)) > 60


@pytest.mark.parametrize("types", [None, ()])
def test_a_task_that_lists_no_derivative_types_fails(types: tuple[str, ...] | None) -> None:
    watch = fresh()
    watch.receive(snapshot(status=404), NOW)
    watch.receive_task(task(derivative_product_types=types), NOW)

    assert isinstance(failure_of(watch.decide(NOW, 0.5)), NoDerivativesRequestedError)


def test_a_watch_that_was_told_what_was_requested_believes_that() -> None:
    """No document says that getTask echoes the types: who ordered them may insist."""
    watch = Watch(TASK_ID, requested=("DC_VESSELS",))
    watch.begin(NOW, Patience())
    watch.receive(snapshot(status=404), NOW)
    watch.receive_task(task(derivative_product_types=None), NOW)

    assert isinstance(watch.decide(NOW, 0.5), Wait)


@pytest.mark.parametrize("status", [TaskStatus.REJECTED, TaskStatus.FAILED, TaskStatus.CANCELED])
def test_an_ended_task_fails_after_what_was_ready(status: TaskStatus) -> None:
    """Trap (sentinelhub, progress): the monitor looks at the percentage and never at the status."""
    watch = fresh()
    watch.receive(snapshot(derivative("a", "geojson"), derivative("b")), NOW)
    watch.receive(snapshot(status=404), NOW)
    watch.receive_task(task(status), NOW)

    assert [one.id for one in drain(watch)] == ["a"]
    error = failure_of(watch.decide(NOW, 0.5))
    assert isinstance(error, TaskEndedError)
    assert (error.status, error.delivered, error.missing) == (status, ("a",), ("b",))


def test_an_end_learned_long_after_the_last_look_is_checked_by_one_more_look() -> None:
    """What became ready in the hours between must not be lost with the task."""
    watch = fresh()
    watch.receive(snapshot(status=404), NOW)
    watch.receive_task(task(TaskStatus.ACTIVE), NOW)
    wait_of(watch.decide(NOW, 0.5))
    watch.receive_task(task(TaskStatus.FAILED), NOW + HOUR)

    assert watch.decide(NOW + HOUR, 0.5) == Look()
    watch.receive(snapshot(derivative("a", "geojson"), derivative("b")), NOW + HOUR)
    assert [one.id for one in drain(watch)] == ["a"]
    assert isinstance(failure_of(watch.decide(NOW + HOUR, 0.5)), TaskEndedError)


def test_an_end_after_fulfilment_is_noticed_though_looks_go_on_saying_404() -> None:
    watch, now = fresh(), NOW
    watch.receive(snapshot(status=404), now)
    watch.receive_task(task(TaskStatus.FULFILLED), now)
    for _ in range(200):
        decision = watch.decide(now, 0.5)
        match decision:
            case Wait(until=until):
                now = until
            case Look():
                watch.receive(snapshot(status=404), now)
            case AskTask():
                watch.receive_task(task(TaskStatus.FAILED), now)
            case _:
                break

    assert isinstance(failure_of(decision), TaskEndedError)


def test_done_does_not_mean_that_derivatives_are_ready() -> None:
    watch = fresh()
    watch.receive(snapshot(status=404), NOW)
    watch.receive_task(task(TaskStatus.DONE), NOW)
    assert watch.decide(NOW, 0.5) == Look()
    watch.receive(snapshot(status=404), NOW)

    assert isinstance(watch.decide(NOW, 0.5), Wait)


def test_an_unknown_status_is_waited_for() -> None:
    watch = fresh()
    watch.receive(snapshot(status=404), NOW)
    watch.receive_task(task("SOMETHING_NEW"), NOW)

    assert isinstance(watch.decide(NOW, 0.5), Wait)


def test_206_then_404_is_a_flap_and_loses_nothing() -> None:
    watch = fresh()
    watch.receive(snapshot(derivative("a", "geojson"), derivative("b")), NOW)
    watch.receive(snapshot(status=404), NOW)
    watch.receive_task(task(TaskStatus.FULFILLED), NOW)
    watch.receive(snapshot(derivative("a", "geojson"), derivative("b", "geojson"), status=200), NOW)

    assert [one.id for one in drain(watch)] == ["a", "b"]
    assert watch.finished


def test_a_task_whose_derivative_types_could_not_be_read_is_not_believed_to_have_none() -> None:
    watch = fresh()
    watch.receive(snapshot(status=404), NOW)
    odd = Extra({"derivativeProductTypes": "DC_VESSELS"})
    watch.receive_task(task(derivative_product_types=None, extra=odd), NOW)

    assert wait_of(watch.decide(NOW, 0.5)) > 0
