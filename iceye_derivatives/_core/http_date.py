"""Which moment do the headers ``Date`` and ``Retry-After`` mean?"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

__all__ = ["parse_http_date", "parse_retry_after"]

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

# RFC 9110, section 5.6.7: a recipient "MUST accept all three HTTP-date formats".  The day's name
# is not compared with the date: it carries nothing, and servers get it wrong.
_FORMS = tuple(
    re.compile(form, re.ASCII | re.IGNORECASE)
    for form in (
        # Sun, 06 Nov 1994 08:49:37 GMT
        r"[a-z]{3}, (?P<day>\d\d) (?P<month>[a-z]{3}) (?P<year>\d{4}) (?P<time>\d\d:\d\d:\d\d) GMT",
        # Sunday, 06-Nov-94 08:49:37 GMT
        (
            r"[a-z]{6,9}, (?P<day>\d\d)-(?P<month>[a-z]{3})-(?P<year>\d\d) "
            r"(?P<time>\d\d:\d\d:\d\d) GMT"
        ),
        # Sun Nov  6 08:49:37 1994
        r"[a-z]{3} (?P<month>[a-z]{3}) (?P<day>[ \d]\d) (?P<time>\d\d:\d\d:\d\d) (?P<year>\d{4})",
    )
)
_SECONDS = re.compile(r"([0-9]+)(?:\.[0-9]*)?")
# Anything of more digits is above any cap, and `int()` refuses to read thousands of them.
_LONGEST_NUMBER = 12
_DAY = 86_400.0
# Where no caller's clock says which century a two-digit year is in: 2026-01-01.
_THIS_CENTURY = 1_767_225_600.0


def parse_http_date(value: str | None, now: float = _THIS_CENTURY) -> float | None:
    """Unix seconds of any of the three date forms of RFC 9110, None where it is none of them."""
    return _parsed(value, now // _DAY * _DAY) if value else None


@lru_cache(maxsize=32)
def _parsed(value: str, now: float) -> float | None:
    # Remembered, since all answers of one second bear the same text; the century is all that `now`
    # is for, so any moment of its day will do.
    text = value.strip()
    for form in _FORMS:
        found = form.fullmatch(text)
        if found is not None:
            return _moment(found["year"], found["month"], found["day"], found["time"], now)
    return None


def _moment(year: str, month: str, day: str, time: str, now: float) -> float | None:
    hour, minute, second = map(int, time.split(":"))
    try:
        return datetime(
            _full_year(year, now),
            _MONTHS.index(month.lower()) + 1,
            int(day),
            hour,
            minute,
            min(second, 59),  # 60 is a leap second, which `datetime` does not know
            tzinfo=UTC,
        ).timestamp()
    except ValueError:
        return None


def _full_year(year: str, now: float) -> int:
    """RFC 9110: a two-digit year "more than 50 years in the future" is one of the past."""
    if len(year) > 2:  # noqa: PLR2004 - two digits are what the obsolete form has
        return int(year)
    this_year = datetime.fromtimestamp(now, UTC).year
    full = this_year // 100 * 100 + int(year)
    return full - 100 if full > this_year + 50 else full


def parse_retry_after(value: str | None, now: float, *, cap: float = 3600.0) -> float | None:
    """Seconds to wait, 0 to `cap`; None where the header is missing or makes no sense.

    Args:
        value: the header, seconds or a date.
        now: Unix seconds on the clock that wrote the date, where that is known (the answer's
            ``Date``), else on ours.
        cap: what a mistaken header can cost at most, in seconds.
    """
    if not value:
        return None
    text = value.strip()
    number = _SECONDS.fullmatch(text)
    if number is not None:
        return cap if len(number[1]) > _LONGEST_NUMBER else min(float(text), cap)
    moment = parse_http_date(text, now)
    return None if moment is None else min(max(moment - now, 0.0), cap)
