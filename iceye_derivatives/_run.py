"""How do many assets become whole files: few at a time, soonest to die first, none lost?"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Final

import anyio
from anyio import to_thread
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint
from attrs import define, field

from iceye_derivatives._audience import ReaderLeft
from iceye_derivatives._core.ownership import BEAT
from iceye_derivatives._core.plan import fingerprint, soonest_first
from iceye_derivatives._queue import AssetQueue
from iceye_derivatives._surroundings import Surroundings
from iceye_derivatives._transfer import FileTransfer
from iceye_derivatives.models import Derivative
from iceye_derivatives.sharing import SharedSink

if TYPE_CHECKING:
    import asyncio  # importing the library must not import it: it is half of what that costs

__all__ = ["Run", "link_slots", "under_way"]

_AT_A_TIME: Final = 50
"""Derivatives that are planned before others in the loop get their turn."""


@define
class Run:
    """One run: a feeder that plans, and workers that take the next asset from a queue."""

    _around: Surroundings
    _on_end: Callable[[], object]
    _workers: int
    error: Exception | None = None
    """What the derivatives' own iterable raised."""
    _queue: AssetQueue = field(init=False, factory=AssetQueue)
    _met: set[bytes] = field(init=False, factory=set)
    """Fingerprints of all assets that were ever handed in: all that a run keeps of them."""
    _active: int = field(init=False, default=0)

    def start(
        self, tasks: TaskGroup, derivatives: Iterable[Derivative] | AsyncIterable[Derivative]
    ) -> None:
        """Start everything; the stream of events ends with the last worker."""
        for _ in range(self._workers):
            tasks.start_soon(self._work)
        tasks.start_soon(self._feed, derivatives)
        if self._around.shared is not None:
            tasks.start_soon(self._beat, self._around.shared)

    async def _beat(self, sink: SharedSink) -> None:
        # Real time, and not the clock's: it proves to other machines that this process lives, and
        # they do not share a clock that jumps.
        while True:
            await anyio.sleep(BEAT)
            with suppress(OSError):  # a sink that fails is noticed by whoever stores a file in it
                await sink.beat()

    async def _feed(self, derivatives: Iterable[Derivative] | AsyncIterable[Derivative]) -> None:
        try:
            if isinstance(derivatives, AsyncGenerator):
                # It would stay open if we were cancelled while we put an asset.
                async with aclosing(derivatives):
                    await self._feed_as_they_come(derivatives)
            elif isinstance(derivatives, AsyncIterable):
                await self._feed_as_they_come(derivatives)
            else:
                await self._feed_at_once(derivatives)
        except Exception as error:  # noqa: BLE001 - raised at the end of the context
            self.error = error
        self._queue.close()

    async def _feed_as_they_come(self, derivatives: AsyncIterable[Derivative]) -> None:
        async for derivative in derivatives:
            await self._plan([derivative])

    async def _feed_at_once(self, derivatives: Iterable[Derivative]) -> None:
        known: list[Derivative] = []
        try:
            known.extend(derivatives)
        finally:
            await self._plan(known)

    async def _plan(self, derivatives: list[Derivative]) -> None:
        if len(derivatives) <= _AT_A_TIME:
            planned = soonest_first(derivatives)
        else:
            planned = await to_thread.run_sync(soonest_first, derivatives)
        for number, (ref, asset, derivative) in enumerate(planned, 1):
            if number % _AT_A_TIME == 0:  # those that were met before never wait at the queue
                await checkpoint()
            mark = fingerprint(ref)
            if mark in self._met:  # its link is younger, and serves if the asset still waits
                self._around.leases.update(ref, asset.url)
            else:
                self._met.add(mark)
                self._around.leases.note(ref, asset.url)
                await self._queue.put(ref, asset, derivative)

    async def _work(self) -> None:
        try:
            async for ref, derivative in self._queue:
                self._active += 1
                try:
                    await FileTransfer(ref, derivative, self._around).run()
                finally:
                    self._active -= 1
                self._around.leases.forget(ref)
                idle = not self._active and not len(self._queue)
                await self._around.journals.save(at_once=idle)
        except ReaderLeft:
            pass  # closing the stream before leaving the context is leaving, too
        finally:
            self._workers -= 1
            if not self._workers:
                self.close()

    def close(self) -> None:
        """End the events and the queue; safe to call twice."""
        self._queue.abandon()
        self._on_end()


def under_way(concurrency: int) -> int:
    """How many transfers are under way: more than links are open, as some claim or store a file."""
    return concurrency + concurrency // 4


def link_slots(concurrency: int) -> asyncio.Semaphore | None:
    """One slot for each link that may be open; None where there are no more transfers than that."""
    import asyncio  # noqa: PLC0415 - as above

    # Not anyio's semaphore: waiting for that once a file costs a tenth of what the file does.
    return asyncio.Semaphore(concurrency) if under_way(concurrency) > concurrency else None
