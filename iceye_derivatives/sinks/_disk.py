"""How is the disk's work of many transfers done: by one thread, all that has gathered at a time?

A hop to a thread costs more than what a small file takes there, and a disk that is asked to sync
ten files takes hardly longer than for one.  So whatever is to be done is put in a queue.  One
thread takes all that is in it, goes on with each job to the point from which it needs its bytes on
the disk, syncs for all of them at once, and so on; and it wakes the loop once for all answers.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from iceye_derivatives.sinks._steps import Job, Steps, at_once, whole
from iceye_derivatives.sinks._worker import DiskWorker

if TYPE_CHECKING:
    import asyncio

__all__ = ["BRIEF", "Disk", "Job", "Steps", "at_once"]

BRIEF: Final = 64 * 1024
"""Bytes up to which the loop may wait until they are checked and stored, and gains by it."""

T = TypeVar("T")


class Disk:
    """Where jobs are handed in; each loop that does so has a worker of its own.

    Each job is answered exactly once, and none harms another: what fails, fails alone.
    """

    def __init__(self) -> None:
        self._workers: Mapping[asyncio.AbstractEventLoop, DiskWorker] = {}

    def do(self, work: Callable[[], T], *, surely: bool = False) -> Coroutine[Any, Any, T]:
        """Do something that needs no sync; see `go_through()`."""
        return self.go_through(whole(work), surely=surely)

    async def go_through(self, steps: Steps[T], *, surely: bool = False, size: int = 0) -> T:
        """Go through all steps, in the thread.

        Under cancellation they are finished first: nothing is written behind the caller's back.
        What was not begun by then is left out altogether, unless it is to be done `surely`.  Where
        more than a small file's bytes (`size`) are handled, the loop never waits for it.
        """
        job = self.begin(steps, beside=size > BRIEF)
        await job.end(surely=surely)
        return job.outcome()

    def begin(self, steps: Steps[T], *, beside: bool) -> Job[T]:
        """Hand them in, and do something else until their end is asked for."""
        import asyncio  # noqa: PLC0415 - importing the library must not: it is half of that

        loop = asyncio.get_running_loop()
        worker = self._workers.get(loop)
        if worker is None:
            # Never changed in place: another loop, in another thread, may look at the same time.
            open_ = {one: its for one, its in self._workers.items() if not one.is_closed()}
            worker = DiskWorker(loop)
            self._workers = {**open_, loop: worker}
        job = Job(steps, beside=beside)
        job.worker, job.answer = worker, loop.create_future()
        worker.put(job)
        return job
