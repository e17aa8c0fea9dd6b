"""When has an exchange lasted too long, or been silent for too long?

aiohttp arms timers for each request, and asyncio keeps a cancelled one in its heap until half of
the heap is cancelled, which it then sorts anew: among ten thousand waiting tasks that stops the
loop for a tenth of a second.  So one timer serves all exchanges of a line.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import asyncio

__all__ = ["SilenceError", "Watchdog"]

_LONGEST_TICK = 1.0


class SilenceError(TimeoutError):
    """Nothing came for as long as nothing may come."""


class Watchdog:
    """Ends exchanges that are late, by a quarter of what they are allowed at most, or a second.

    Args:
        total: seconds for a whole exchange; None for any.
        silence: seconds from its begin, or from bytes that came, to the next ones.
    """

    def __init__(self, *, total: float | None, silence: float) -> None:
        self._total = float("inf") if total is None else total
        self._silence = silence
        self._tick = min(_LONGEST_TICK, self._total / 4, silence / 4)
        self._watched: set[Watched] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_stopped = False

    def watch(self) -> Watched:
        """Enter what it gives around one exchange."""
        return Watched(self)

    def enter(self, watched: Watched) -> float:
        """Begin to watch; gives the time of the loop."""
        import asyncio  # noqa: PLC0415 - importing the library must not import it

        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # a client may outlive the loop that it was first used on
            self._loop, self._timer = loop, None
            self._watched = {one for one in self._watched if one.loop is loop}
        watched.loop = loop
        self._watched.add(watched)
        task = asyncio.current_task(loop)
        assert task is not None  # noqa: S101 - somebody runs this
        watched.runs_in(task)
        if self._timer is None:
            self._timer = loop.call_later(self._tick, self._look)
        return loop.time()

    def leave(self, watched: Watched) -> None:
        """Watch it no more."""
        self._watched.discard(watched)
        if self._is_stopped:
            self._rest()

    def stop(self) -> None:
        """Leave no timer behind, as soon as all have ended that are watched now.

        In a borrowed session they go on, and have no other timer.
        """
        self._is_stopped = True
        self._rest()

    def _rest(self) -> None:
        if self._timer is not None and not self._watched:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        assert self._loop is not None  # noqa: S101 - it called
        self._timer = None
        now = self._loop.time()
        for watched in self._watched:
            if now - watched.begun >= self._total:
                watched.end(TimeoutError())
            elif now - watched.heard >= self._silence:
                watched.end(SilenceError())
        if self._watched:
            self._timer = self._loop.call_later(self._tick, self._look)


class Watched:
    """One exchange; as a context manager it raises `TimeoutError` where the watchdog ended it.

    As `asyncio.timeout()` does it, without a timer of its own: the task is cancelled, and the
    cancellation taken back here, unless somebody else wants the task to end as well.  (A cancel
    scope does the same, and was a tenth of what a look at the derivatives costs.)
    """

    __slots__ = ("_before", "_dog", "_error", "_task", "begun", "heard", "loop")

    def __init__(self, dog: Watchdog) -> None:
        self._dog = dog
        self._error: TimeoutError | None = None
        self._task: asyncio.Task[Any] | None = None
        self._before = 0
        self.loop: asyncio.AbstractEventLoop | None = None

    def __enter__(self) -> Self:
        self.begun = self.heard = self._dog.enter(self)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._dog.leave(self)
        if self._error is None or self._task is None:
            return
        import asyncio  # noqa: PLC0415 - as above

        is_ours_alone = self._task.uncancel() <= self._before
        if is_ours_alone and isinstance(exc, asyncio.CancelledError):
            raise self._error

    def runs_in(self, task: asyncio.Task[Any]) -> None:
        """Which task is to be ended."""
        self._task, self._before = task, task.cancelling()

    def hear(self) -> None:
        """Bytes have come."""
        if self.loop is not None:
            self.heard = self.loop.time()

    def end(self, error: TimeoutError) -> None:
        """Time is up."""
        if self._error is None and self._task is not None:
            self._error = error
            self._task.cancel()
