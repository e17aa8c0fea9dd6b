"""Does the pacer keep its law under any questions and any clock?"""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from iceye_derivatives._core.pace import Pacer
from iceye_derivatives.errors import ConfigurationError

T0 = 1_767_225_600.0


def drain(pacer: Pacer, now: float, count: int) -> list[float]:
    """Let one caller after the other go as soon as it may; when each went."""
    went = []
    for _ in range(count):
        asked = 0
        while (wait := pacer.request(now)) > 0:
            now += wait
            asked += 1
            assert asked < 5, "waiting as told must lead somewhere"
        went.append(now)
    return went


def test_a_burst_goes_at_once_and_then_the_rate_holds() -> None:
    """Ten at once, then five a second; after a rest there is a burst again."""
    pacer = Pacer(rate=5, burst=10)
    went = drain(pacer, T0, 15)

    assert went[:10] == [T0] * 10
    assert went[10:] == pytest.approx([T0 + 0.2 * n for n in range(1, 6)])
    assert drain(pacer, T0 + 100, 10) == [T0 + 100] * 10


@given(
    st.floats(0.1, 100),
    st.integers(1, 20),
    st.lists(st.floats(0, 3), min_size=1, max_size=60),
)
def test_no_stretch_of_time_holds_more_than_its_share(
    rate: float, burst: int, gaps: list[float]
) -> None:
    """The law: in any T seconds at most ``burst + rate * T`` requests go."""
    pacer, now, went = Pacer(rate=rate, burst=burst), T0, list[float]()
    for gap in gaps:
        now = max([now, *went]) + gap if gap > 1 else max([now, *went])
        went += drain(pacer, now, 1)

    for first in range(len(went)):
        for last in range(first, len(went)):
            # Unix time has steps of a quarter of a microsecond.
            span = went[last] - went[first] + 1e-5
            assert last - first + 1 <= burst + rate * span + 1e-9


@given(st.floats(0, 3600), st.floats(0, 1), st.integers(0, 12))
@example(60.0, 0.0, 0)
def test_nobody_goes_during_a_pause_and_all_go_one_by_one_after_it(
    seconds: float, jitter: float, before: int
) -> None:
    """The law of ``Retry-After``: never earlier, at most a burst's time later, and no herd."""
    pacer = Pacer(rate=5, burst=10)
    now = max([T0, *drain(pacer, T0, before)])
    pacer.pause(now, seconds, jitter)
    went = drain(pacer, now, 5)
    end = now + seconds + jitter * 2

    assert end - 1e-5 <= went[0] <= end + 0.2 + 1e-5
    gaps = [later - earlier for earlier, later in pairwise(went)]
    assert gaps == pytest.approx([0.2] * 4, abs=1e-5)


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    """Two answers may cross."""
    pacer = Pacer()
    pacer.pause(T0, 60, 0)
    pacer.pause(T0, 1, 0)

    assert pacer.request(T0) == 60


@given(st.floats(0, 1e6), st.integers(0, 30), st.sampled_from([0.0, 30.0]))
def test_a_clock_that_is_set_back_does_not_silence_the_client(
    back: float, before: int, pause: float
) -> None:
    """The law: no wait is longer than the longest pause and one slot."""
    pacer = Pacer(rate=5, burst=10)
    now = max([T0, *drain(pacer, T0, before)])
    if pause:
        pacer.pause(now, pause, 0)
    went = drain(pacer, now - back, 2)

    assert went[0] <= now - back + pause + 0.2 + 1e-5
    assert went[1] <= went[0] + 0.2 + 1e-5


@pytest.mark.parametrize(
    ("rate", "burst"), [(0, 1), (-1, 1), (float("inf"), 1), (float("nan"), 1), (1, 0)]
)
def test_a_pace_that_cannot_be_kept_is_refused(rate: float, burst: int) -> None:
    """Where it is set, not where it hurts."""
    with pytest.raises(ConfigurationError):
        Pacer(rate=rate, burst=burst)
