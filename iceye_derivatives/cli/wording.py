"""How are sizes, moments, durations and ids said to a person?"""

from __future__ import annotations

from datetime import UTC, datetime

from iceye_derivatives._core.rhythm import spell

__all__ = ["clock_time", "count", "iso", "shorten", "size", "speed", "spell", "stamp"]

KILO = 1000
UNITS = ("B", "kB", "MB", "GB")
DAY = 86_400


def size(number: float) -> str:
    """Bytes with a decimal unit: ``512 B``, ``9.8 kB``, ``1.2 MB``."""
    if number < KILO:
        return f"{number:.0f} B"
    power = 1 + sum(number >= KILO**step for step in (2, 3))
    return f"{number / KILO**power:.1f} {UNITS[power]}"


def speed(per_second: float) -> str:
    """Bytes a second."""
    return f"{size(per_second)}/s"


def shorten(text: str, length: int = 8) -> str:
    """The start of an id: enough to tell a task's derivatives apart."""
    return text if len(text) <= length + 1 else f"{text[:length]}~"


def clock_time(moment: float, now: float) -> str:
    """A moment in UTC, as ICEYE writes all of them, with its date when it is a day away."""
    then = datetime.fromtimestamp(moment, UTC)
    return f"{then:%H:%M:%SZ}" if abs(moment - now) < DAY else f"{then:%Y-%m-%d %H:%M:%SZ}"


def stamp(moment: float) -> str:
    """What a line of a log begins with: a log of weeks needs the date, and is read elsewhere."""
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}"


def iso(moment: float) -> str:
    """A moment for programs: ISO 8601 in UTC, to the millisecond."""
    text = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def count(number: int, thing: str) -> str:
    """``1 file``, ``3 files``."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
