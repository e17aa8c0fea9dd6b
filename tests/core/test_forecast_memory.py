"""What does a watch learn, and what does it know again after it was saved?"""

from __future__ import annotations

import json

import pytest
from foretold import HOUR, MINUTE, NOW, OPENS, at, fresh, settle, taught
from hypothesis import given
from hypothesis import strategies as st
from strategies import TASK_ID, derivative, snapshot, task

from iceye_derivatives import Delays, TaskStatus, Watch
from iceye_derivatives._core.decisions import Patience
from iceye_derivatives._core.spread import IMAGE_TO_FULFILLED, SHARE_OF_PROMISE


def test_a_life_teaches_how_long_its_steps_took() -> None:
    delays = Delays()
    watch, planned = fresh(delays), OPENS + HOUR
    settle(watch, planned + 70, TaskStatus.ACTIVE, planned, products_available_in_seconds=3600)
    fulfilled = planned + 10 + 30 * MINUTE
    now = fulfilled + MINUTE
    watch.receive_task(
        task(TaskStatus.FULFILLED, fulfilled_at=at(fulfilled), products_available_in_seconds=3600),
        now,
    )
    watch.receive(snapshot(status=404), now)
    watch.receive(snapshot(derivative("a", "geojson")), now + MINUTE)

    assert [
        delays.observations(kind) for kind in (IMAGE_TO_FULFILLED, SHARE_OF_PROMISE, "DC_VESSELS")
    ] == [1, 1, pytest.approx(1)]


def test_what_was_not_watched_closely_is_not_learned() -> None:
    """A watch that was away for hours knows no more than that it came meanwhile."""
    delays = Delays()
    watch = fresh(delays)
    watch.receive_task(task(TaskStatus.FULFILLED, fulfilled_at=at(OPENS)), OPENS + MINUTE)
    watch.receive(snapshot(derivative("a", "geojson")), OPENS + 9 * HOUR)

    assert delays.observations("DC_VESSELS") == 0


@given(st.lists(st.sampled_from([404, 206]), max_size=5))
def test_deciding_learns_nothing_and_repeats_itself(answers: list[int]) -> None:
    delays = taught(DC_VESSELS=20)
    watch = fresh(delays)
    settle(watch, OPENS + HOUR, TaskStatus.FULFILLED, fulfilled_at=at(OPENS + HOUR))
    for status in answers:
        listed = () if status == 404 else (derivative("a"),)
        watch.receive(snapshot(*listed, status=status), OPENS + HOUR)
    before = delays.to_json()

    assert watch.decide(OPENS + HOUR, 0.5) == watch.decide(OPENS + HOUR, 0.5)
    assert delays.to_json() == before


def test_the_usual_delay_is_told_once_a_few_were_seen() -> None:
    watch = fresh(taught(DC_VESSELS=20))
    wait = settle(watch, OPENS + HOUR, TaskStatus.FULFILLED, fulfilled_at=at(OPENS + HOUR))

    assert wait.reason == (
        "the task is FULFILLED and its derivatives are being processed "
        "(usually DC_VESSELS after about 20 min)"
    )


@given(
    st.floats(0, 60 * HOUR),
    st.floats(0, 72 * HOUR),
    st.sampled_from([TaskStatus.RECEIVED, TaskStatus.ACTIVE, TaskStatus.FULFILLED]),
    st.booleans(),
)
def test_going_on_from_the_saved_text_is_like_not_having_stopped(
    since: float, planned_in: float, status: TaskStatus, has_scene: bool
) -> None:
    delays, now = taught(DC_VESSELS=20), NOW + since
    plan = NOW + planned_in if has_scene else None
    more = {} if status != TaskStatus.FULFILLED else {"fulfilled_at": at(now - 5 * MINUTE)}
    watch = fresh(delays)
    settle(watch, now, status, plan, **more)
    again = Watch.from_json(watch.to_json())

    again.begin(now, Patience(delays=delays))
    resumed = settle(again, now, status, plan, **more)
    watch.begin(now, Patience(delays=delays))
    stayed = settle(watch, now, status, plan, **more)

    assert resumed == stayed
    assert again.to_json() == watch.to_json()


def test_a_watch_that_the_first_version_saved_goes_on() -> None:
    saved = {
        "version": 1,
        "task_id": TASK_ID,
        "requested": ["DC_VESSELS"],
        "sure": True,
        "status": "ACTIVE",
        "window": ["2027-01-16T00:00:00+00:00", "2027-01-18T00:00:00+00:00"],
        "listed": {"a": "DC_VESSELS"},
        "handed": {"a": [["geojson", 1]]},
    }
    watch = Watch.from_json(json.dumps(saved))

    assert (watch.status, watch.window, watch.delivered) == (
        "ACTIVE",
        task().acquisition_window,
        ("a",),
    )
