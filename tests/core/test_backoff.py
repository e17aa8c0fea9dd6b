"""Is the rhythm of looking bounded, monotone until news, and jittered in full?"""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives import Backoff, ConfigurationError

seconds = st.floats(min_value=1e-3, max_value=1e6)
steps = st.integers(min_value=0, max_value=10**9)
jitters = st.floats(min_value=0.0, max_value=1.0, exclude_max=True)


@st.composite
def backoffs(draw: st.DrawFn) -> Backoff:
    initial = draw(seconds)
    return Backoff(
        initial=initial,
        factor=draw(st.floats(min_value=1.0, max_value=1e3)),
        maximum=initial * draw(st.floats(min_value=1.0, max_value=1e4)),
    )


@given(backoffs(), steps)
def test_the_ceiling_lies_between_initial_and_maximum(backoff: Backoff, step: int) -> None:
    ceiling = backoff.ceiling(step)

    assert min(backoff.initial, backoff.maximum) <= ceiling <= backoff.maximum


@given(backoffs(), steps, steps)
def test_the_ceiling_never_falls_while_there_is_no_news(backoff: Backoff, a: int, b: int) -> None:
    assert backoff.ceiling(min(a, b)) <= backoff.ceiling(max(a, b))


@given(backoffs(), steps, jitters)
def test_a_delay_is_positive_and_at_most_its_ceiling(
    backoff: Backoff, step: int, jitter: float
) -> None:
    delay = backoff.delay(step, jitter)

    assert 0 < delay <= backoff.ceiling(step)


def test_jitter_is_full() -> None:
    """Half of the draws wait less than half of the ceiling: no two watchers keep in step.

    Complaint 11 (boto/botocore #1563): constant polling by many waiters throttled a whole account.
    """
    backoff = Backoff(initial=60.0, maximum=60.0)

    assert [backoff.delay(0, j) for j in (0.0, 0.25, 0.5, 0.75)] == [1.0, 15.0, 30.0, 45.0]


def test_the_default_rhythm_is_the_documented_one() -> None:
    ceilings = [Backoff().ceiling(step) for step in range(8)]

    assert ceilings == [5.0, 7.5, 11.25, 16.875, 25.3125, 37.96875, 56.953125, 60.0]


@pytest.mark.parametrize(
    ("initial", "factor", "maximum"),
    [
        (0.0, 1.5, 60.0),
        (-1.0, 1.5, 60.0),
        (5.0, 0.9, 60.0),
        (61.0, 1.5, 60.0),
        (math.nan, 1.5, 60.0),
        (5.0, math.inf, 60.0),
        (5.0, 1.5, math.inf),
    ],
)
def test_a_rhythm_that_cannot_be_is_refused(initial: float, factor: float, maximum: float) -> None:
    with pytest.raises(ConfigurationError, match="initial <= maximum"):
        Backoff(initial=initial, factor=factor, maximum=maximum)
