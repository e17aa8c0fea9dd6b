"""Does a watch that was parked go on as one that never was, and is it small meanwhile?"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import EPOCH, TASK_ID, derivative, snapshot, snapshots, task

from iceye_derivatives import (
    ConfigurationError,
    IceyeError,
    NetworkError,
    RateLimitedError,
    TaskNotFoundError,
    TaskStatus,
    Watch,
)
from iceye_derivatives._core.decisions import Failed, Finished, Patience, Wait
from iceye_derivatives._core.fleet import Reach, RotaEntry
from iceye_derivatives._core.fleet_park import Garage
from iceye_derivatives._core.fleet_state import FleetState
from iceye_derivatives._core.parked_fields import CODECS, FIELDS, LEFT_OUT
from iceye_derivatives._core.watch_memory import WATCH_SLOTS
from iceye_derivatives.models import ImagingTime, Scene

PATIENCE = Patience(timeout=86_400.0 * 20, failures=5)
NOW = EPOCH.timestamp()

statuses = st.sampled_from([*TaskStatus, "SOMETHING_NEW"])
moments = st.datetimes(datetime(2027, 1, 1), datetime(2027, 2, 1), timezones=st.just(UTC))  # noqa: DTZ001  bounds are naive there
facts = st.one_of(
    snapshots(),
    st.builds(task, statuses, products_available_in_seconds=st.none() | st.integers(0, 10**5)),
    st.builds(
        lambda start: Scene(
            imaging_time=ImagingTime(start=start, end=start + timedelta(seconds=10)), duration=10
        ),
        moments,
    ),
    st.just(NetworkError("the line broke")),
    st.builds(lambda s: RateLimitedError("slow", status=429, retry_after=s), st.floats(1, 900)),
    st.just("unknown"),
    st.just("no scene"),
    st.just("nudge"),
)


def receive(watch: Watch, fact: object, now: float) -> None:
    match fact:
        case Scene():
            watch.receive_scene(fact, now)
        case NetworkError() | RateLimitedError():
            watch.receive_failure(fact)
        case "unknown":
            watch.receive_unknown_task(TaskNotFoundError("gone", status=404), now)
        case "no scene":
            watch.receive_no_scene(NetworkError("none"), now)
        case "nudge":
            watch.nudge(now)
        case _ if hasattr(fact, "availability"):
            watch.receive(fact, now)  # type: ignore[arg-type]
        case _:
            watch.receive_task(fact, now)  # type: ignore[arg-type]


def knowledge(watch: Watch) -> dict[str, object]:
    known = {name: getattr(watch, name) for name in WATCH_SLOTS if name not in LEFT_OUT}
    failure = known["_failure"]
    return known | {
        "_failure": type(failure),
        "_seen": known["_seen"] or Watch("").seen,
        "_fatal": known["_fatal"] is None,
    }


@given(
    steps=st.lists(st.tuples(facts, st.floats(0.0, 5000.0), st.floats(0, 0.999)), max_size=8),
)
def test_a_watch_that_is_parked_after_every_step_knows_what_one_that_never_was_knows(
    steps: list[tuple[object, float, float]],
) -> None:
    garage = Garage(PATIENCE)
    plain, parked = Watch(TASK_ID), Watch(TASK_ID)
    for watch in (plain, parked):
        watch.begin(NOW, PATIENCE)
    now = NOW
    for fact, seconds, jitter in steps:
        now += seconds
        decisions = []
        for watch in (plain, parked):
            receive(watch, fact, now)
            while watch.pop():
                pass
            decisions.append(watch.decide(now, jitter))
            if jitter < 0.5:  # the others come back before their time
                watch.wake(now)
        assert type(decisions[0]) is type(decisions[1])
        if isinstance(decisions[0], Finished | Failed):
            return
        if isinstance(decisions[0], Wait):
            assert decisions[0] == decisions[1]
        parked = garage.fetch(TASK_ID, garage.park(parked))
        assert knowledge(parked) == knowledge(plain)


def test_every_field_of_a_watch_has_a_form_here_or_a_reason_to_have_none() -> None:
    """A field without one would not be lost, but each watch that uses it would stay whole."""
    assert {*WATCH_SLOTS} == {*CODECS, *LEFT_OUT, "_fatal"}


def test_what_has_no_form_stays_whole() -> None:
    garage = Garage(PATIENCE)
    watch = Watch(TASK_ID)
    watch.begin(NOW, PATIENCE)
    watch.receive(snapshot(derivative("a", "geojson")), NOW)  # it waits to be handed out

    assert garage.fetch(TASK_ID, garage.park(watch)) is watch


def test_a_file_never_holds_a_link_and_never_counts_as_handed_out_what_was_not() -> None:
    garage = Garage(PATIENCE)
    watch = Watch(TASK_ID)
    watch.receive(snapshot(derivative("a", "geojson"), status=200), NOW)

    state = garage.note(watch, NOW)
    again = garage.read(TASK_ID, state)

    assert "cdn.example" not in state
    assert (again.delivered, again.finished) == ((), False)


def waiting_watch() -> Watch:
    watch = Watch(TASK_ID)
    watch.begin(NOW, PATIENCE)
    watch.receive(snapshot(status=404), NOW + 1.234567)
    watch.receive_task(
        task(derivative_product_types=("DC_AIRCRAFT", "DC_VEHICLES", "DC_VESSELS")), NOW + 2.345678
    )
    assert isinstance(watch.decide(NOW + 2.345678, 0.123456789), Wait)
    return watch


def test_a_watch_that_waits_for_its_image_is_remembered_in_little() -> None:
    assert len(Garage(PATIENCE).park(waiting_watch())) < 300


@given(
    places=st.lists(
        st.builds(
            RotaEntry,
            st.floats(-1e12, 1e12),
            st.text(st.characters(exclude_categories=["Cs"])),
            st.sampled_from(list(Reach)),
            st.just(Garage(PATIENCE).park(waiting_watch())),
        ),
        unique_by=lambda place: place.task_id,
    ),
    reformat=st.booleans(),
)
def test_a_saved_fleet_is_read_as_it_was_whoever_reformatted_it(
    places: list[RotaEntry], reformat: bool
) -> None:
    text = FleetState(tuple(places)).to_json()
    if reformat:
        text = json.dumps(json.loads(text), indent=2, sort_keys=True)

    assert list(FleetState.from_json(text).places()) == places


def test_a_file_of_a_version_that_knew_other_fields_is_read_by_their_names() -> None:
    state = [0, "ACTIVE", 1, "what is not known any more", 2, True]
    saved = {"version": 1, "fields": ["status", "_retired", "sure"]}
    text = json.dumps(saved | {"tasks": [["a", 1.5, 1, state]]})

    (place,) = FleetState.from_json(text).places()
    watch = Garage(PATIENCE).read("a", place.state)

    assert (watch.status, watch.sure) == ("ACTIVE", True)


class VaultSealedError(NetworkError):
    """What somebody's own `TokenSource` raises."""


def test_an_error_of_somebody_elses_is_remembered_as_the_nearest_of_ours() -> None:
    garage = Garage(PATIENCE)
    watch = waiting_watch()
    watch.receive_failure(VaultSealedError("the vault is sealed"))

    state = garage.park(watch)
    saved = FleetState((RotaEntry(NOW, TASK_ID, Reach.ALONE, state),)).to_json()
    (place,) = FleetState.from_json(saved).places()

    assert type(garage.fetch(TASK_ID, place.state)._failure) is NetworkError


def test_an_error_that_this_version_does_not_know_refuses_no_saved_fleet() -> None:
    saved = '{"version":1,"fields":["_failure"],"tasks":[["a",1,0,[0,"FutureError"]]]}'

    (place,) = FleetState.from_json(saved).places()

    assert type(Garage(PATIENCE).read("a", place.state)._failure) is IceyeError


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"version":2,"fields":[],"tasks":[]}',
        '{"version":1,"fields":[],"tasks":[["a",1,0]]}',
        '{"version":1,"fields":["status"],"tasks":[["a",1,0,[0,5]]]}',
        '{"version":1,"fields":["status"],"tasks":[["a",1,0,[1,"ACTIVE"]]]}',
        '{"version":1,"fields":["status"],"tasks":[["a","soon",0,[]]]}',
        '{"version":1,"fields":["status"],"tasks":[["a",1,9,[]]]}',
        '{"version":1,"fields":["status"],"tasks":[["a",1,0,[]],["a",1,0,[]]]}',
        '{"version":1,"fields":["_failure"],"tasks":[["a",1,0,[0,7]]]}',
        '{"version":1,"fields":["_seen"],"tasks":[["a",1,0,[0,[{},{"x":"y"}]]]]}',
        '{"version":1,"fields":["status"],"tasks":[["a",NaN,0,[]]]}',
        '{"version":1,"fields":["status"],"tasks":[["a",1,0,[]]',
    ],
)
def test_what_is_no_saved_fleet_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(ConfigurationError, match="no saved fleet of this version"):
        FleetState.from_json(text)


def test_the_names_of_the_fields_are_those_of_the_table() -> None:
    assert len(set(FIELDS)) == len(FIELDS)
