"""Is a disk waited for while it keeps its thread busy, and left alone while it does not?"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives._core.adaptive_wait import AdaptiveWait

busy = st.floats(0.0, 0.1)
idle = st.floats(0.3, 1.0)
few = st.integers(0, 20)


def left_out(wait: AdaptiveWait) -> int:
    """How many turns pass without it until the next one that is waited for."""
    turns = 0
    while not wait.pays():
        turns += 1
    return turns


@given(st.lists(busy))
def test_a_thread_that_works_is_always_waited_for(shares: list[float]) -> None:
    wait = AdaptiveWait()
    for share in shares:
        assert wait.pays()
        wait.saw(share)


@given(st.lists(busy, min_size=30, max_size=40))
def test_one_turn_that_came_late_changes_nothing(shares: list[float]) -> None:
    """The system may have had something else to do just then."""
    wait = AdaptiveWait()
    for share in (*(share / 10 for share in shares), 1.0):
        wait.saw(share)
    assert wait.pays()


@given(st.lists(idle, min_size=10, max_size=40))
def test_a_thread_that_is_idle_is_waited_for_once_in_many_turns(shares: list[float]) -> None:
    wait = AdaptiveWait()
    for share in shares[:6]:
        wait.saw(share)
    for share in shares[6:]:
        assert left_out(wait) >= 20
        wait.saw(share)


@given(st.lists(idle, max_size=40))
def test_once_it_works_again_it_is_waited_for_again(shares: list[float]) -> None:
    wait = AdaptiveWait()
    for share in shares:
        wait.saw(share)
    for _ in range(20):
        left_out(wait)
        wait.saw(0.0)
    assert left_out(wait) == 0
