"""Does what is learned of delays come near the truth, stay bounded, and bear a liar?"""

from __future__ import annotations

import json
import math
from itertools import pairwise
from random import Random
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives import ConfigurationError, Delays
from iceye_derivatives._core.spread import EDGES, IMAGE_TO_FULFILLED, expect, looks_needed

SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)
kinds = st.sampled_from(["DC_VESSELS", "DC_AIRCRAFT", IMAGE_TO_FULFILLED])
seconds = st.floats(0, 5e6)
seen = st.lists(st.tuples(kinds, seconds, seconds), max_size=6)


def learned(observations: list[tuple[str, float, float]]) -> Delays:
    delays = Delays()
    for kind, earliest, latest in observations:
        delays.observe(kind, earliest, latest)
    return delays


@given(seen, kinds)
def test_a_spread_is_a_distribution_whatever_was_seen(
    observations: list[tuple[str, float, float]], kind: str
) -> None:
    spread = learned(observations).spread(kind)

    assert sum(spread.chance) == pytest.approx(1.0)
    assert all(chance >= 0 for chance in spread.chance)
    assert all(hazard >= 0 and math.isfinite(hazard) for hazard in spread.hazard)
    assert all(later <= before for before, later in pairwise(spread.survival))


@given(seen, kinds, st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_quantiles_rise(
    observations: list[tuple[str, float, float]], kind: str, a: float, b: float
) -> None:
    delays = learned(observations)

    assert delays.quantile(kind, min(a, b)) <= delays.quantile(kind, max(a, b))


@given(
    st.floats(30, 100_000),
    st.floats(0.1, 1.0),
    st.integers(0, 1000),
)
def test_what_is_learned_converges_to_the_truth(median: float, spread: float, seed: int) -> None:
    """To within a seventh and some of the spread, from a few hundred of them."""
    draw, delays = Random(seed), Delays()
    drawn = sorted(median * math.exp(draw.gauss(0, spread)) for _ in range(250))
    for value in drawn:
        delays.observe("DC_VESSELS", value, value)

    for share in SHARES:
        true = drawn[int(share * len(drawn))]
        assert abs(math.log(delays.quantile("DC_VESSELS", share) / true)) < 0.15 + 0.35 * spread


@pytest.mark.parametrize("spread", [0.2, 0.5, 0.8])
@pytest.mark.parametrize(("observed", "least", "most"), [(4, 0.7, 0.88), (40, 0.78, 0.84)])
def test_what_is_said_of_eight_in_ten_holds_for_about_as_many_of_the_next(
    spread: float, observed: int, least: float, most: float
) -> None:
    """Neither too sure of a few nor lost in doubt, however far delays stray."""
    came: list[bool] = []
    for seed in range(30):
        draw, delays = Random(seed), Delays()
        for value in (1800 * math.exp(draw.gauss(0, spread)) for _ in range(observed)):
            delays.observe("DC_VESSELS", value, value)
        early, late = (delays.quantile("DC_VESSELS", share) for share in (0.1, 0.9))
        came += (early <= 1800 * math.exp(draw.gauss(0, spread)) <= late for _ in range(200))

    assert least <= mean(came) <= most


@given(st.floats(1, 3e6), st.integers(0, 1000))
def test_one_outlier_does_not_spoil_what_ten_have_taught(outlier: float, seed: int) -> None:
    draw, delays = Random(seed), Delays()
    for _ in range(10):
        value = 1200 * math.exp(draw.gauss(0, 0.2))
        delays.observe("DC_VESSELS", value, value + 10)
    before = delays.quantile("DC_VESSELS", 0.5)
    delays.observe("DC_VESSELS", outlier, outlier)

    assert delays.quantile("DC_VESSELS", 0.5) == pytest.approx(before, rel=0.15)


def test_old_delays_fade_when_the_machines_change() -> None:
    delays = Delays()
    for _ in range(2000):
        delays.observe("DC_VESSELS", 3600, 3600)
    for _ in range(700):
        delays.observe("DC_VESSELS", 600, 600)

    assert delays.observations("DC_VESSELS") == pytest.approx(300, rel=0.01)
    assert delays.quantile("DC_VESSELS", 0.5) == pytest.approx(600, rel=0.05)


def test_a_prior_says_little_more_than_minutes_to_hours() -> None:
    delays = Delays()

    assert delays.quantile("DC_VESSELS", 0.05) < 240
    assert delays.quantile("DC_VESSELS", 0.95) > 5 * 3600


def test_a_product_never_seen_is_expected_like_the_others() -> None:
    delays = Delays()
    for _ in range(20):
        delays.observe("DC_VESSELS", 600, 610)

    assert delays.quantile("DC_SOMETHING_NEW", 0.5) == pytest.approx(600, rel=0.1)
    assert delays.quantile(IMAGE_TO_FULFILLED, 0.5) == pytest.approx(3600, rel=0.05)


def test_a_server_that_invents_names_fills_no_memory() -> None:
    delays = Delays()
    for number in range(5000):
        delays.observe(f"DC_{number}", 60, 60)

    assert len(json.loads(delays.to_json())["kinds"]) == 64


@pytest.mark.parametrize(
    ("earliest", "latest"), [(-1.0, 5.0), (5.0, 4.0), (0.0, math.inf), (math.nan, 1.0), (1e9, 1e9)]
)
def test_what_cannot_be_is_not_learned(earliest: float, latest: float) -> None:
    assert learned([("DC_VESSELS", earliest, latest)]).observations("DC_VESSELS") == 0


@given(seen, seen)
def test_merging_is_learning_from_both(
    ours: list[tuple[str, float, float]], theirs: list[tuple[str, float, float]]
) -> None:
    merged, both = learned(ours), learned(ours + theirs)
    merged.merge(learned(theirs))

    for kind in ("DC_VESSELS", IMAGE_TO_FULFILLED):
        assert merged.observations(kind) == pytest.approx(both.observations(kind))


@given(seen)
def test_saved_delays_read_back_as_they_were(observations: list[tuple[str, float, float]]) -> None:
    delays = learned(observations)
    again = Delays.from_json(delays.to_json())

    assert again.to_json() == delays.to_json()


@given(
    st.text()
    | st.binary()
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["version", "kinds", "DC_VESSELS"]), inner)
            | st.fixed_dictionaries({"version": st.just(1), "kinds": inner})
        ),
    )
    .filter(lambda value: value != {"version": 1, "kinds": {}})
    .map(json.dumps)
)
def test_text_that_is_no_saved_delays_is_refused_by_name(text: str | bytes) -> None:
    try:
        read = Delays.from_json(text)
    except ConfigurationError as error:
        assert "no saved delays" in str(error)  # noqa: PT017  some of what is drawn is good
    else:
        assert Delays.from_json(read.to_json()).to_json() == read.to_json()


@given(st.integers(0, 100), st.sampled_from([1 / 3, 0.5, 0.7]))
def test_the_looks_that_are_needed_are_those_that_are_made(seed: int, power: float) -> None:
    """The sum over the buckets against walking through them, for a draw of delays."""
    draw = Random(seed)
    counts = {draw.randrange(100, 200): 1.0 for _ in range(20)}
    spread = expect("DC_VESSELS", counts)
    made = sum(
        spread.survival[bucket]
        * (spread.chance[bucket] / (EDGES[bucket + 1] - EDGES[bucket]) / spread.survival[bucket])
        ** power
        * (EDGES[bucket + 1] - EDGES[bucket])
        for bucket in range(len(EDGES) - 1)
        if spread.chance[bucket] > 0
    )

    assert looks_needed([spread], power) == pytest.approx(made, rel=0.05)
