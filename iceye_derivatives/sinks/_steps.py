"""What is a job for the disk: steps, each of which may need bytes on the disk before the next?"""

from __future__ import annotations

import errno
from collections.abc import Callable, Generator
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

import anyio

from iceye_derivatives.sinks._sync import sync_all

if TYPE_CHECKING:
    import asyncio  # importing the library must not import it: it is half of what that costs

    from iceye_derivatives.sinks._worker import DiskWorker

__all__ = ["Job", "Steps", "at_once", "synced", "whole"]

T = TypeVar("T")

Steps: TypeAlias = Generator[int, None, T]
"""Work that yields each handle whose bytes must be on the disk before it goes on.

Where they do not get there, the `OSError` is raised at its `yield`.
"""


def at_once(steps: Steps[T]) -> T:
    """Do it here and now, syncing each handle by itself."""
    job = Job(steps)
    while job.goes_on():
        job.failure = synced([job.wants])[0]
    return job.outcome()


class Job(Generic[T]):
    """Steps on their way; the thread alone touches it until it is answered."""

    __slots__ = (
        *("_error", "_results", "_steps"),
        *("answer", "begun", "beside", "ended", "failure", "worker", "wants"),
    )

    def __init__(self, steps: Steps[T], *, beside: bool = False) -> None:
        self._steps = steps
        self._results: list[T] = []
        self._error: BaseException | None = None
        self.beside = beside
        """Whether it takes so long, mostly without the interpreter, that the loop goes on."""
        self.worker: DiskWorker
        """Who does it."""
        self.answer: asyncio.Future[None]
        """Says no more than that it has ended; the loop's alone."""
        self.begun = self.ended = False
        self.wants = -1
        """The handle that it waits for."""
        self.failure: BaseException | None = None
        """Why that one could not be synced."""

    async def end(self, *, surely: bool = True) -> None:
        """Wait for its end, under cancellation too; see `Disk.go_through()` for `surely`."""
        if self.ended:
            return
        try:
            await self.answer
        except BaseException as error:
            import asyncio  # noqa: PLC0415 - see above; asked for only then

            # Not `get_cancelled_exc_class()`: whoever closes us may have no loop any more.
            if isinstance(error, asyncio.CancelledError) and (
                surely or not self.worker.withdraw(self)
            ):
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


def synced(handles: list[int]) -> list[BaseException | None]:
    """As `sync_all`, but never raises: a thread that dies would leave all its jobs unanswered."""
    try:
        return sync_all(handles)
    except BaseException as error:  # noqa: ASYNC103, BLE001 - raised in each job
        why = f"It could not be synced: {error!r}"
        return [OSError(errno.EIO, why) for _ in handles]  # noqa: ASYNC104 - in a thread


def whole(work: Callable[[], T]) -> Steps[T]:
    """Work that needs no sync."""
    yield from ()  # what makes it a generator
    return work()


async def _ended(job: Job[T]) -> None:
    """Wait for a job whatever is cancelled meanwhile, by anyio's scopes or by `task.cancel()`."""
    import asyncio  # noqa: PLC0415 - see above

    with anyio.CancelScope(shield=True):
        while not job.ended:
            job.answer = job.worker.loop.create_future()
            with suppress(asyncio.CancelledError):
                await job.answer
