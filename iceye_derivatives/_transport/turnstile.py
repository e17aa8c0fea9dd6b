"""Whose request goes next?

A queue by urgency in front of the client's one rate limit.  There is no task behind it: whoever
stands first waits for the slot itself, and is woken when somebody more urgent comes before it.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappush
from itertools import count

import anyio
from attrs import define, field

from iceye_derivatives._core.pace import Pacer, Urgency
from iceye_derivatives.protocols import Clock

__all__ = ["Turnstile"]


@define(order=True)
class _Waiter:
    deadline: float
    number: int
    wake: Callable[[], None] | None = field(default=None, order=False)
    """Ends the sleep that it is in just now."""

    def call(self) -> None:
        if self.wake is not None:
            self.wake()


class Turnstile:
    """Lets one request after the other go, the most urgent first, as fast as the pacer allows.

    A request that is cancelled in the queue leaves no gap, and takes no slot.
    """

    def __init__(self, pacer: Pacer, clock: Clock) -> None:
        self._pacer = pacer
        self._clock = clock
        self._queue: list[_Waiter] = []
        self._numbers = count()

    def __len__(self) -> int:
        """How many wait."""
        return len(self._queue)

    def may_pass(self) -> bool:
        """Whether nobody waits and there is a slot, which is taken then: the way without a wait."""
        return not self._queue and self._pacer.request(self._clock.time()) == 0

    async def wait(self, urgency: Urgency) -> None:
        """Return when it is this request's turn; its slot is taken then."""
        waiter = _Waiter(self._clock.time() + urgency.value, next(self._numbers))
        before = self._queue[0] if self._queue else None
        heappush(self._queue, waiter)
        if before is not None and self._queue[0] is waiter:
            before.call()
        try:
            while (pause := self._pause_of(waiter)) != 0:
                await self._sleep(waiter, pause)
        finally:
            self._queue.remove(waiter)
            heapify(self._queue)
            if self._queue:
                self._queue[0].call()

    def _pause_of(self, waiter: _Waiter) -> float | None:
        """Seconds; None for as long as others stand in front."""
        return self._pacer.request(self._clock.time()) if self._queue[0] is waiter else None

    async def _sleep(self, waiter: _Waiter, pause: float | None) -> None:
        with anyio.CancelScope() as scope:
            waiter.wake = scope.cancel
            try:
                await (anyio.sleep_forever() if pause is None else self._clock.sleep(pause))
            finally:
                waiter.wake = None
