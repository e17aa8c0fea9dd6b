"""Which asset waits for a slot, and whose turn is it: the one whose link dies soonest?"""

from __future__ import annotations

from contextlib import suppress
from heapq import heappop, heappush
from itertools import count

import anyio

from iceye_derivatives._core.plan import death
from iceye_derivatives.models import Asset, AssetRef, Derivative

__all__ = ["AssetQueue"]


class AssetQueue:
    """Assets between one feeder and many workers: bounded, soonest to die first.

    The heap holds the assets, and a stream of as many tickets does the waiting: whoever gets a
    ticket takes the most urgent asset of that moment, not the one that was put with the ticket.
    """

    def __init__(self, limit: int = 4096) -> None:
        # The bound is for memory alone: an asset that waits is a few hundred bytes.
        self._tickets_in, self._tickets_out = anyio.create_memory_object_stream[None](limit)
        self._heap: list[tuple[float, int, AssetRef, Derivative]] = []
        self._order = count()

    def __len__(self) -> int:
        return len(self._heap)

    async def put(self, ref: AssetRef, asset: Asset, derivative: Derivative) -> None:
        """Let an asset wait; itself waits where too many do."""
        heappush(self._heap, (death(asset), next(self._order), ref, derivative))
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            await self._tickets_in.send(None)

    def close(self) -> None:
        """No more will come: workers end when the queue is empty."""
        self._tickets_in.close()

    def abandon(self) -> None:
        """The last worker has gone: who still puts something is not kept waiting."""
        self._tickets_in.close()
        self._tickets_out.close()

    def __aiter__(self) -> AssetQueue:
        return self

    async def __anext__(self) -> tuple[AssetRef, Derivative]:
        try:
            await self._tickets_out.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None
        _, _, ref, derivative = heappop(self._heap)
        return ref, derivative
