"""Does the rate give way to the API, and come back no faster than it may?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives._core.pace import Pacer, PacerState

T0 = 1_767_225_600.0
STEPS = st.lists(
    st.tuples(st.sampled_from(["go", "refuse", "rest"]), st.floats(0, 200)), max_size=60
)


@given(st.floats(0.01, 1000), st.integers(1, 50), STEPS)
def test_the_rate_stays_between_its_bounds_and_no_stretch_holds_more(
    rate: float, burst: int, steps: list[tuple[str, float]]
) -> None:
    """Never above the rate that was set, never below a sixty-fourth of it, whatever comes."""
    pacer, now, went = Pacer(rate=rate, burst=burst), T0, list[float]()
    for what, seconds in steps:
        now += seconds if what == "rest" else 0.0
        if what == "refuse":
            pacer.lower(now, now)
        if what == "go" and pacer.request(now) == 0:
            went.append(now)
        assert rate / 64 * 0.999999 <= pacer.rate(now) <= rate

    for first in range(len(went)):
        for last in range(first, len(went)):
            assert last - first + 1 <= burst + rate * (went[last] - went[first] + 1e-5) + 1e-9


@given(st.integers(1, 20), st.floats(0, 600))
def test_it_comes_back_slowly_steadily_and_wholly(refusals: int, later: float) -> None:
    pacer = Pacer(rate=8.0)
    for number in range(refusals):
        assert pacer.lower(T0 + number * 1e-3, T0 + number * 1e-3)
    low, now = pacer.rate(T0 + 1), T0 + 1 + later

    assert low >= 8.0 / 64, "each further refusal would make the way back longer, without end"
    assert low <= pacer.rate(now) <= low + 8.0 * later / 600 + 1e-6
    assert pacer.rate(now) <= pacer.rate(now + 1)
    assert pacer.rate(T0 + 700) == 8.0
    assert pacer.state(T0 + 700) == PacerState(rate=8.0, set_rate=8.0, paused=0.0)


def test_requests_that_were_refused_together_cut_it_once() -> None:
    """Twenty were on their way when the first 429 came."""
    pacer = Pacer(rate=8.0)

    cuts = [pacer.lower(T0 + 1 + n * 0.01, begun=T0 + n * 0.01) for n in range(20)]

    assert cuts == [True] + [False] * 19
    assert pacer.rate(T0 + 1) == 4.0
    assert pacer.lower(T0 + 2, begun=T0 + 1.5)
    assert pacer.rate(T0 + 2) == pytest.approx(2.0, abs=0.02)


def test_a_lowered_rate_is_kept_to() -> None:
    pacer = Pacer(rate=8.0, burst=1)
    pacer.lower(T0, T0)
    assert pacer.request(T0) == 0

    assert pacer.request(T0) == pytest.approx(0.25)


def test_a_clock_that_is_set_back_neither_holds_the_rate_down_nor_lets_it_jump() -> None:
    pacer = Pacer(rate=8.0)
    pacer.lower(T0, T0)

    assert pacer.rate(T0 - 3600) == 4.0
    assert pacer.lower(T0 - 3600, begun=T0 - 3600)
    assert pacer.rate(T0 - 3600 + 700) == 8.0
