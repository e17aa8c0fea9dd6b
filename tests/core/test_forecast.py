"""Does a watch with a forecast look when it should, stay within its bounds, and survive liars?"""

from __future__ import annotations

import json
import math
from datetime import datetime, timedelta
from itertools import cycle, pairwise

import pytest
from attrs import evolve
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import EPOCH, TASK_ID, derivative, snapshot, task

from iceye_derivatives import (
    AuthenticationError,
    Delays,
    IceyeError,
    ImagingTime,
    Scene,
    ServerError,
    TaskNotFoundError,
    TaskStatus,
    Watch,
)
from iceye_derivatives._core.decisions import AskScene, AskTask, Failed, Look, Patience, Wait
from iceye_derivatives._core.forecast import models_wait, products_wait, wait_for
from iceye_derivatives._core.outlook import Outlook
from iceye_derivatives._core.rhythm import Facts, due_question, next_delay
from iceye_derivatives._core.spread import IMAGE_TO_FULFILLED, SHARE_OF_PROMISE, expect

NOW = EPOCH.timestamp()
MINUTE, HOUR = 60.0, 3600.0
OPENS = NOW + 24 * HOUR
"""When the window of `strategies.task` opens."""
TYPES = ("DC_AIRCRAFT", "DC_VEHICLES", "DC_VESSELS")

jitters = st.floats(0, 1, exclude_max=True)
counts = st.dictionaries(st.integers(0, 308), st.floats(0.1, 8), max_size=4)
ages = st.floats(0, 60 * 86_400)


def scene(start: float) -> Scene:
    begin = EPOCH + timedelta(seconds=start - NOW)
    return Scene(imaging_time=ImagingTime(start=begin, end=begin + timedelta(seconds=10)))


def at(moment: float) -> datetime:
    return EPOCH + timedelta(seconds=moment - NOW)


def no_scene(kind: type[IceyeError] = TaskNotFoundError) -> IceyeError:
    return kind("no", status=404)  # type: ignore[call-arg]  all that are drawn take it


def taught(**minutes: float) -> Delays:
    delays = Delays()
    for kind, median in minutes.items():
        for percent in range(80, 121, 2):
            took = median * MINUTE * percent / 100
            delays.observe(kind, took, took + 5)
    return delays


def fresh(delays: Delays | None = None, **patience: object) -> Watch:
    watch = Watch(TASK_ID)
    known = Delays() if delays is None else delays
    watch.begin(NOW, Patience(delays=known, **patience))  # type: ignore[arg-type]
    return watch


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


def settle(
    watch: Watch, now: float, status: str, plan: float | None = None, **more: object
) -> Wait:
    """Answer all that is asked at one moment, until the watch waits."""
    for _ in range(6):
        match watch.decide(now, 0.5):
            case Look():
                watch.receive(snapshot(status=404), now)
            case AskTask():
                watch.receive_task(task(status, **more), now)
            case AskScene() if plan is None:
                watch.receive_no_scene(no_scene(), now)
            case AskScene():
                watch.receive_scene(scene(plan), now)
            case Wait() as wait:
                return wait
    raise AssertionError("it never waits")


# -- the looks ----------------------------------------------------------------------------------


@given(
    ages,
    st.lists(counts, min_size=1, max_size=3),
    st.floats(1e-6, 1e6),
    st.sampled_from([1 / 3, 0.5, 0.7, 1.0]),
    st.floats(0.5, 1.5),
    st.floats(1, 100),
    st.floats(1, 100),
)
def test_a_gap_lies_between_the_shortest_and_the_longest(  # noqa: PLR0917  drawn by name
    age: float,
    seen: list[dict[int, float]],
    rate: float,
    power: float,
    looks: float,
    shortest: float,
    times: float,
) -> None:
    gap = wait_for(
        age,
        [expect("DC_VESSELS", each) for each in seen],
        rate=rate,
        power=power,
        looks=looks,
        shortest=shortest,
        longest=shortest * times,
    )

    # An age of weeks leaves a float few digits for a gap of a second.
    assert looks * shortest - 1e-6 <= gap + age * 1e-12
    assert gap - age * 1e-12 <= looks * shortest * times + 1e-6


@given(ages, jitters, counts)
def test_no_gap_is_much_longer_than_a_third_of_what_has_passed(
    age: float, jitter: float, seen: dict[int, float]
) -> None:
    """A forecast may be wrong: what comes against it is late by a part of its own time."""
    delays = Delays()
    for bucket, count in seen.items():
        for _ in range(math.ceil(count)):
            delays.observe("DC_VESSELS", 1.05**bucket, 1.05**bucket)
    wait = models_wait(
        age,
        jitter,
        patience=Patience(delays=delays),
        requested=("DC_VESSELS",),
        awaited=("DC_VESSELS",),
        planned=True,
    )

    assert 0 < wait <= 1.15 * min(10 * MINUTE, max(MINUTE, age / 3)) + 1e-3


@given(ages, jitters, st.none() | st.floats(1, 1e6))
def test_the_status_is_asked_for_no_more_rarely_than_without_a_forecast(
    age: float, jitter: float, promised: float | None
) -> None:
    longest = 45 * MINUTE
    wait = products_wait(
        age,
        jitter,
        patience=Patience(delays=taught(IMAGE_TO_FULFILLED=200)),
        promised=promised,
        requested=TYPES,
        longest=longest,
    )

    assert 0 < wait <= 1.15 * longest + 1e-3


def test_looks_crowd_where_it_should_come() -> None:
    delays = taught(DC_VESSELS=60)

    def gap(minutes: float) -> float:
        return models_wait(
            minutes * MINUTE,
            0.5,
            patience=Patience(delays=delays),
            requested=("DC_VESSELS",),
            awaited=("DC_VESSELS",),
            planned=True,
        )

    assert gap(58) < gap(30) / 20
    assert gap(58) < gap(120) / 3
    assert gap(120) < gap(600)


# -- the plan of the image ----------------------------------------------------------------------


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


# -- what there is no forecast from ---------------------------------------------------------------


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


# -- what is learned ----------------------------------------------------------------------------


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


# -- stopping and going on ------------------------------------------------------------------------


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


# -- pushes -------------------------------------------------------------------------------------


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


# -- however facts come ---------------------------------------------------------------------------

moments = st.one_of(
    st.floats(-40 * HOUR, 100 * HOUR), st.sampled_from([-1e9, -1.0, 0.0, 1.0, 59.0, 1e9])
)


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


scene_errors = st.sampled_from([TaskNotFoundError, ServerError])
