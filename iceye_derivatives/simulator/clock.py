"""What time is it: real, sped up, or jumping from one deadline to the next.

A clock is anything with `time()` (Unix seconds) and `async sleep(seconds)`.
"""

from __future__ import annotations

import asyncio
import time
from bisect import insort
from contextlib import contextmanager, nullcontext, suppress
from itertools import count
from math import inf
from typing import TYPE_CHECKING, Protocol

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

_QUIET_TURNS = 20


class Clock(Protocol):
    """What the simulator needs of a clock."""

    def time(self) -> float:
        """Give the Unix seconds of now."""

    async def sleep(self, seconds: float) -> None:
        """Return when `seconds` of this clock have passed."""

    def hold(self) -> AbstractContextManager[None]:
        """Let no time be skipped inside of the `with` block."""


class RealClock:
    """Time that passes by itself, `speed` times as fast as on the wall.

    Args:
        speed: Seconds of this clock in one real second.
        start: Where it starts, in Unix seconds; None starts now.
    """

    def __init__(self, speed: float = 1.0, start: float | None = None) -> None:
        if not speed > 0:
            raise ValueError(f"a clock's speed must be above 0, not {speed}")
        self.speed = speed
        # The one place where real time comes in.
        self._start = time.time() if start is None else start  # noqa: TID251 (see above)
        self._zero = time.monotonic()

    def time(self) -> float:
        """Give the Unix seconds of now; never goes backwards."""
        return self._start + (time.monotonic() - self._zero) * self.speed

    async def sleep(self, seconds: float) -> None:
        """Sleep for `seconds` of this clock."""
        await asyncio.sleep(seconds / self.speed)

    def hold(self) -> AbstractContextManager[None]:
        """Do nothing: real time cannot be held."""
        return nullcontext()


@frozen(order=True)
class _Sleeper:
    deadline: float
    number: int
    wake: asyncio.Future[None] = field(order=False)


class VirtualClock:
    """Time that stands still while anything happens, and jumps when all wait for it.

    With `auto`, the clock waits until the event loop has gone quiet and then jumps to the earliest
    deadline, to one at a time: sleepers wake in the order of their deadlines, and each finds
    `time()` at its own. So three days pass in milliseconds and nothing is reordered.

    "Quiet" is an estimate: some twenty turns of the loop and a short real pause in which nobody
    slept, woke, or held the clock. Work that the clock cannot see (a thread, another process)
    and that takes longer than `pause` belongs inside of `hold()`.

    One clock serves one event loop at a time; it can be made outside of any.

    Args:
        start: Where it starts, in Unix seconds.
        auto: Whether it jumps by itself; otherwise only `advance` and `set` move it.
        pause: The short pause, in real seconds.
    """

    def __init__(
        self, start: float = 1_800_000_000.0, *, auto: bool = True, pause: float = 0.001
    ) -> None:
        self._now = start
        self._auto = auto
        self._pause = pause
        self._sleepers: list[_Sleeper] = []
        self._numbers = count()
        self._holds = 0
        # Counts all that was done with this clock: a number that has changed means "not quiet".
        self._activity = 0
        self._watched: asyncio.AbstractEventLoop | None = None

    def time(self) -> float:
        """Give the Unix seconds of now; never goes backwards."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Return when `seconds` of this clock have passed; `math.inf` never returns.

        Cancelling it leaves nothing behind.
        """
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        loop = asyncio.get_running_loop()
        sleeper = _Sleeper(self._now + seconds, next(self._numbers), loop.create_future())
        insort(self._sleepers, sleeper)
        self._stir()
        try:
            await sleeper.wake
        finally:
            # The woken are gone already; the cancelled may be, if the clock was set since.
            if sleeper.wake.cancelled():
                with suppress(ValueError):
                    self._sleepers.remove(sleeper)
            self._activity += 1

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass at once; sleepers that are overtaken wake in order, all at the end.

        To let time pass from deadline to deadline, `await clock.sleep(seconds)` with `auto`.
        """
        self.set(self._now + seconds)

    def set(self, moment: float) -> None:
        """Set the clock forward to `moment`.

        Raises:
            ValueError: `moment` is in the past.
        """
        if not moment >= self._now:
            raise ValueError(f"a clock never goes backwards: it is {self._now}, not {moment}")
        self._now = moment
        self._wake_due()
        self._stir()

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Let the clock not jump inside of the `with` block; `advance` and `set` still move it."""
        self._holds += 1
        try:
            yield
        finally:
            self._holds -= 1
            self._stir()

    def _wake_due(self) -> None:
        while self._sleepers and self._sleepers[0].deadline <= self._now:
            wake = self._sleepers.pop(0).wake
            if not (wake.done() or wake.get_loop().is_closed()):
                wake.set_result(None)

    def _stir(self) -> None:
        """Note that something happened, and begin to wait for quiet unless that is under way."""
        self._activity += 1
        if not self._auto or self._holds or (loop := self._next_loop()) is None:
            return
        # A watch that died with its loop does not stand in the way of another loop's.
        if self._watched is not loop:
            self._watched = loop
            self._await_quiet(loop, _QUIET_TURNS, self._activity)

    def _next_loop(self) -> asyncio.AbstractEventLoop | None:
        """Give the loop of the next sleeper that can be woken by a jump."""
        # Those whose loop was closed in the middle of their sleep are never woken.
        while self._sleepers and self._sleepers[0].wake.get_loop().is_closed():
            self._sleepers.pop(0)
        if not self._sleepers or self._sleepers[0].deadline == inf:
            return None
        return self._sleepers[0].wake.get_loop()

    def _await_quiet(self, loop: asyncio.AbstractEventLoop, left: int, seen: int) -> None:
        """Count the turns of the loop in which nothing happened, then jump.

        Callbacks and no task: a task of the clock's own would have to be ended by somebody.
        """
        if self._watched is not loop:
            return
        if self._holds or self._next_loop() is not loop:
            # Whoever lets go of the clock, or sleeps next, begins anew.
            self._watched = None
        elif seen != self._activity:
            loop.call_soon(self._await_quiet, loop, _QUIET_TURNS, self._activity)
        elif left > 0:
            loop.call_soon(self._await_quiet, loop, left - 1, seen)
        elif left == 0:
            # Each turn above has asked the selector; this pause is for threads.
            loop.call_later(self._pause, self._await_quiet, loop, -1, seen)
        else:
            self._now = self._sleepers[0].deadline
            self._wake_due()
            loop.call_soon(self._await_quiet, loop, _QUIET_TURNS, seen)
