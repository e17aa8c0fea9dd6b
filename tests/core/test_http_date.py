"""Are dates of HTTP, and what a server wants us to wait, read in all their forms?"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from answers import NOW, error
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives._core.http_date import parse_http_date, parse_retry_after


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30.0),
        (" 30 ", 30.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("3600", 3600.0),
        ("86400", 3600.0),
        ("9" * 5000, 3600.0),
        ("Thu, 01 Jan 2026 00:00:30 GMT", 30.0),
        ("Thursday, 01-Jan-26 00:00:30 GMT", 30.0),
        ("Thu Jan  1 00:00:30 2026", 30.0),
        ("Wed, 31 Dec 2025 00:00:00 GMT", 0.0),
        ("Fri, 01 Jan 2027 00:00:00 GMT", 3600.0),
        ("-5", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("٣٠", None),
        ("1e3", None),
        ("30, 60", None),
        ("Thu, 32 Jan 2026 00:00:30 GMT", None),
        ("Thu, 01 Foo 2026 00:00:30 GMT", None),
        ("Thu, 01 Jan 2026 25:00:30 GMT", None),
        ("Thu, 01 Jan 0000 00:00:30 GMT", None),
    ],
)
def test_retry_after_in_both_forms(value: str | None, seconds: float | None) -> None:
    """Seconds or any of three dates; capped, never negative; nonsense is as good as nothing.

    Trap (azure, Retry-After): it goes through `int()`, so an HTTP date would raise.
    """
    assert parse_retry_after(value, NOW) == seconds
    assert error(429, retry_after=value or "").retry_after == seconds


@given(st.text() | st.text("0123456789.:, -GMTJan"), st.floats(0, 4e9))
def test_no_header_breaks_retry_after(value: str, now: float) -> None:
    """The law: None, or between nothing and the cap."""
    seconds = parse_retry_after(value, now, cap=60)

    assert seconds is None or 0 <= seconds <= 60


@given(st.datetimes(datetime(1970, 1, 1), datetime(2075, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds must be naive
def test_a_date_is_read_in_all_three_forms(moment: datetime) -> None:
    """The law, with "more than 50 years in the future" read as the past (RFC 9110)."""
    moment = moment.replace(microsecond=0)
    forms = [format_datetime(moment, usegmt=True), f"{moment:%a %b} {moment.day:2} {moment:%T %Y}"]
    if moment.year >= 1977:
        forms.append(f"{moment:%A, %d-%b-%y %T} GMT")

    assert {parse_http_date(form, NOW) for form in forms} == {moment.timestamp()}


def test_a_leap_second_is_a_date() -> None:
    """RFC 9110 allows the 60."""
    assert parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT", NOW) is not None
