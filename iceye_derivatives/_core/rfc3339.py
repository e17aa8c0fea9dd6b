"""Which moment does an RFC 3339 text mean, and how is a moment written?"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

__all__ = ["parse_moment", "render_moment"]

# RFC 3339, section 5.6: "T" and "Z" may be lower case, and a space may stand for "T" "for the sake
# of readability".  `datetime.fromisoformat()` is not used: it also takes dates alone, week dates
# and moments without an offset.
_MOMENT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"(?:\.([0-9]{1,9}))?(?:([Zz])|([+-])([0-9]{2}):([0-9]{2}))"
)
_LEAP_SECOND = 60


def parse_moment(text: str) -> datetime:
    """The moment, with its offset as written.

    Up to nine fraction digits are read; what is finer than a microsecond is cut off, as `datetime`
    cannot hold it.

    Raises:
        ValueError: the text is not an RFC 3339 moment.
    """
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise ValueError("is not an RFC 3339 moment, e.g. 2030-01-31T12:00:00Z")
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    fraction, _, sign, offset_hours, offset_minutes = found.groups()[6:]
    micro = int((fraction or "0").ljust(9, "0")[:6])
    # "23:59:60" is a leap second: `datetime` knows none, so it reads as the next moment.
    leap = timedelta(seconds=1 if second == _LEAP_SECOND else 0)
    zone = _zone(sign, int(offset_hours or 0), int(offset_minutes or 0))
    try:
        return (
            datetime(year, month, day, hour, minute, second - leap.seconds, micro, tzinfo=zone)
            + leap
        )
    except OverflowError:
        raise ValueError("is beyond the year 9999") from None


def _zone(sign: str | None, hours: int, minutes: int) -> timezone:
    if hours == minutes == 0:
        return UTC
    if minutes >= 60:  # noqa: PLR2004 - minutes of an hour
        raise ValueError("has an offset of more than 59 minutes past the hour")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if sign == "-" else offset)


def render_moment(moment: datetime) -> str:
    """The moment in UTC with a ``Z``.

    Raises:
        ValueError: the moment has no offset, so that nobody can say when it is.
    """
    if moment.utcoffset() is None:
        raise ValueError("has no UTC offset; pass an aware datetime, e.g. with tzinfo=UTC")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
