"""Looks fail, or nothing comes: how long does a watch go on, and what does its error tell?"""

from __future__ import annotations

import pickle

from hypothesis import given
from hypothesis import strategies as st
from strategies import TASK_ID, derivative, snapshot
from watches import HOUR, NOW, drain, failure_of, fresh, wait_of

from iceye_derivatives import (
    PermissionDeniedError,
    PollBudgetError,
    RateLimitedError,
    ServerError,
    WatchTimeoutError,
)
from iceye_derivatives._core.decisions import AskTask, Failed, Look, Patience, Wait


def server_error() -> ServerError:
    return ServerError("The API failed", status=503)


def test_a_refusal_fails_at_once() -> None:
    """Complaint 15 (CS-SI/eodag #1067).

    Hopeless errors are retried for the full wait; a good wait looks frozen.
    """
    watch = fresh()
    watch.receive_failure(PermissionDeniedError("Not yours", status=403))

    assert isinstance(failure_of(watch.decide(NOW, 0.5)), PermissionDeniedError)


def test_failed_polls_have_a_budget_apart_from_the_wait() -> None:
    """Trap (hyp3-sdk, poll errors): one connection error ends the watch."""
    watch = fresh(failures=3, timeout=None)
    now = NOW
    for _ in range(2):
        assert watch.decide(now, 0.5) == Look()
        watch.receive_failure(server_error())
        now += wait_of(watch.decide(now, 0.5))
    assert watch.decide(now, 0.5) == Look()
    watch.receive_failure(server_error())

    decision = watch.decide(now, 0.5)

    assert isinstance(failure_of(decision), PollBudgetError)
    assert isinstance(decision, Failed)
    assert isinstance(decision.cause, ServerError)


def test_an_answer_refills_the_budget() -> None:
    watch = fresh(failures=2)
    for _ in range(5):
        watch.receive_failure(server_error())
        watch.receive(snapshot(derivative("a")), NOW)

    assert isinstance(watch.decide(NOW, 0.5), Wait)


def test_a_task_that_never_answers_uses_up_the_budget_though_looks_say_404() -> None:
    """Else the 404 would forgive each failed question, and both would be asked for ever."""
    watch = fresh(failures=3)
    for _ in range(3):
        watch.receive(snapshot(status=404), NOW)
        assert watch.decide(NOW, 0.5) == AskTask()
        watch.receive_failure(server_error())

    assert isinstance(failure_of(watch.decide(NOW, 0.5)), PollBudgetError)


@given(st.floats(3, 3600), st.floats(0, 1, exclude_max=True))
def test_retry_after_is_never_undercut_and_hardly_exceeded(asked: float, jitter: float) -> None:
    """Trap (eodag, Retry-After): it is logged but not used."""
    watch = fresh()
    watch.decide(NOW, jitter)
    watch.receive_failure(RateLimitedError("Slow down", status=429, retry_after=asked))

    # Unix time in a float is good to a microsecond.
    assert asked - 1e-6 <= wait_of(watch.decide(NOW, jitter)) <= asked * 1.1 + 1e-6


@given(st.floats(300, 3600), st.floats(0, 0.5), st.floats(0.1, 0.49))
def test_those_that_were_stopped_together_do_not_come_back_together(
    asked: float, jitter: float, apart: float
) -> None:
    waits = []
    for draw in (jitter, jitter + apart):
        watch = fresh()
        watch.decide(NOW, draw)
        watch.receive_failure(RateLimitedError("Slow down", status=429, retry_after=asked))
        waits.append(wait_of(watch.decide(NOW, draw)))

    assert waits[1] - waits[0] >= asked * apart * 0.05


def test_patience_ends_with_one_last_look_and_tells_what_came() -> None:
    """A normal timeout must not read as a crash."""
    watch = fresh(timeout=3.0)
    assert watch.decide(NOW, 0.99) == Look()
    watch.receive(snapshot(derivative("a", "geojson"), derivative("b")), NOW)
    drain(watch)
    assert wait_of(watch.decide(NOW, 0.99)) == 3.0
    assert watch.decide(NOW + 3.0, 0.99) == Look()
    watch.receive(snapshot(derivative("a", "geojson"), derivative("b")), NOW + 3.0)

    error = failure_of(watch.decide(NOW + 3.0, 0.99))

    assert isinstance(error, WatchTimeoutError)
    assert isinstance(error, TimeoutError)
    assert (error.delivered, error.missing, error.watch) == (("a",), ("b",), watch)
    assert "missing: b" in str(error)


def test_no_patience_at_all_still_looks_once() -> None:
    watch = fresh(timeout=0.0)
    assert watch.decide(NOW, 0.5) == Look()
    watch.receive(snapshot(derivative("a")), NOW)

    assert isinstance(failure_of(watch.decide(NOW, 0.5)), WatchTimeoutError)


def test_a_watch_that_timed_out_goes_on_with_fresh_patience() -> None:
    watch = fresh(timeout=0.0)
    watch.receive(snapshot(derivative("a", "geojson"), derivative("b")), NOW)
    drain(watch)
    watch.begin(NOW + HOUR, Patience())
    assert watch.decide(NOW + HOUR, 0.5) == Look()
    watch.receive(snapshot(derivative("a", "geojson"), derivative("b", "geojson"), status=200), NOW)

    assert [one.id for one in drain(watch)] == ["b"]
    assert watch.finished


def test_an_error_of_a_watch_pickles_without_links() -> None:
    watch = fresh(timeout=0.0)
    watch.receive(snapshot(derivative("a", "geojson", serial=77)), NOW)
    watch.decide(NOW, 0.5)
    watch.receive(snapshot(derivative("a", "geojson", serial=77)), NOW)
    pickled = pickle.dumps(failure_of(watch.decide(NOW, 0.5)))

    assert b"s77" not in pickled
    assert pickle.loads(pickled).watch.task_id == TASK_ID  # noqa: S301  our own bytes
