"""How do the loop's thread and the disk's work without fighting for the interpreter: by turns?

Each call of the system lets go of the interpreter.  Where two threads want it, each call wakes the
other one up, a dozen times a small file, which costs more than its work.  So while the disk's
thread works, the loop's waits for it, where that is worth while and never for longer than `BOUND`:
a slow disk does not stop the loop.  ``docs/decisions/0009-syncing-in-batches.md`` says what it
gains.
"""

from __future__ import annotations

import errno
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Condition, Thread
from time import perf_counter, thread_time
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from iceye_derivatives._core.adaptive_wait import AdaptiveWait
from iceye_derivatives._core.portion import Portion
from iceye_derivatives.sinks._shared_handles import sharing_handles
from iceye_derivatives.sinks._steps import Job, synced

if TYPE_CHECKING:
    import asyncio  # importing the library must not import it: it is half of what that costs

__all__ = ["BOUND", "DiskWorker"]

BOUND: Final = 0.002
"""Seconds that the loop waits at most, once a round of its own."""
TURN: Final = 0.001
"""Seconds after which the thread lets the loop go on, between two jobs."""
_REST: Final = 0.02
"""Seconds after which it goes on without the loop, which may be busy, or closed."""
_IDLE: Final = 0.2
"""Seconds for which it waits for more before it ends."""


_waited: Final[WeakSet[asyncio.AbstractEventLoop]] = WeakSet()
"""Loops that have waited in their present round, for any sink: many waits would add up."""


class DiskWorker:
    """The queue of one loop's jobs, and the thread that is there as long as they come."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        # The loop's alone:
        self._handed_in: list[Job[Any]] = []
        self._wait = AdaptiveWait()
        self._beside = 0
        self._has_waited = False
        """Whether it has waited for us in its present round; then `_next_round` is to come."""
        # Only under this lock:
        self._changed = Condition()
        self._waiting: list[Job[Any]] = []
        self._ended: list[Job[Any]] = []
        """Jobs that ended while the loop waits, which then answers them itself."""
        self._runs = self._rests = self._has_more = False
        self._bell: SimpleQueue[float] | None = None
        """Where the loop waits; the thread rings it with the share of its turn that it was idle."""
        # The thread's alone:
        self._began = self._worked = 0.0
        self._portion = Portion()

    # -- in the loop -------------------------------------------------------------------------------

    def put(self, job: Job[Any]) -> None:
        """Hand it in; the thread hears of it when the loop's present round is over."""
        self._beside += job.beside
        self._handed_in.append(job)
        if len(self._handed_in) == 1:
            self.loop.call_soon(self._hand_over)

    def withdraw(self, job: Job[Any]) -> bool:
        """Leave it out; False where that is too late."""
        with self._changed:
            if job.begun:
                return False
            for jobs in (self._handed_in, self._waiting):
                if job in jobs:
                    jobs.remove(job)
        self._beside -= job.beside
        return True

    def _hand_over(self) -> None:
        with self._changed:
            self._waiting += self._handed_in
            self._handed_in.clear()
            if not self._waiting:
                return
            runs, self._runs = self._runs, True
            self._rests = self._rests or not runs
        if not runs:
            # A daemon: it works only while a task awaits it, and must not hold up the end else.
            thread = Thread(target=self._run, name="iceye-derivatives-disk", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:  # the system has none now, and may have one later
                self._refuse(error)
                return
        if not self._has_waited:
            self._give_way()

    def _next_round(self) -> None:
        """The loop has been round since it waited, and may wait once more."""
        self._has_waited = False
        _waited.discard(self.loop)
        self._give_way()

    def _give_way(self) -> None:
        """Let a thread that rests go on, and wait for it where that is worth while."""
        with self._changed:
            if not (self._rests and (self._waiting or self._has_more)):
                return
            bell = SimpleQueue[float]() if self._waits() else None
            self._bell, self._rests = bell, False
            self._changed.notify()
        if bell is not None:
            # Once a round: jobs of many tasks, each of which asked by itself, would add up as well.
            self._has_waited = True
            _waited.add(self.loop)
            self.loop.call_soon(self._next_round)
            idle = 1.0
            try:
                with suppress(Empty):
                    idle = _listen(bell, BOUND)
            finally:
                self._wait.saw(idle)
                self._go_on()

    def _waits(self) -> bool:
        return not self._beside and self.loop not in _waited and self._wait.pays()

    def _go_on(self) -> None:
        """Answer what has ended."""
        with self._changed:
            self._bell = None
            ended, self._ended = self._ended, []
        self._answer(ended)

    def _refuse(self, why: RuntimeError) -> None:
        with self._changed:
            self._runs = False
            jobs, self._waiting = self._waiting, []
        for job in jobs:
            job.refuse(OSError(errno.EAGAIN, f"There is no thread for the disk: {why}"))
        self._answer(jobs)

    def _answer(self, jobs: list[Job[Any]]) -> None:
        for job in jobs:
            self._beside -= job.beside
            job.ended = True
            if not job.answer.done():
                job.answer.set_result(None)

    # -- in the thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        self._begin_turn()
        under_way: list[Job[Any]] = []
        while jobs := [*under_way, *(new := self._take(under_way))]:
            began = perf_counter()
            under_way = self._step(jobs)
            if under_way:
                stepped = perf_counter()
                failures = synced([job.wants for job in under_way])
                for job, failure in zip(under_way, failures, strict=True):
                    job.failure = failure
                if long := sum([job.beside for job in new]):
                    self._portion.saw(long, stepped - began, perf_counter() - stepped)

    def _step(self, jobs: list[Job[Any]]) -> list[Job[Any]]:
        """Take the next step of each; those for which it was not the last."""
        under_way, ended = list[Job[Any]](), list[Job[Any]]()
        with sharing_handles():
            for job in jobs:
                if self._bell is not None and perf_counter() - self._began > TURN:
                    self._tell(ended)
                    ended = []
                    with self._changed:
                        self._rest(_REST, has_more=True)
                (under_way if job.goes_on() else ended).append(job)
        if ended:
            self._tell(ended)
        return under_way

    def _tell(self, ended: list[Job[Any]]) -> None:
        with self._changed:
            if self._bell is not None:
                self._ended += ended
                return
        with suppress(RuntimeError):  # the loop was closed: nobody waits
            self.loop.call_soon_threadsafe(self._answer, ended)

    def _take(self, under_way: list[Job[Any]]) -> list[Job[Any]]:
        """All that waits, but of long ones a portion; nothing where the thread may end."""
        with self._changed:
            # It rests when it is started.
            if not under_way and (self._rests or not self._waiting):
                self._rest(_IDLE, has_more=False)
            jobs, self._waiting = _parted(self._waiting, self._portion.size)
            for job in jobs:
                job.begun = True
            self._runs = bool(jobs or under_way)
            return jobs

    def _rest(self, seconds: float, *, has_more: bool) -> None:
        """Let the loop go on until it gives way; the lock is held."""
        if self._bell is not None:
            self._bell.put(self._idle())
            self._bell = None
        elif has_more:  # the loop has just given up its wait, and does not look for us
            return
        self._rests, self._has_more = True, has_more
        self._changed.wait_for(lambda: not self._rests, seconds)
        self._rests = False
        self._begin_turn()

    def _begin_turn(self) -> None:
        self._began, self._worked = perf_counter(), thread_time()

    def _idle(self) -> float:
        wall, worked = perf_counter() - self._began, thread_time() - self._worked
        return max(0.0, 1.0 - worked / wall) if wall else 0.0


def _parted(jobs: list[Job[Any]], room: int) -> tuple[list[Job[Any]], list[Job[Any]]]:
    """Who is taken, with so many long ones among them, and who goes on waiting."""
    taken, left = list[Job[Any]](), list[Job[Any]]()
    for job in jobs:
        (taken if not job.beside or room > 0 else left).append(job)
        room -= job.beside
    return taken, left


def _listen(bell: SimpleQueue[float], bound: float) -> float:
    return bell.get(timeout=bound)
