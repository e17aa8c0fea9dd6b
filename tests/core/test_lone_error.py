"""Which single error stands for a group?"""

from __future__ import annotations

import pytest

from iceye_derivatives._core.lone_error import lone_error

A, B, C = ValueError("a"), ValueError("b"), OSError("c")


@pytest.mark.parametrize(
    ("errors", "alike", "expected"),
    [
        ([A], None, A),
        ([A], OSError, A),
        ([A, B], None, None),
        ([A, B], ValueError, A),
        ([A, C], ValueError, None),
    ],
)
def test_a_group_of_one_or_of_errors_that_are_alike_needs_no_group(
    errors: list[Exception], alike: type[Exception] | None, expected: Exception | None
) -> None:
    """Any other group says more than each of its errors."""
    assert lone_error(ExceptionGroup("g", errors), alike=alike) is expected


def test_a_group_inside_of_a_group_stays_whole() -> None:
    """It was somebody's own, and not made by our task group."""
    inner = ExceptionGroup("theirs", [A, B])

    assert lone_error(ExceptionGroup("ours", [inner])) is inner
