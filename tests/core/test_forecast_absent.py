"""What does a watch do where nothing foretells, or where what is told cannot be?"""

from __future__ import annotations

from datetime import datetime

import pytest
from attrs import evolve
from foretold import HOUR, MINUTE, NOW, OPENS, fresh, jitters, no_scene, scene, settle
from hypothesis import given
from hypothesis import strategies as st
from strategies import EPOCH, TASK_ID, snapshot, task

from iceye_derivatives import (
    AuthenticationError,
    IceyeError,
    ImagingTime,
    Scene,
    ServerError,
    TaskNotFoundError,
    TaskStatus,
    Watch,
)
from iceye_derivatives._core.decisions import AskScene, AskTask, Failed, Look, Patience, Wait

moments = st.one_of(
    st.floats(-40 * HOUR, 100 * HOUR), st.sampled_from([-1e9, -1.0, 0.0, 1.0, 59.0, 1e9])
)
scene_errors = st.sampled_from([TaskNotFoundError, ServerError])


@pytest.mark.parametrize("kind", [TaskNotFoundError, AuthenticationError, ServerError])
def test_a_scene_that_is_not_to_be_had_is_no_failure(kind: type[IceyeError]) -> None:
    watch = fresh(failures=1)
    settle(watch, NOW, TaskStatus.ACTIVE, OPENS + HOUR)
    watch.receive_no_scene(no_scene(kind), NOW + HOUR)

    assert watch.failures == 0
    assert not isinstance(watch.decide(NOW + HOUR, 0.5), Failed)


def test_without_a_scene_the_plain_rhythm_holds() -> None:
    with_delays, plain = fresh(), Watch(TASK_ID)
    plain.begin(NOW, Patience())
    for hours in (0, 23, 25, 40, 70):
        now = NOW + hours * HOUR
        waits = []
        for watch in (with_delays, plain):
            watch.begin(now, watch._patience)
            waits.append(settle(watch, now, TaskStatus.ACTIVE).seconds)
        assert waits[0] == waits[1]


def test_a_status_without_its_moment_is_looked_at_as_ever() -> None:
    """`fulfilledAt` is optional in ICEYE's schema."""
    with_delays, plain = fresh(), Watch(TASK_ID)
    plain.begin(NOW, Patience())

    assert (
        settle(with_delays, NOW, TaskStatus.FULFILLED).seconds
        == settle(plain, NOW, TaskStatus.FULFILLED).seconds
    )


@pytest.mark.parametrize("years", [-2000, -1, 1])
def test_a_fulfilment_of_another_year_is_no_fact(years: int) -> None:
    moment = EPOCH.replace(year=EPOCH.year + years)
    watch = fresh()
    wait = settle(watch, OPENS + HOUR, TaskStatus.FULFILLED, fulfilled_at=moment)

    assert 0 < wait.seconds <= MINUTE


def test_the_edges_of_the_calendar_are_survived() -> None:
    watch = fresh()
    edge = datetime.fromisoformat("0001-01-01T00:00:00+14:00")
    window = evolve(task().acquisition_window, start=edge, end=edge)  # type: ignore[type-var]
    time = ImagingTime(start=edge, end=edge)
    watch.receive_task(task(TaskStatus.ACTIVE, acquisition_window=window), NOW)
    watch.receive_scene(Scene(imaging_time=time), NOW)

    assert isinstance(watch.decide(NOW, 0.5), Wait)
    assert watch.window is None
    assert Watch.from_json(watch.to_json()).to_json() == watch.to_json()


@given(st.data(), jitters, st.booleans())
def test_whatever_is_answered_the_questions_stay_few(
    data: st.DataObject, jitter: float, push: bool
) -> None:
    """In half a day before the image; scenes and promises of any kind, moving as they like."""
    watch, now, asked = fresh(push=push), OPENS, 0
    watch.receive_task(task(TaskStatus.ACTIVE), now)
    # Half of the draws at least, or full jitter itself would ask at its shortest for ever.
    jitter = 0.5 + jitter / 2
    while now < OPENS + 12 * HOUR:
        decision = watch.decide(now, jitter)
        if isinstance(decision, Wait):
            assert decision.seconds > 0
            now = decision.until
            continue
        asked += 1
        match decision:
            case Look():
                watch.receive(snapshot(status=404), now)
            case AskTask():
                promised = data.draw(st.none() | st.integers(-5, 10**7))
                watch.receive_task(
                    task(TaskStatus.ACTIVE, products_available_in_seconds=promised), now
                )
            case AskScene():
                plan = data.draw(st.none() | moments)
                if plan is None:
                    watch.receive_no_scene(no_scene(data.draw(scene_errors)), now)
                else:
                    watch.receive_scene(scene(now + plan), now)

    assert asked <= 12 * 6 * 2
