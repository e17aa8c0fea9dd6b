"""How are the bytes of a file taken in: with room for them, fast enough, and told of?"""

from __future__ import annotations

from collections.abc import AsyncIterator

from iceye_derivatives._body import Body
from iceye_derivatives._core.flow import Flow
from iceye_derivatives._core.transfer import Transfer
from iceye_derivatives._core.transfer_errors import TransferErrors
from iceye_derivatives._core.transfer_terms import Decision, Receive
from iceye_derivatives._storing import storing
from iceye_derivatives._surroundings import Surroundings
from iceye_derivatives.events import TransferProgressed, TransferStarted
from iceye_derivatives.models import AssetRef

__all__ = ["Intake"]


class Intake:
    """Takes in one file, in as many answers as it needs."""

    __slots__ = ("_around", "_errors", "_machine", "_path", "_ref", "_reserved", "_told")

    def __init__(
        self,
        ref: AssetRef,
        path: str,
        machine: Transfer,
        around: Surroundings,
        errors: TransferErrors,
    ) -> None:
        self._ref = ref
        self._path = path
        self._machine = machine
        self._around = around
        self._errors = errors
        self._reserved = False
        self._told = 0
        """Bytes of which the last event told."""

    async def receive(
        self, receive: Receive, body: Body, chunks: AsyncIterator[bytes], asked: float
    ) -> Decision:
        """Read an answer's body to its end, as the machine has decided.

        Args:
            receive: The decision.
            body: Where the bytes go.
            chunks: The answer's body.
            asked: Since when we wait for its bytes.
        """
        if receive.offset == 0 and body.size:
            await body.restart()
        body.expect(etag=self._machine.etag, total=receive.total, offers=receive.offers)
        await self.start(receive.offset)
        decision = await self._take_in(body, chunks, asked)
        if self._machine.offset != self._told:
            await self.progress()
        return decision or self._machine.ended(self._around.jitter())

    async def _take_in(
        self, body: Body, chunks: AsyncIterator[bytes], asked: float
    ) -> Decision | None:
        """None where nothing is wrong with the body."""
        settings, clock = self._around.settings, self._around.clock
        flow = Flow(slowest=settings.slowest, window=settings.window)
        began = self._machine.offset
        async for chunk in chunks:
            # Only the waiting counts: what we do with the bytes is not the line's fault.
            enough = flow.came(len(chunk), clock.time() - asked)
            if self._machine.offset == began and self._machine.total is not None:
                # Not before the first bytes: a length above a ceiling is told by those.
                await self.reserve(self._machine.total - began)
            if not self._machine.received(len(chunk)):
                return self._machine.overran(self._around.jitter())
            await body.write(chunk)
            self._around.room.wrote(self._ref, len(chunk))
            if self._machine.offset - self._told >= settings.progress_every:
                await self.progress()
            if not enough:
                return self._machine.broke(flow.complaint, self._around.jitter())
            asked = clock.time()
        return None

    async def reserve(self, size: int) -> None:
        """Have room for that many bytes promised, until `release()`."""
        self._reserved = True
        with storing(self._errors):
            await self._around.room.reserve(self._ref, size, self._errors)

    def release(self) -> None:
        """No more bytes will come."""
        if self._reserved:
            self._around.room.release(self._ref)

    async def start(self, offset: int) -> None:
        """Tell that bytes are on their way, from that place of the file on."""
        self._told = offset
        if self._around.progress:
            await self._around.emit(
                TransferStarted(
                    asset=self._ref, path=self._path, total=self._machine.total, offset=offset
                )
            )

    async def progress(self) -> None:
        """Tell how many have come."""
        self._told = self._machine.offset
        if self._around.progress:
            await self._around.emit(
                TransferProgressed(asset=self._ref, received=self._told, total=self._machine.total)
            )
