"""Do looks stand where the forecast says, and within bounds where it may be wrong?"""

from __future__ import annotations

import math
from random import Random
from statistics import NormalDist, mean

import pytest
from foretold import MINUTE, TYPES, jitters, taught
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives import Delays
from iceye_derivatives._core.decisions import Patience
from iceye_derivatives._core.forecast import models_wait, products_wait, wait_for
from iceye_derivatives._core.spread import IMAGE_TO_FULFILLED, expect

counts = st.dictionaries(st.integers(0, 308), st.floats(0.1, 8), max_size=4)
ages = st.floats(0, 60 * 86_400)


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
def test_the_status_is_asked_for_within_a_third_of_what_has_passed_and_the_plain_rhythm(
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

    assert 0 < wait <= 1.15 * min(longest, max(10 * MINUTE, age / 3)) + 1e-3


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


def test_a_life_costs_as_many_looks_as_it_may_and_its_status_a_few() -> None:
    """A budget, on average: that is what a task's requests are reckoned from."""
    medians = {"DC_AIRCRAFT": 10.0, "DC_VEHICLES": 25.0, "DC_VESSELS": 60.0}
    draw, patience = Random(7), Patience(delays=taught(**medians, IMAGE_TO_FULFILLED=90))

    def looks() -> int:
        came = {kind: m * MINUTE * draw.uniform(0.8, 1.2) for kind, m in medians.items()}
        age, count = 0.0, 0
        while awaited := tuple(kind for kind in TYPES if came[kind] > age):
            age += models_wait(
                age,
                draw.random(),
                patience=patience,
                requested=TYPES,
                awaited=awaited,
                planned=True,
            )
            count += 1
        return count

    def asks() -> int:
        took, age, count = 90 * MINUTE * draw.uniform(0.8, 1.2), 0.0, 0
        while age < took:
            age += products_wait(
                age,
                draw.random(),
                patience=patience,
                promised=None,
                requested=TYPES,
                longest=45 * MINUTE,
            )
            count += 1
        return count

    assert mean(looks() for _ in range(60)) == pytest.approx(74, rel=0.05)
    assert mean(asks() for _ in range(60)) <= 9.5


@pytest.mark.parametrize(
    ("products", "spread", "model"), [(60, 0.5, 5), (60, 0.8, 5), (120, 0.6, 10)]
)
def test_the_status_is_known_in_half_the_time_that_the_first_derivatives_take(
    products: float, spread: float, model: float
) -> None:
    """So that few of them are there before it is known that they may be."""
    shares = [NormalDist(sigma=spread).inv_cdf(percent / 20) for percent in range(1, 20)]
    delays = taught(DC_VESSELS=model)
    took = [products * MINUTE * math.exp(share) for share in shares]
    for moment in took:
        delays.observe(IMAGE_TO_FULFILLED, moment, moment)
    draw, late = Random(1), list[float]()
    for moment in took * 10:
        age = 0.0
        while age < moment:
            age += products_wait(
                age,
                draw.random(),
                patience=Patience(delays=delays),
                promised=None,
                requested=("DC_VESSELS",),
                longest=120 * MINUTE,
            )
        late.append(age - moment)

    assert 0.4 <= mean(late) / delays.quantile("DC_VESSELS", 0.25) <= 0.7
