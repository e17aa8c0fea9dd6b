"""How do events go from those who look to those who read, none taken before it is read?

A memory stream of size 0 would nearly do.  But cancelling its reader can lose an item that was
handed over a moment before, and a lost item here is a lost derivative.  So an event stays here
until the very step in which a reader gets it, and that step is what counts it as handed out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import anyio
import anyio.lowlevel
from attrs import define, field

from iceye_derivatives.events import WatchEvent

__all__ = ["Outbox"]


def _nothing() -> None:
    """Where taking an event changes nothing."""


def _always() -> bool:
    return True


@define
class _Told:
    event: WatchEvent
    wanted: Callable[[], bool]
    taken: Callable[[], object]
    gone: anyio.Event = field(factory=anyio.Event)


class Outbox:
    """Holds events until they are read; whoever tells one waits that long.

    Args:
        ended: Whether nothing will come any more.
    """

    def __init__(self, ended: Callable[[], bool]) -> None:
        self._ended = ended
        self._told: deque[_Told] = deque()
        self._rung = anyio.Event()
        self._cleared = anyio.Event()
        self.closed = False
        """Whether nobody reads any more."""

    async def tell(
        self,
        event: WatchEvent,
        *,
        wanted: Callable[[], bool] = _always,
        taken: Callable[[], object] = _nothing,
    ) -> None:
        """Return when it was read.

        Args:
            event: What to tell.
            wanted: Asked when its turn comes; where it is not, it is dropped.
            taken: Called in the step in which a reader gets it.
        """
        told = _Told(event, wanted, taken)
        self._told.append(told)
        self.ring()
        await told.gone.wait()

    async def cleared(self) -> None:
        """Return when nothing waits to be read."""
        while self._told:
            await self._cleared.wait()

    async def take(self) -> WatchEvent:
        """The next event.

        Raises:
            anyio.EndOfStream: nothing will come any more.
            anyio.ClosedResourceError: the outbox was closed.
        """
        await anyio.lowlevel.checkpoint()
        # From here to the `return` there is no await but the one that waits for an event to come.
        while True:
            if self.closed:
                raise anyio.ClosedResourceError
            told = self._next()
            if told is not None:
                told.taken()
                return told.event
            if self._ended():
                raise anyio.EndOfStream
            await self._rung.wait()

    def ring(self) -> None:
        """Let readers see what has changed."""
        self._rung.set()
        self._rung = anyio.Event()

    def close(self) -> None:
        """Nobody reads any more; what lies here counts as not handed out."""
        self.closed = True
        self._told.clear()
        self.ring()

    def _next(self) -> _Told | None:
        found = None
        while self._told and found is None:
            told = self._told.popleft()
            told.gone.set()
            found = told if told.wanted() else None
        if not self._told:
            self._cleared.set()
            self._cleared = anyio.Event()
        return found
