"""When has an exchange lasted too long, or been silent for too long?

aiohttp arms timers for each request, and asyncio keeps a cancelled one in its heap until half of
the heap is cancelled, which it then sorts anew: among ten thousand waiting tasks that stops the
loop for a tenth of a second.  So one timer serves all exchanges of a session.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    import asyncio

__all__ = ["SilenceError", "Watchdog"]

_LONGEST_TICK = 1.0


class SilenceError(TimeoutError):
    """Nothing came for longer than is allowed."""


class Endable(Protocol):
    """One exchange that is watched."""

    loop: asyncio.AbstractEventLoop | None
    """On which it runs."""
    begun: float
    heard: float
    """When bytes have come last, by the time of the loop."""

    def end(self, error: TimeoutError) -> None:
        """Time is up."""
        ...


class Watchdog:
    """Ends exchanges that take too long: late by a second at most, or a quarter of what is allowed.

    Args:
        total: seconds for a whole exchange; None for any.
        silence: seconds from its begin, or from bytes that came, to the next ones.
    """

    def __init__(self, *, total: float | None, silence: float) -> None:
        self._total = float("inf") if total is None else total
        self._silence = silence
        self._tick = min(_LONGEST_TICK, self._total / 4, silence / 4)
        self._watched: set[Endable] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_stopped = False

    def watch(self) -> Watched:
        """Enter what it gives around one exchange."""
        return Watched(self)

    def enter(self, one: Endable, loop: asyncio.AbstractEventLoop) -> None:
        """Watch it from now on."""
        if loop is not self._loop:  # a client may outlive the loop that it was first used on
            self._loop, self._timer = loop, None
            self._watched = {other for other in self._watched if other.loop is loop}
        one.loop = loop
        one.begun = one.heard = loop.time()
        self._watched.add(one)
        if self._timer is None:
            self._timer = loop.call_later(self._tick, self._look)

    def leave(self, one: Endable) -> None:
        """Watch it no more."""
        self._watched.discard(one)
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
        for one in self._watched:
            if now - one.begun >= self._total:
                one.end(TimeoutError())
            elif now - one.heard >= self._silence:
                one.end(SilenceError())
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
        self.begun = self.heard = 0.0

    def __enter__(self) -> Self:
        import asyncio  # noqa: PLC0415 - importing the library must not import it

        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - somebody runs this
        self._task, self._before = task, task.cancelling()
        self._dog.enter(self, task.get_loop())
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

    def hear(self) -> None:
        """Bytes have come."""
        if self.loop is not None:
            self.heard = self.loop.time()

    def end(self, error: TimeoutError) -> None:
        """Time is up."""
        if self._error is None and self._task is not None:
            self._error = error
            self._task.cancel()
