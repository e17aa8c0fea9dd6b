"""Is a file above its ceiling found out by its head, or else by its bytes?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives._core.limits import Limits
from iceye_derivatives._core.metering import FileMeter, RunMeter, TooManyBytes, announced

LIMITS = Limits(bytes_per_file=100, bytes_per_run=250)


@given(st.lists(st.integers(0, 60)))
def test_no_file_passes_more_than_its_ceiling(sizes: list[int]) -> None:
    """Whatever its head says, or does not say."""
    meter, passed = FileMeter(LIMITS), 0
    meter.begin(*announced(200, {}))
    try:
        for size in sizes:
            meter.take(size)
            passed += size
    except TooManyBytes:
        assert sum(sizes) > 100
    else:
        assert passed == sum(sizes)
    assert passed <= 100


@pytest.mark.parametrize(
    ("status", "headers", "size"),
    [
        (200, {"content-length": "101"}, 0),
        (206, {"content-range": "bytes 50-99/101"}, 0),
        (206, {"content-range": "bytes 50-99/*"}, 51),
        (206, {"content-length": "101"}, 101),
        (200, {"content-length": "9" * 5000}, 101),
        (200, {"content-length": "1"}, 101),
    ],
)
def test_what_is_too_long_is_named(status: int, headers: dict[str, str], size: int) -> None:
    """Which ceiling, what it is, and how to raise it."""
    meter = FileMeter(LIMITS)
    with pytest.raises(
        TooManyBytes, match=r"the 100 allowed.*Limits\(bytes_per_file=…\)"
    ) as caught:
        meter.begin(*announced(status, headers))
        meter.take(size)
    assert (caught.value.limit, caught.value.allowed) == ("bytes_per_file", 100)


def test_all_files_of_a_run_are_counted_together() -> None:
    """Each is small enough alone; a part that comes again counts again."""
    run = RunMeter(LIMITS)
    for _ in range(2):
        run.begin(*announced(200, {"content-length": "100"}))
        run.take(100)
    run.begin(*announced(206, {"content-range": "bytes 50-99/100"}))
    with pytest.raises(TooManyBytes, match="bytes_per_run"):
        run.begin(*announced(200, {"content-length": "100"}))
    run.take(50)
    with pytest.raises(TooManyBytes, match="bytes_per_run"):
        run.take(1)


@given(
    st.integers(), st.dictionaries(st.sampled_from(["content-range", "content-length"]), st.text())
)
def test_no_head_breaks_the_meters(status: int, headers: dict[str, str]) -> None:
    at, total = announced(status, headers)
    assert at >= 0
    assert total is None or total >= 0


@pytest.mark.parametrize(
    ("length", "total"), [(" 12 ", 12), ("+12", None), ("١٢", None), ("9" * 19, None), ("", None)]
)
def test_only_a_number_is_a_length(length: str, total: int | None) -> None:
    assert announced(200, {"content-length": length}) == (0, total)


def test_an_errors_body_has_no_length_of_a_file() -> None:
    assert announced(404, {"content-length": "5"}) == (0, None)
