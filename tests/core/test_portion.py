"""Are few long bodies stored at a time where syncs cost nothing, and many where they are dear?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives._core.portion import Portion

LEAST = Portion().size

seconds = st.floats(0.0, 100.0)
rounds = st.lists(st.tuples(st.integers(1, 1000), seconds, seconds), max_size=30)


def after(seen: list[tuple[int, float, float]]) -> Portion:
    portion = Portion()
    for bodies, worked, synced in seen:
        portion.saw(min(bodies, portion.size), worked, synced)
    return portion


@given(rounds, st.integers(1, 1000), seconds, seconds)
def test_it_is_never_nothing_and_at_most_doubles(
    seen: list[tuple[int, float, float]], bodies: int, worked: float, synced: float
) -> None:
    portion = after(seen)
    before = portion.size
    portion.saw(min(bodies, before), worked, synced)
    assert LEAST <= portion.size <= 2 * before


@given(rounds)
def test_where_a_sync_takes_nothing_it_is_soon_small(
    seen: list[tuple[int, float, float]],
) -> None:
    portion = after(seen)
    portion.saw(1, 0.01, 0.0)
    assert portion.size == LEAST


@given(st.floats(0.001, 0.01), st.floats(0.001, 0.1))
def test_it_grows_until_a_sync_takes_no_more_than_half_of_the_work(
    each: float, sync: float
) -> None:
    """A disk whose syncs take as long whatever is in them."""
    portion = Portion()
    for _ in range(20):
        portion.saw(portion.size, portion.size * each, sync)
    assert portion.size * each >= 2 * sync or portion.size == LEAST
    assert (portion.size - 1) * each <= 2 * sync or portion.size == LEAST


@pytest.mark.parametrize("size", [LEAST, 64])
def test_a_clock_that_stands_still_changes_nothing(size: int) -> None:
    portion = Portion(size)
    portion.saw(1, 0.0, 1.0)
    assert portion.size == size
