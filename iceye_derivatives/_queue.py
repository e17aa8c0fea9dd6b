"""Which assets wait to be transferred, and whose turn is it: that of the link that dies soonest?"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from typing import Final

import anyio
from anyio.lowlevel import checkpoint

from iceye_derivatives._core.plan import death
from iceye_derivatives.models import Asset, AssetRef, Derivative

__all__ = ["AssetQueue"]

_TURN: Final = 64
"""Assets that are put before others in the loop get their turn."""


class AssetQueue:
    """Assets between one feeder and many workers: bounded, soonest to die first.

    The heap holds the assets, and there is one ticket for each: whoever gets a ticket takes the
    most urgent asset of that moment, not the one that was put with the ticket.  Tickets are a
    semaphore and no stream, which would send even those round the loop who need not wait.
    """

    def __init__(self, limit: int = 4096) -> None:
        self._tickets = anyio.Semaphore(0, fast_acquire=True)
        # The bound is for memory alone: an asset that waits is a few hundred bytes.
        self._room = anyio.Semaphore(limit, fast_acquire=True)
        self._heap: list[tuple[float, int, AssetRef, Derivative]] = []
        self._order = count()
        self._closed = self._abandoned = False

    def __len__(self) -> int:
        return len(self._heap)

    async def put(self, ref: AssetRef, asset: Asset, derivative: Derivative) -> None:
        """Let an asset wait; returns at once unless too many do."""
        await self._room.acquire()
        if self._abandoned:
            self._room.release()  # for whoever stands behind
            return
        order = next(self._order)
        heappush(self._heap, (death(asset), order, ref, derivative))
        self._tickets.release()
        if order % _TURN == _TURN - 1:
            await checkpoint()

    def close(self) -> None:
        """No more will come: workers end when the queue is empty."""
        if not self._closed:
            self._closed = True
            self._tickets.release()

    def abandon(self) -> None:
        """The last worker has gone: whoever still puts an asset is not kept waiting."""
        self.close()
        if not self._abandoned:
            self._abandoned = True
            self._room.release()

    def __aiter__(self) -> AssetQueue:
        return self

    async def __anext__(self) -> tuple[AssetRef, Derivative]:
        await self._tickets.acquire()
        if not self._heap:  # the extra ticket of `close()`: each worker hands it on
            self._tickets.release()
            raise StopAsyncIteration
        _, _, ref, derivative = heappop(self._heap)
        self._room.release()
        return ref, derivative
