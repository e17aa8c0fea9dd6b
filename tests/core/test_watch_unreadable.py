"""What does a watch make of a listing of which a part cannot be read?"""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from answers import response
from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import TASK_ID, derivative, names, snapshot, unreadable
from watches import HOUR, NOW, drain, failure_of, fresh

from iceye_derivatives import (
    Derivative,
    NetworkError,
    Snapshot,
    TaskEndedError,
    Unreadable,
    UnreadableDerivativesError,
    Watch,
    WatchTimeoutError,
)
from iceye_derivatives._core.decisions import Failed, Finished, Look, Patience, Wait
from iceye_derivatives._core.fleet_park import Garage
from iceye_derivatives._core.responses import join_pages, read_snapshot
from iceye_derivatives.models import TaskStatus

READY = derivative("a", "geojson")
BAD = unreadable(1, "b", "DC_AIRCRAFT")
POOR_206 = snapshot(READY, unreadable=(BAD,))
POOR_200 = snapshot(READY, status=200, unreadable=(BAD,))


def looks_until_it_ends(watch: Watch, look: Snapshot, most: int) -> tuple[int, list[float]]:
    """How many answers a watch takes of the same look, and how long it waits between them."""
    now, waits = NOW, list[float]()
    for looks in range(most):
        drain(watch)
        decision = watch.decide(now, 0.5)
        while isinstance(decision, Wait):
            now += decision.seconds
            waits.append(decision.seconds)
            decision = watch.decide(now, 0.5)
        if isinstance(decision, Failed | Finished):
            return looks, waits
        watch.receive(look, now)
    return most, waits


@given(st.integers(1, 30))
def test_what_stays_unreadable_ends_a_watch_after_the_budget(budget: int) -> None:
    """The law: all else has come, and as many looks as failed polls may there be in a row."""
    watch = fresh(failures=budget)

    looks, waits = looks_until_it_ends(watch, POOR_200, 100)

    error = failure_of(watch.decide(NOW, 0.5))
    assert isinstance(error, UnreadableDerivativesError)
    assert looks == budget
    assert sum(waits) <= 300 * budget
    assert (error.delivered, error.missing, error.unreadable) == (("a",), ("b",), (BAD,))
    assert "data[1].assets[0].href (DC_AIRCRAFT b) is missing" in str(error)


@pytest.mark.parametrize(
    ("requested", "look"),
    [
        ((), POOR_206),
        (("DC_VESSELS", "DC_AIRCRAFT", "DC_VEHICLES"), POOR_200),
        ((), evolve(POOR_200, derivatives=(READY, derivative("c")))),
        (("DC_X", "DC_Y", "DC_VESSELS"), evolve(POOR_200, unreadable=(unreadable(1),))),
    ],
    ids=["206", "a type is not listed", "one is in the making", "more types than are nameless"],
)
def test_it_costs_nothing_while_others_may_come(requested: tuple[str, ...], look: Snapshot) -> None:
    watch = fresh(failures=3)
    watch.requested = requested

    assert looks_until_it_ends(watch, look, 50)[0] == 50


@pytest.mark.parametrize("product_type", [None, "DC_AIRCRAFT"])
def test_a_type_that_is_not_listed_may_be_the_one_that_cannot_be_read(
    product_type: str | None,
) -> None:
    watch = fresh(failures=3)
    watch.requested = ("DC_VESSELS", "DC_AIRCRAFT")

    look = evolve(POOR_200, unreadable=(unreadable(1, None, product_type),))

    assert looks_until_it_ends(watch, look, 50)[0] == 3


def test_news_and_what_can_be_read_again_begin_the_count_anew() -> None:
    watch = fresh(failures=3)
    for look in (POOR_200, POOR_200, snapshot(READY), POOR_200, POOR_200):
        watch.receive(look, NOW)
    assert isinstance(watch.decide(NOW, 0.5), Wait)
    watch.receive(evolve(POOR_200, derivatives=(READY, derivative("c", "geojson"))), NOW)
    drain(watch)
    assert isinstance(watch.decide(NOW, 0.5), Wait)


def test_a_failed_poll_in_between_does_not() -> None:
    """Else the two would take turns for ever."""
    watch = fresh(failures=3)
    for _ in range(3):
        watch.receive(POOR_200, NOW)
        watch.receive_failure(NetworkError("no"))
    watch.receive(POOR_200, NOW)
    drain(watch)

    assert isinstance(failure_of(watch.decide(NOW, 0.5)), UnreadableDerivativesError)


def test_a_storm_of_hints_does_not_use_up_the_budget() -> None:
    calm, nudged = fresh(), fresh()
    for watch in (calm, nudged):
        for _ in range(9):
            watch.receive(POOR_200, NOW)
        drain(watch)
    nudged.nudge(NOW + 1)

    waits = [watch.decide(NOW + 1, 0.5) for watch in (calm, nudged)]

    assert waits[0] == waits[1]
    assert isinstance(waits[0], Wait)
    assert "cannot be read" in waits[0].reason


def test_what_is_mended_is_complete() -> None:
    watch = fresh()
    watch.receive(POOR_200, NOW)
    drain(watch)
    watch.receive(snapshot(READY, derivative("b", "geojson"), status=200), NOW)

    assert [one.id for one in drain(watch)] == ["b"]
    assert watch.decide(NOW, 0.5) == Finished()
    assert (watch.missing, watch.unreadable) == ((), ())


def test_what_is_gone_for_a_moment_is_not_mended() -> None:
    """206 → 404 flaps happen, and say nothing about what was listed."""
    watch = fresh()
    watch.receive(POOR_206, NOW)
    watch.receive(snapshot(status=404), NOW)

    assert (watch.missing, watch.unreadable) == (("b",), (BAD,))


def test_patience_that_ends_names_what_cannot_be_read() -> None:
    watch = fresh(timeout=HOUR)
    watch.receive(POOR_206, NOW)
    drain(watch)
    assert watch.decide(NOW + HOUR, 0.5) == Look()
    watch.receive(POOR_206, NOW + HOUR)

    error = failure_of(watch.decide(NOW + HOUR, 0.5))

    assert isinstance(error, WatchTimeoutError)
    assert (error.missing, error.unreadable) == (("b",), (BAD,))
    assert "data[1].assets[0].href (DC_AIRCRAFT b) is missing" in str(error)
    assert pickle.loads(pickle.dumps(error)).unreadable == (BAD,)  # noqa: S301 - our own


def test_a_task_that_ended_does_not_wait_for_it() -> None:
    watch = fresh()
    watch.receive(POOR_206, NOW)
    drain(watch)
    watch.status = TaskStatus.FAILED
    watch._ended = True
    watch.receive(POOR_200, NOW)

    error = failure_of(watch.decide(NOW, 0.5))

    assert isinstance(error, TaskEndedError)
    assert error.unreadable == (BAD,)


@pytest.mark.parametrize(
    ("faults", "missing"),
    [
        ([unreadable(1, "b", "DC_AIRCRAFT")], ("b",)),
        ([unreadable(1, None, "DC_AIRCRAFT")], ("DC_AIRCRAFT",)),
        ([unreadable(1, "b")], ("b", "DC_AIRCRAFT")),
        ([unreadable(1), unreadable(1, field="id")], ("data[1]", "DC_AIRCRAFT")),
        ([unreadable(0, "a", "DC_VESSELS", field="assets[1]")], ("a", "DC_AIRCRAFT")),
    ],
)
def test_what_is_missing_is_named_as_well_as_it_can_be(
    faults: list[Unreadable], missing: tuple[str, ...]
) -> None:
    watch = fresh()
    watch.requested = ("DC_VESSELS", "DC_AIRCRAFT")
    watch.receive(snapshot(READY, unreadable=tuple(faults)), NOW)

    assert watch.missing == missing


FAULTS = st.lists(
    st.builds(unreadable, st.integers(0, 3), st.none() | names), max_size=4, unique=True
)
HOW = st.sampled_from(["as it is", "parked", "saved", "in the file of many"])


@given(st.lists(st.tuples(FAULTS, HOW), max_size=8))
def test_a_complaint_is_told_once(looks: list[tuple[list[Unreadable], str]]) -> None:
    """The law: whatever the rhythm of listings, and wherever the watch is kept meanwhile."""
    garage, patience = Garage(Patience()), Patience()
    watch, told, all_faults = fresh(), list[Any](), dict[Any, None]()
    for faults, how in looks:
        watch.receive(snapshot(READY, unreadable=tuple(faults)), NOW)
        drain(watch)
        for fault in faults:
            all_faults[fault.derivative_id or fault.item, fault.field] = None
        told += {f.derivative_id or f.item: None for f in watch.untold}
        watch.mark_told()
        assert watch.unreadable == tuple(faults)
        watch = kept(watch, how, garage, patience)
        assert (watch.untold, watch.unreadable) == ((), tuple(faults))

    assert told == [whose for whose, _ in all_faults]


def kept(watch: Watch, how: str, garage: Garage, patience: Patience) -> Watch:
    if how == "parked":
        return garage.fetch(TASK_ID, garage.park(watch))
    if how == "saved":
        again = Watch.from_json(watch.to_json())
        again.begin(NOW, patience)
        return again
    return garage.read(TASK_ID, garage.note(watch, NOW)) if how != "as it is" else watch


def test_one_that_has_moved_in_the_listing_is_known_again_by_its_id() -> None:
    watch = fresh()
    watch.receive(POOR_206, NOW)
    watch.mark_told()
    watch.receive(evolve(POOR_206, unreadable=(evolve(BAD, item=7),)), NOW)

    assert (watch.untold, watch.unreadable[0].item) == ((), 7)


def test_a_watch_that_was_saved_before_is_read() -> None:
    """By a version in which one such item held back all others."""
    state = json.loads(fresh().to_json())
    del state["unreadable"], state["told"]

    assert Watch.from_json(json.dumps(state)).unreadable == ()


@pytest.mark.parametrize("told", [5, [5], [["x"]], [[None, "", ""]], [[True, "", ""]]])
def test_what_was_told_is_read_strictly(told: object) -> None:
    state = json.loads(fresh().to_json())

    for name in ("told", "unreadable"):
        with pytest.raises(ValueError, match="no saved watch"):
            Watch.from_json(json.dumps(state | {name: told}))


# -- assets of which some can be read ------------------------------------------------------------

LINK = "https://cdn.example/{}?Expires=2000000000&Signature={}"


def listed(serial: int, readable: list[bool], kinds: list[str]) -> Snapshot:
    """The assets of one derivative in one look, each with a link of its own address."""
    assets = [
        {"type": kind, "href": LINK.format(n, serial) if good else None}
        for n, (kind, good) in enumerate(zip(kinds, readable, strict=True))
    ]
    data = [
        {"id": "a", "derivativeProductType": "DC_VESSELS", "assets": assets},
        {"id": "b", "derivativeProductType": "DC_AIRCRAFT", "assets": []},
    ]
    return join_pages([read_snapshot(TASK_ID, response(206, {"data": data}), NOW)])


@given(
    st.lists(st.sampled_from(["geojson", "png"]), min_size=1, max_size=4).flatmap(
        lambda kinds: st.tuples(
            st.just(kinds),
            st.lists(st.lists(st.booleans(), min_size=len(kinds), max_size=len(kinds)), max_size=5),
        )
    ),
    st.booleans(),
)
@example(drawn=(["geojson", "geojson"], [[False, True]]), take_at_once=False)
@example(drawn=(["geojson", "geojson"], [[True, False], [False, True]]), take_at_once=True)
@example(drawn=(["geojson", "geojson"], [[False, True], [True, False]]), take_at_once=True)
def test_each_asset_comes_under_one_name_however_late_it_can_be_read(
    drawn: tuple[list[str], list[list[bool]]], take_at_once: bool
) -> None:
    """The law: a later readable one is an update, none is lost, and none is taken for another."""
    kinds, looks = drawn
    watch = fresh()
    homes: dict[tuple[str, int], set[str]] = {}
    names = [(kind, kinds[: n + 1].count(kind)) for n, kind in enumerate(kinds)]
    for serial, readable in enumerate([*looks, [True] * len(kinds)]):
        watch.receive(listed(serial, readable, kinds), NOW)
        if take_at_once or serial == len(looks):
            for one in drain(watch):
                note(homes, one)
            assert homes.keys() >= {
                name for name, good in zip(names, readable, strict=True) if good
            }

    assert homes == {name: {LINK.partition("?")[0].format(n)} for n, name in enumerate(names)}


def note(homes: dict[tuple[str, int], set[str]], one: Derivative) -> None:
    for ref, asset in zip(one.asset_refs(), one.assets, strict=True):
        address = asset.url.reveal().partition("?")[0]
        homes.setdefault((ref.asset_type, ref.ordinal), set()).add(address)
