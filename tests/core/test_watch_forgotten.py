"""A task that was seen is not known any more: how long is that taken for somebody's mistake?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import TASK_ID, derivative, snapshot, task
from watches import HOUR, NOW, drain, failure_of, fresh

from iceye_derivatives import PollBudgetError, ServerError, TaskNotFoundError, TaskStatus, Watch
from iceye_derivatives._core.decisions import AskTask, Decision, Failed, Look, Patience, Wait
from iceye_derivatives._core.fleet_park import Garage

PATIENCE = Patience(failures=6, grace=10.0)
UNKNOWN = TaskNotFoundError("not found", status=404)
DOWN = ServerError("down", status=502)


def seen_by_its_status() -> Watch:
    watch = Watch(TASK_ID)
    watch.begin(NOW - HOUR, PATIENCE)
    watch.receive(snapshot(status=404), NOW - HOUR)
    watch.receive_task(task(TaskStatus.ACTIVE), NOW - HOUR)
    return watch


def seen_by_its_derivatives() -> Watch:
    watch = Watch(TASK_ID)
    watch.begin(NOW - HOUR, PATIENCE)
    watch.receive(snapshot(derivative("a"), derivative("b", "geojson")), NOW - HOUR)
    drain(watch)
    return watch


def as_it_is(watch: Watch) -> Watch:
    return watch


def saved(watch: Watch) -> Watch:
    again = Watch.from_json(watch.to_json())
    again.begin(NOW, PATIENCE)
    return again


def parked(watch: Watch) -> Watch:
    garage = Garage(PATIENCE)
    return garage.fetch(TASK_ID, garage.park(watch))


def saved_by_a_fleet(watch: Watch) -> Watch:
    garage = Garage(PATIENCE)
    return garage.read(TASK_ID, garage.note(watch, NOW))


every_way = pytest.mark.parametrize(
    ("seen", "carried"),
    [
        (seen, carried)
        for seen in (seen_by_its_status, seen_by_its_derivatives)
        for carried in (as_it_is, saved, parked, saved_by_a_fleet)
    ],
)


def live(watch: Watch, now: float, answers: list[str], jitter: float = 0.5) -> tuple[Decision, int]:
    """Each poll is answered by the next word; how it ended, and how many polls it took."""
    watch.wake(now)
    for polls, word in enumerate(answers):
        decision = watch.decide(now, jitter)
        while isinstance(decision, Wait):
            now = decision.until
            decision = watch.decide(now, jitter)
        if isinstance(decision, Failed):
            return decision, polls
        if word == "down":
            watch.receive_failure(DOWN)
            continue
        if decision == Look():
            watch.receive(snapshot(status=404), now)
            assert watch.decide(now, jitter) == AskTask()
        watch.receive_unknown_task(UNKNOWN, now)
    return watch.decide(now, jitter), len(answers)


@every_way
@given(
    answers=st.lists(st.sampled_from(["unknown", "down"]), max_size=PATIENCE.failures - 1),
    jitter=st.floats(0, 0.999),
)
def test_less_than_the_budget_of_it_loses_nothing(
    seen: Callable[[], Watch],
    carried: Callable[[Watch], Watch],
    answers: list[str],
    jitter: float,
) -> None:
    """The law: "unattended, for weeks" bears whoever answers for the API meanwhile."""
    watch = carried(seen())

    decision, _ = live(watch, NOW, answers, jitter)
    assert not isinstance(decision, Failed)
    watch.receive(snapshot(derivative("z", "geojson"), status=200), NOW + 6 * HOUR)

    assert [one.id for one in drain(watch)] == ["z"]
    assert watch.finished


@every_way
def test_the_end_of_the_budget_is_the_end(
    seen: Callable[[], Watch], carried: Callable[[Watch], Watch]
) -> None:
    decision, polls = live(carried(seen()), NOW, ["unknown"] * 100)

    error = failure_of(decision)
    assert isinstance(error, TaskNotFoundError)
    assert (error.status, error.task_id) == (404, TASK_ID)
    assert "does not know it any more, 6 failed polls in a row" in str(error)
    assert polls == PATIENCE.failures


def test_the_last_failure_names_the_end() -> None:
    unknown, _ = live(seen_by_its_status(), NOW, [*["down"] * 4, *["unknown"] * 2])
    down, _ = live(seen_by_its_status(), NOW, [*["unknown"] * 5, "down"])

    assert isinstance(failure_of(unknown), TaskNotFoundError)
    assert isinstance(failure_of(down), PollBudgetError)


def test_a_small_budget_takes_no_grace_away() -> None:
    """A task that was seen a moment ago is as fresh as one that was not."""
    watch = fresh(failures=1, grace=120.0)
    watch.receive_task(task(TaskStatus.RECEIVED), NOW)
    for now in (NOW, NOW + 119.9):
        watch.receive_unknown_task(UNKNOWN, now)
        assert isinstance(watch.decide(now, 0.5), Wait)
    watch.receive_unknown_task(UNKNOWN, NOW + 120)

    assert isinstance(failure_of(watch.decide(NOW + 120, 0.5)), TaskNotFoundError)


def test_a_task_that_answers_again_has_the_whole_budget_again() -> None:
    watch, now = seen_by_its_status(), NOW
    for _ in range(5):
        assert not isinstance(live(watch, now, ["unknown"] * 5)[0], Failed)
        now += HOUR
        watch.receive_task(task(TaskStatus.ACTIVE), now)
        assert watch.failures == 0


def test_a_task_that_was_never_seen_answers_by_being_unknown() -> None:
    """It is no failure of the API, which so has all of its budget again."""
    watch = fresh(failures=2, grace=120.0)
    for now in (NOW, NOW + 30, NOW + 60):
        watch.receive_failure(DOWN)
        watch.receive_unknown_task(UNKNOWN, now)

    assert watch.failures == 0
    assert isinstance(watch.decide(NOW + 60, 0.5), Wait)


def test_what_asks_to_wait_is_obeyed() -> None:
    watch = seen_by_its_status()
    watch.receive_unknown_task(TaskNotFoundError("no", status=404, retry_after=900), NOW)

    decision = watch.decide(NOW, 0.0)

    assert isinstance(decision, Wait)
    assert decision.seconds >= 900
