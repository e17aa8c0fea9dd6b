"""Does a watch hand out each derivative exactly once, in the order first ready, saved or not?"""

from __future__ import annotations

import json

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from strategies import derivative, names, snapshot, snapshots
from watches import NOW, drain, fresh, keys

from iceye_derivatives import (
    Asset,
    ConfigurationError,
    Derivative,
    SignedUrl,
    Snapshot,
    TaskStatus,
    Watch,
)
from iceye_derivatives._core.decisions import Patience


class ExactlyOnce(RuleBasedStateMachine):
    """ "Each derivative exactly once, in the order first seen, … again, marked as an update."

    Any sequence of answers, takings, and restarts from the saved text: what was shown is handed
    out, nothing is handed out twice, and an update always brings an asset that is new.
    """

    @initialize()
    def start(self) -> None:
        self.watch = fresh()
        self.shown: dict[str, set[tuple[str, int]]] = {}
        self.taken: dict[str, set[tuple[str, int]]] = {}
        self.order: list[str] = []

    @rule(answer=snapshots())
    def answer(self, answer: Snapshot) -> None:
        self.watch.receive(answer, NOW)
        for one in answer.derivatives:
            if one.assets:
                self.shown.setdefault(one.id, set()).update(keys(one))

    @rule()
    def take(self) -> None:
        one = self.watch.pop()
        if one is None:
            assert self.shown == self.taken
            return
        before = self.taken.get(one.id, set())
        assert one.is_update == (one.id in self.taken)
        assert keys(one) - before, "handed out again without anything new"
        self.taken.setdefault(one.id, set()).update(keys(one))
        if not one.is_update:
            self.order.append(one.id)

    @rule()
    def restart_elsewhere(self) -> None:
        self.watch = Watch.from_json(self.watch.to_json())
        self.watch.begin(NOW, Patience())
        # What was shown but not taken is shown again by the next look, not kept in a file.
        self.shown = {name: set(seen) for name, seen in self.taken.items()}

    @invariant()
    def delivered_is_what_was_taken_in_that_order(self) -> None:
        assert list(self.watch.delivered) == self.order

    @invariant()
    def the_saved_text_holds_no_url(self) -> None:
        assert "http" not in self.watch.to_json()
        assert "Signature" not in self.watch.to_json()


TestExactlyOnce = ExactlyOnce.TestCase


@given(st.lists(snapshots(), max_size=8))
def test_the_order_handed_out_is_the_order_first_ready(answers: list[Snapshot]) -> None:
    watch = fresh()
    first_ready: list[str] = []
    for answer in answers:
        watch.receive(answer, NOW)
        ready = {one.id for one in answer.derivatives if one.assets}
        listed = dict.fromkeys(one.id for one in answer.derivatives)
        first_ready += [name for name in listed if name in ready and name not in first_ready]

    assert [one.id for one in drain(watch)] == first_ready


@given(
    st.dictionaries(names, st.sampled_from(["DC_VESSELS", "DC_AIRCRAFT"]), max_size=4),
    st.none() | st.sampled_from(list(TaskStatus)),
)
def test_a_saved_watch_reads_back_as_it_was(listed: dict[str, str], status: str | None) -> None:
    watch = fresh()
    watch.receive(
        snapshot(*(derivative(name, "geojson", product_type=listed[name]) for name in listed)), NOW
    )
    drain(watch)
    watch.status = status

    again = Watch.from_json(watch.to_json())

    assert again.to_json() == watch.to_json()
    assert (again.delivered, again.missing) == (watch.delivered, watch.missing)


@given(
    st.text()
    | st.binary()
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "version",
                        "task_id",
                        "requested",
                        "sure",
                        "status",
                        "window",
                        "listed",
                        "handed",
                    ]
                ),
                inner,
            )
        ),
    ).map(json.dumps)
)
def test_text_that_is_no_saved_watch_is_refused_by_name(text: str | bytes) -> None:
    with pytest.raises(ConfigurationError, match="no saved watch"):
        Watch.from_json(text)


def test_what_is_given_back_comes_again_and_not_as_an_update() -> None:
    """A derivative whose files did not come home was not delivered."""
    watch = fresh()
    whole = snapshot(derivative("a", "geojson"), derivative("b", "geojson"), status=200)
    watch.receive(whole, NOW)
    drain(watch)
    assert watch.finished

    watch.give_back("a")
    again = Watch.from_json(watch.to_json())
    again.begin(NOW, Patience())
    again.receive(whole, NOW)

    assert [(one.id, one.is_update) for one in drain(again)] == [("a", False)]


def test_peeking_does_not_take() -> None:
    watch = fresh()
    watch.receive(snapshot(derivative("a", "geojson")), NOW)

    assert watch.peek() == watch.peek() == watch.pop()
    assert watch.peek() is None


def test_what_is_handed_out_is_of_the_task_that_is_watched_whoever_listed_it() -> None:
    watch = Watch("another task")
    watch.begin(NOW, Patience())
    watch.receive(snapshot(derivative("a", "geojson")), NOW)

    assert [one.task_id for one in drain(watch)] == ["another task"]


def test_further_assets_come_as_an_update_with_all_assets() -> None:
    watch = fresh()
    watch.receive(snapshot(derivative("a", "geojson")), NOW)
    drain(watch)
    watch.receive(snapshot(derivative("a", "geojson", "png")), NOW)

    (again,) = drain(watch)

    assert again.is_update
    assert [one.type for one in again.assets] == ["geojson", "png"]


def test_one_id_listed_twice_is_one_derivative() -> None:
    """Pages that overlap list an id twice, each time with what that page knows."""
    watch = fresh()
    watch.receive(snapshot(derivative("a", "geojson"), derivative("a", "png")), NOW)

    assert [keys(one) for one in drain(watch)] == [{("geojson", 1), ("png", 1)}]


def test_what_waits_to_be_taken_gets_the_newest_link() -> None:
    watch = fresh()
    watch.receive(snapshot(derivative("a", "geojson", serial=1)), NOW)
    watch.receive(snapshot(derivative("a", "geojson", serial=2)), NOW)

    (one,) = drain(watch)

    assert one.assets[0].url.reveal().endswith("s2")


def at(*addresses: str, signature: str) -> Derivative:
    """A derivative with an asset of one type at each address."""
    return evolve(
        derivative("a"),
        assets=tuple(
            Asset(type="geojson", url=SignedUrl(f"https://cdn.example/{name}?s={signature}"))
            for name in addresses
        ),
    )


@given(st.lists(st.sampled_from("abcdefg"), min_size=2, unique=True), st.data())
def test_assets_that_wait_to_be_taken_keep_their_addresses_in_whatever_order_they_come_again(
    addresses: list[str], data: st.DataObject
) -> None:
    """Of several of one type the newer links replace the older ones, each its own."""
    watch = fresh()
    watch.receive(snapshot(at(*addresses, signature="old")), NOW)
    again = data.draw(st.permutations([*addresses, "new"]))

    watch.receive(snapshot(at(*again, signature="renewed")), NOW)

    expected = at(*addresses, "new", signature="renewed")
    assert [one.assets for one in drain(watch)] == [expected.assets]


def test_an_entry_that_lists_one_of_two_takes_the_other_from_the_first() -> None:
    """Pages that overlap list one derivative twice: its entries are joined, by address first."""
    watch = fresh()
    watch.receive(snapshot(at("x", "y", signature="1"), at("y", signature="2")), NOW)

    [one] = drain(watch)

    assert one.assets == (
        *at("x", signature="1").assets,
        *at("y", signature="2").assets,
    )
