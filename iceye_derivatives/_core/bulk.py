"""Is it cheaper to list many tasks than to ask for each?

"List entries have the same fields" as a task, so one page tells the status of all tasks on it.
What is not known decides the rest: how many tasks of others the listing holds, and in which order.
So a listing is an attempt: it is judged by what it found, given up when it costs more than it
saves, and tried again later.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Final

from attrs import define, field

__all__ = ["PERIOD", "Advice", "BulkLook"]

PERIOD: Final = 300.0
"""Seconds from one listing to the next at least; no task is held back longer for one."""
GLIMPSE: Final = 20.0
"""Seconds after which a task that is held back sees whether the listing has ended."""
ON_A_PAGE: Final = 50
"""Tasks that a page is asked to hold, as in ICEYE's own example code."""
WORTH: Final = 1.5
"""A listing must save this many requests a page: by the forecast before it, and in the end."""
LEAST: Final = 6
"""Requests that a listing must be able to save, to be worth the gamble."""
STAKE: Final = 5
"""A listing is given up once it has read this many pages more than it has found tasks."""
LONGEST_WAIT: Final = 17 * 86_400.0
"""A window ends "at most 14 days after the request": whoever was ordered before has its image, and
three days are left for what is late."""
MARGIN: Final = 3600.0
"""Seconds: clocks differ."""
REFUSED_FOR: Final = 6 * 3600.0
"""Seconds after which a listing that was refused is tried again."""
LONGEST_RETREAT: Final = 86_400.0
"""The same for one that keeps finding nothing."""


class Advice(Enum):
    """What to do with a task that a listing might answer for."""

    LIST = auto()
    """List now."""
    HOLD = auto()
    """Hold it back until `BulkLook.held_until`: a listing is under way, or to come soon."""
    ASK = auto()
    """Ask for it alone."""


@define
class BulkLook:
    """What is known of the listing, and what follows."""

    _pages: int | None = None
    """How many the last listing had that came to its end."""
    _oldest: float = -math.inf
    """When the oldest task was made that the last listing found, in Unix seconds."""
    _ended_at: float = -math.inf
    _not_before: float = -math.inf
    _retreat: float = PERIOD
    _listing: bool = False
    _read: int = field(default=0)
    _found: int = field(default=0)
    _saved: int = field(default=0)
    _oldest_found: float = math.inf

    def advise(self, now: float, *, savings: int, waiting: int, held: bool = False) -> Advice:
        """What to do when a task is due that a listing might answer for.

        Args:
            now: Unix seconds.
            savings: Requests that a listing would save within the next `PERIOD`.
            waiting: Tasks in all.
            held: Whether it has been held back already.  No task is held back twice for one
                listing: that one did not hold the task, or has failed.
        """
        if self._listing:
            return Advice.HOLD
        # Clocks are set back.
        self._ended_at = min(self._ended_at, now)
        self._not_before = min(self._not_before, now + LONGEST_RETREAT)
        pages = max(1, math.ceil(waiting / ON_A_PAGE)) if self._pages is None else self._pages
        if now < self._not_before or savings < max(LEAST, WORTH * pages):
            return Advice.ASK
        if now >= self._ended_at + PERIOD:
            return Advice.LIST
        return Advice.ASK if held else Advice.HOLD

    def held_until(self, now: float, jitter: float) -> float:
        """Until when one is held, in Unix seconds; `jitter` is a draw from [0, 1)."""
        if self._listing:
            return now + GLIMPSE * (1 + jitter)
        return max(now, self._ended_at + PERIOD)

    def created_after(self, now: float, *, fresh: bool) -> datetime:
        """How far back the listing has to go.

        Args:
            now: Unix seconds.
            fresh: Whether there are tasks of which nothing is known yet.
        """
        oldest = now - LONGEST_WAIT
        if not fresh and math.isfinite(self._oldest):
            oldest = max(oldest, self._oldest - MARGIN)
        return datetime.fromtimestamp(oldest, UTC)

    # -- one listing -------------------------------------------------------------------------------

    def begin(self) -> None:
        """A listing begins."""
        self._listing, self._oldest_found = True, math.inf
        self._read = self._found = self._saved = 0

    def found(self, created: datetime | None, *, saves: int) -> None:
        """A task that waits here was on a page.

        Args:
            created: When it was ordered, where the page tells.
            saves: Requests that are not made for it within the next `PERIOD`.  What would have been
                asked for later than that counts as nothing saved.
        """
        self._found += 1
        self._saved += saves
        if created is not None:
            self._oldest_found = min(self._oldest_found, created.timestamp())

    def goes_on(self, now: float, *, more: bool) -> bool:
        """A page was read; whether to read the next.

        Args:
            now: Unix seconds.
            more: Whether there is one.
        """
        self._read += 1
        on_course = self._read - self._found < STAKE
        if on_course and more:
            return True
        if self._saved >= WORTH * self._read:
            self._pages, self._retreat, pause = self._read, PERIOD, 0.0
            self._oldest = self._oldest_found
        else:
            pause, self._retreat = self._retreat, min(2 * self._retreat, LONGEST_RETREAT)
        self._retire(now, pause)
        return False

    def failed(self, now: float, *, refused: bool) -> None:
        """No page came: it is not allowed, or something is broken."""
        self._retire(now, REFUSED_FOR if refused else PERIOD)

    def _retire(self, now: float, pause: float) -> None:
        self._listing, self._ended_at, self._not_before = False, now, now + pause
