"""Whose turn is it of a hundred thousand tasks, and until when is it nobody's?

Due times in one heap, soonest first.  A task that waits is a tuple of plain values and nothing
else: no coroutine, no timer, and nothing that the garbage collector has to walk through.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from heapq import heapify, heappop, heappush
from typing import Final, NamedTuple

__all__ = ["Reach", "Rota", "RotaEntry"]

_UNTIDY: Final = 4096
"""Below this many entries a heap is not worth tidying, however many of them count no longer."""
_STEP: Final = 8
"""Entries that are moved a call while tidying, so that none of a hundred thousand calls is long."""
_BUCKET: Final = 300.0
"""Seconds: how finely it is known how many are due when."""


class Reach(IntEnum):
    """How may a task be asked after when it is due?"""

    ALONE = 0
    """By a request of its own: its derivatives are to be looked at, or no listing holds it."""
    LISTED = 1
    """Its status is wanted, which a listing would tell as well."""
    HELD = 2
    """The same, and it has been held back once already for the sake of a listing."""
    FRESH = 3
    """Nothing is known of it yet: a listing would save the look and the question."""


class RotaEntry(NamedTuple):
    """One task that waits, as it lies in the heap."""

    due: float
    """On the rota's own clock, see `Rota.hour`."""
    task_id: str
    reach: Reach
    state: str
    """What its watch was parked as."""


class Rota:
    """Which tasks wait until when, and which are being looked at.

    Promises, for any order of calls: a task is never out twice at a time; the one that has been due
    longest comes first; one that is taken away never comes again.

    Unix time may be set back, and a night of waiting must not become two for it.  So the rota has
    its own clock, which only ever goes on: `hour()` gives what it shows.
    """

    def __init__(self, entries: Iterable[RotaEntry] = ()) -> None:
        self._waiting = {entry.task_id: entry for entry in entries}
        self._heap = list(self._waiting.values())
        heapify(self._heap)
        self._old: list[RotaEntry] = []
        """A heap that is being moved into the other, without the entries that count no longer."""
        self._out: set[str] = set()
        """Tasks that are being looked at."""
        self._left: set[str] = set()
        """Tasks that were removed while being looked at, until that look ends."""
        self._seen, self._lost = float("-inf"), 0.0
        self._buckets: dict[int, int] = {}
        self._fresh = 0
        for entry in self._heap:
            self._count(entry, 1)

    def __len__(self) -> int:
        return len(self._waiting) + len(self._out)

    def __contains__(self, task_id: object) -> bool:
        return task_id in self._waiting or task_id in self._out

    def get(self, task_id: str) -> RotaEntry | None:
        """Where it waits, if it does."""
        return self._waiting.get(task_id)

    def waiting(self) -> tuple[RotaEntry, ...]:
        """All that wait, in no order: a picture, whatever happens to the rota."""
        return tuple(self._waiting.values())

    @property
    def lost(self) -> float:
        """Seconds by which Unix time was set back: a `RotaEntry.due` is later by so much."""
        return self._lost

    def hour(self, now: float) -> float:
        """What the rota's clock shows at a Unix time: the same, but for what was set back."""
        if now < self._seen:
            self._lost += self._seen - now
        self._seen = now
        return now + self._lost

    def slept(self, until: float, now: float) -> None:
        """A wait has been waited to its end, which is `until` by the rota's clock.

        Unix time that was set back in the middle of it is not seen before, and all of the wait
        would begin again.
        """
        hour = self.hour(now)
        self._lost += max(0.0, until - hour)

    # -- who is there ------------------------------------------------------------------------------

    def add(self, task_id: str, now: float, due: float, state: str) -> bool:
        """Let a new task wait until `due` (Unix seconds); False where it is there already."""
        if task_id in self:
            return False
        if task_id in self._left:
            # Its last look has not come back yet, and there must not be two of them.
            self._left.discard(task_id)
            self._out.add(task_id)
        else:
            self._put(task_id, self.hour(now) + due - now, Reach.FRESH, state)
        return True

    def remove(self, task_id: str) -> bool:
        """Let it never come again; False where it is not there."""
        if task_id in self._out:
            self._out.discard(task_id)
            self._left.add(task_id)
            return True
        return self.claim(task_id, out=False) is not None

    # -- whose turn it is --------------------------------------------------------------------------

    def wait(self, now: float) -> float | None:
        """Seconds until somebody is due, 0 when somebody is; None when nobody waits."""
        first = self._first()
        return None if first is None else max(0.0, first.due - self.hour(now))

    def take(self, now: float) -> RotaEntry | None:
        """The one that has been due longest; it is out until it lands or ends."""
        first = self._first()
        if first is None or first.due > self.hour(now):
            return None
        return self.claim(first.task_id)

    def claim(self, task_id: str, *, out: bool = True) -> RotaEntry | None:
        """A task that waits, due or not: it is out now.  None where it does not wait."""
        entry = self._waiting.pop(task_id, None)
        if entry is None:
            return None
        self._count(entry, -1)
        if out:
            self._out.add(task_id)
        self._tidy()
        return entry

    def claim_listed(self, task_id: str) -> RotaEntry | None:
        """The same, but only where it waits for what a listing tells."""
        entry = self._waiting.get(task_id)
        return None if entry is None or entry.reach is Reach.ALONE else self.claim(task_id)

    def land(self, task_id: str, now: float, due: float, reach: Reach, state: str) -> bool:
        """It was looked at and waits again; False where it was taken away meanwhile."""
        wanted = self.end(task_id)
        if wanted:
            self._put(task_id, self.hour(now) + due - now, reach, state)
        return wanted

    def end(self, task_id: str) -> bool:
        """It was looked at for the last time; False where it was taken away meanwhile."""
        wanted = task_id in self._out
        self._out.discard(task_id)
        self._left.discard(task_id)
        return wanted

    def is_out(self, task_id: str) -> bool:
        """Whether it is being looked at, and still wanted."""
        return task_id in self._out

    def nudge(self, task_id: str, now: float) -> bool:
        """Let it be due now, unless it is being looked at; False where it is not there.

        One that is due already is not held back for a listing any more.
        """
        entry = self._waiting.get(task_id)
        hour = self.hour(now)
        if entry is not None and (entry.due > hour or entry.reach is not Reach.ALONE):
            self.claim(task_id, out=False)
            self._put(task_id, min(entry.due, hour), Reach.ALONE, entry.state)
        return task_id in self

    # -- what a listing would save -----------------------------------------------------------------

    def savings(self, now: float, ahead: float) -> int:
        """Requests that a listing of all would save in the next `ahead` seconds."""
        last = (self.hour(now) + ahead) // _BUCKET
        due = sum(number for bucket, number in self._buckets.items() if bucket <= last)
        return due + 2 * self._fresh

    def spared(self, entry: RotaEntry, now: float, ahead: float) -> int:
        """How many of them a listing has saved by telling of this task."""
        return 2 if entry.reach is Reach.FRESH else int(entry.due <= self.hour(now) + ahead)

    @property
    def has_fresh(self) -> bool:
        """Whether there is any of which nothing is known yet."""
        return self._fresh > 0

    # -- small steps -------------------------------------------------------------------------------

    def _put(self, task_id: str, due: float, reach: Reach, state: str) -> None:
        entry = self._waiting[task_id] = RotaEntry(due, task_id, reach, state)
        heappush(self._heap, entry)
        self._count(entry, 1)

    def _count(self, entry: RotaEntry, change: int) -> None:
        if entry.reach is Reach.FRESH:
            self._fresh += change
        elif entry.reach is not Reach.ALONE:
            bucket = int(entry.due // _BUCKET)
            number = self._buckets.get(bucket, 0) + change
            if number:
                self._buckets[bucket] = number
            else:
                del self._buckets[bucket]

    def _first(self) -> RotaEntry | None:
        tops = [heap[0] for heap in (self._heap, self._old) if self._cleared(heap)]
        return min(tops, default=None)

    def _cleared(self, heap: list[RotaEntry]) -> bool:
        # Whoever leaves stays in the heap until it comes to the top: a search would be O(n).
        while heap and self._waiting.get(heap[0].task_id) is not heap[0]:
            heappop(heap)
        return bool(heap)

    def _tidy(self) -> None:
        if not self._old and len(self._heap) > max(_UNTIDY, 2 * len(self._waiting)):
            self._heap, self._old = [], self._heap
        for _ in range(min(_STEP, len(self._old))):
            # The last of the list is a leaf: without it the rest is still a heap.
            entry = self._old.pop()
            if self._waiting.get(entry.task_id) is entry:
                heappush(self._heap, entry)
