"""How is the disk's work of many transfers done: by one thread, all that has gathered at a time?

A hop to a thread costs more than what a small file takes there, and a disk that is asked to sync
ten files takes hardly longer than for one.  So whatever is to be done is put in a line.  One thread
takes all that stands there, goes on with each job to the point from which it needs its bytes on the
disk, syncs for all of them at once, and so on; and it wakes the event loop once for all answers.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Generator
from contextlib import suppress
from threading import Condition, Thread
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias, TypeVar

import anyio

from iceye_derivatives.sinks._shared_handles import sharing_handles
from iceye_derivatives.sinks._sync import sync_all

if TYPE_CHECKING:
    import asyncio  # importing the library must not import it: it is half of what that costs

__all__ = ["Disk", "Job", "Steps", "at_once"]

T = TypeVar("T")

Steps: TypeAlias = Generator[int, None, T]
"""Work that yields each handle whose bytes must be on the disk before it goes on.

Where they do not get there, the `OSError` is raised at its `yield`.
"""

_IDLE: Final = 0.2
"""Seconds for which the thread waits for more before it ends."""


def at_once(steps: Steps[T]) -> T:
    """Do it here and now, syncing each handle by itself."""
    job = Job(steps)
    while job.goes_on():
        job.failure = _synced([job.wants])[0]
    return job.outcome()


class Disk:
    """Where jobs are handed in; each loop that does so has a line of its own.

    Each job is answered exactly once, and none harms another: what fails, fails alone.
    """

    def __init__(self) -> None:
        self._line: _Line | None = None

    async def do(self, work: Callable[[], T], *, surely: bool = False) -> T:
        """Do something that needs no sync; see `go_through()`."""
        return await self.go_through(_whole(work), surely=surely)

    async def go_through(self, steps: Steps[T], *, surely: bool = False) -> T:
        """Go through all steps, in the thread.

        Under cancellation they are finished first: nothing is written behind the caller's back.
        What was not begun by then is left out altogether, unless it is to be done `surely`.
        """
        job = self.begin(steps)
        await job.end(surely=surely)
        return job.outcome()

    def begin(self, steps: Steps[T]) -> Job[T]:
        """Hand them in, and do something else until their end is asked for."""
        import asyncio  # noqa: PLC0415 - see above

        loop = asyncio.get_running_loop()
        line = self._line
        if line is None or line.loop is not loop:
            line = self._line = _Line(loop)
        job = Job(steps)
        job.line, job.answer = line, loop.create_future()
        line.put(job)
        return job


class Job(Generic[T]):
    """Steps on their way; the thread alone touches it until it is answered."""

    __slots__ = (
        *("_error", "_results", "_steps"),
        *("answer", "begun", "ended", "failure", "line", "wants"),
    )

    def __init__(self, steps: Steps[T]) -> None:
        self._steps = steps
        self._results: list[T] = []
        self._error: BaseException | None = None
        self.line: _Line
        """Where it stands."""
        self.answer: asyncio.Future[None]
        """Says no more than that it has ended; the loop's alone."""
        self.begun = self.ended = False
        self.wants = -1
        """The handle that it waits for."""
        self.failure: BaseException | None = None
        """Why that one could not be synced."""

    async def end(self, *, surely: bool = True) -> None:
        """Wait for its end, under cancellation too; see `Disk.go_through()` for `surely`."""
        import asyncio  # noqa: PLC0415 - see above

        if self.ended:
            return
        try:
            await self.answer
        except asyncio.CancelledError:
            if surely or not self.line.withdraw(self):
                await _ended(self)
            raise

    def goes_on(self) -> bool:
        """Take the next step; False where it was the last."""
        failure, self.failure = self.failure, None
        try:
            self.wants = next(self._steps) if failure is None else self._steps.throw(failure)
        except StopIteration as end:
            self._results = [end.value]
        except BaseException as error:  # noqa: ASYNC103, BLE001 - told by `outcome`
            self._error = error
        else:
            return True
        return False

    def refuse(self, error: BaseException) -> None:
        """End it before it was begun."""
        self.begun, self._error = True, error
        self._steps.close()

    def outcome(self) -> T:
        """What they gave; or raises."""
        if self._error is not None:
            error, self._error = self._error, None
            try:
                raise error
            finally:
                del error  # or its traceback would hold this frame, and this frame the error
        return self._results[0]


class _Line:
    """Jobs of one loop, and the thread that is there as long as they come."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._handed_in: list[Job[Any]] = []
        self._waiting: list[Job[Any]] = []
        self._changed = Condition()
        self._runs = False

    # -- in the loop -------------------------------------------------------------------------------

    def put(self, job: Job[Any]) -> None:
        """Hand it in; the thread hears of it when the loop's present round is over."""
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
        return True

    def _hand_over(self) -> None:
        with self._changed:
            self._waiting += self._handed_in
            self._handed_in.clear()
            self._changed.notify()
            if self._runs or not self._waiting:
                return
            self._runs = True
        # A daemon: it works only while a task awaits it, and must not hold up the end otherwise.
        thread = Thread(target=self._run, name="iceye-derivatives-disk", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # the system has none to give now, and may have one later
            self._refuse(error)

    def _refuse(self, why: RuntimeError) -> None:
        with self._changed:
            self._runs = False
            jobs, self._waiting = self._waiting, []
        for job in jobs:
            job.refuse(OSError(errno.EAGAIN, f"There is no thread for the disk: {why}"))
        self._answer(jobs)

    @staticmethod
    def _answer(jobs: list[Job[Any]]) -> None:
        for job in jobs:
            job.ended = True
            if not job.answer.done():
                job.answer.set_result(None)

    # -- in the thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        under_way: list[Job[Any]] = []
        while jobs := [*under_way, *self._take(wait=not under_way)]:
            under_way = []
            ended: list[Job[Any]] = []
            with sharing_handles():
                for job in jobs:
                    (under_way if job.goes_on() else ended).append(job)
            if ended:
                with suppress(RuntimeError):  # the loop was closed: nobody waits
                    self.loop.call_soon_threadsafe(self._answer, ended)
            if under_way:
                failures = _synced([job.wants for job in under_way])
                for job, failure in zip(under_way, failures, strict=True):
                    job.failure = failure

    def _take(self, *, wait: bool) -> list[Job[Any]]:
        """All that waits; nothing where the thread may end."""
        with self._changed:
            if wait and not self._waiting:
                self._changed.wait(_IDLE)
            jobs, self._waiting = self._waiting, []
            for job in jobs:
                job.begun = True
            self._runs = bool(jobs) or not wait
            return jobs


def _synced(handles: list[int]) -> list[BaseException | None]:
    """As `sync_all`, but never raises: a thread that dies would leave all its jobs unanswered."""
    try:
        return sync_all(handles)
    except BaseException as error:  # noqa: ASYNC103, BLE001 - raised in each job
        why = f"It could not be synced: {error!r}"
        return [OSError(errno.EIO, why) for _ in handles]  # noqa: ASYNC104 - in a thread


def _whole(work: Callable[[], T]) -> Steps[T]:
    yield from ()  # what makes it a generator
    return work()


async def _ended(job: Job[Any]) -> None:
    """Wait for a job whatever is cancelled meanwhile, by anyio's scopes or by `task.cancel()`."""
    import asyncio  # noqa: PLC0415 - see above

    with anyio.CancelScope(shield=True):
        while not job.ended:
            job.answer = job.line.loop.create_future()
            with suppress(asyncio.CancelledError):
                await job.answer
