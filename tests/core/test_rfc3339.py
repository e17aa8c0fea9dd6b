"""Are moments read in every form of RFC 3339, and written so that they are read back?"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from wire_values import MOMENTS

from iceye_derivatives._core.rfc3339 import parse_moment, render_moment


@given(MOMENTS)
def test_a_moment_is_read_back(moment: datetime) -> None:
    """The law for moments of any offset."""
    assert parse_moment(render_moment(moment)) == moment
    assert parse_moment(moment.isoformat()) == moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-01-01T00:00:00Z", datetime(2025, 1, 1, tzinfo=UTC)),
        ("2025-01-01t00:00:00.5z", datetime(2025, 1, 1, 0, 0, 0, 500_000, UTC)),
        ("2025-01-01 00:00:00.123456789-00:00", datetime(2025, 1, 1, 0, 0, 0, 123_456, UTC)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
        ("2025-01-01T05:30:00+05:30", datetime(2025, 1, 1, tzinfo=UTC)),
    ],
)
def test_every_form_of_rfc_3339_is_read(text: str, moment: datetime) -> None:
    """Small letters, a space, nine fraction digits, a leap second, an unknown offset."""
    assert parse_moment(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "2025-01-01",
        "2025-01-01T00:00:00",
        "2025-13-01T00:00:00Z",
        "2025-01-01T24:00:00Z",
        "2025-01-01T00:00:00+24:00",
        "2025-01-01T00:00:00+05:60",
        "2025-01-01T00:00:00+05:75",
        "2025-01-01T00:00:00.1234567890Z",
        "٢٠٢٥-01-01T00:00:00Z",
        "9999-12-31T23:59:60Z",
        "2025-01-01T00:00:00Z\n",
        "",
    ],
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    """By a ValueError and nothing else."""
    with pytest.raises(ValueError):  # noqa: PT011 - the sentence is the caller's matter
        parse_moment(text)
