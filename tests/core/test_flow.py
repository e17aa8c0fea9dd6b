"""Does a body bring enough, or is it a trickle that would last for days?"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives._core.flow import Flow

gaps = st.floats(0.001, 14.0)


def verdicts(sizes: list[int], gap: float, slowest: float = 1024.0) -> list[bool]:
    flow = Flow(slowest=slowest, window=60.0)
    return [flow.came(size, gap) for size in sizes]


@given(gaps)
def test_a_trickle_is_found_out_within_a_window(gap: float) -> None:
    """Complaint 16 (earthaccess-dev/earthaccess #1128).

    1,627 of 1,628 files done, then nothing for hours.
    """
    count = int(60 / gap) + 2
    assert not all(verdicts([int(1000 * gap)] * count, gap))


@given(gaps, st.integers(1, 3000))
def test_whoever_brings_enough_is_never_cut(gap: float, count: int) -> None:
    """Complaint 18 (stac-utils/stac-asset #161).

    A five-minute total timeout makes large files impossible.
    """
    assert all(verdicts([int(1025 * gap) + 1] * count, gap))


@given(st.lists(st.tuples(st.integers(0, 100), st.floats(0, 1e6)), max_size=100))
def test_nothing_is_cut_where_it_is_switched_off(pieces: list[tuple[int, float]]) -> None:
    flow = Flow(slowest=0.0, window=60.0)
    assert all(flow.came(size, gap) for size, gap in pieces)


def test_a_machine_that_slept_or_whose_clock_was_set_cuts_nobody() -> None:
    flow = Flow(slowest=1024.0, window=60.0)
    assert all(flow.came(1, gap) for gap in (1e9, -1e9, 3600.0, 0.0))


def test_one_slow_window_is_forgotten_in_the_next() -> None:
    flow = Flow(slowest=1024.0, window=60.0)
    found = [flow.came(1, 15.0) for _ in range(4)]
    assert found == [True, True, True, False]
    assert all(flow.came(20_000, 15.0) for _ in range(8))
    assert "1024 bytes a second for 60 s" in flow.complaint
