"""How is one file fetched, as the pure machine decides?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import NoReturn

from attrs import field, frozen

from iceye_derivatives._body import Body, storing
from iceye_derivatives._core.content import ContentFault
from iceye_derivatives._core.download_settings import DownloadSettings
from iceye_derivatives._core.flow import Flow
from iceye_derivatives._core.link_policy import UnsafeLink
from iceye_derivatives._core.transfer import Transfer
from iceye_derivatives._core.transfer_errors import TransferErrors
from iceye_derivatives._core.transfer_terms import (
    Answer,
    Decision,
    GiveUp,
    Open,
    Pause,
    Receive,
    Renew,
    Store,
    Verdict,
)
from iceye_derivatives._journal import Journals
from iceye_derivatives._room import Room
from iceye_derivatives.errors import IceyeError, NetworkError
from iceye_derivatives.events import (
    LinkRenewed,
    TransferEvent,
    TransferProgressed,
    TransferRetrying,
    TransferStarted,
)
from iceye_derivatives.leases import Grant, Leases
from iceye_derivatives.models import AssetRef
from iceye_derivatives.protocols import Clock, LinkOpener, LinkResponse, Sink
from iceye_derivatives.sharing import Place, SharedSink

__all__ = ["Fetch", "Surroundings"]

_ERROR_BODY = 2048


@frozen(kw_only=True)
class Surroundings:
    """What all transfers of a run share."""

    opener: LinkOpener
    leases: Leases
    sink: Sink
    shared: SharedSink | None
    """The sink, if it is one of these."""
    clock: Clock
    jitter: Callable[[], float]
    settings: DownloadSettings
    journals: Journals
    room: Room
    overwrite: bool
    repair: bool
    emit: Callable[[TransferEvent], Awaitable[None]] = field(repr=False)
    progress: bool = True
    """Whether anybody hears how a transfer goes on, and not of its end alone."""


class Fetch:
    """Fetches one file into a place that is ours; used once."""

    def __init__(
        self, ref: AssetRef, place: Place, path: str, around: Surroundings, errors: TransferErrors
    ) -> None:
        self._ref = ref
        self._path = path
        self._around = around
        self._errors = errors
        self._machine = Transfer(around.settings)
        self._body = Body(ref, place, around.settings, errors)
        self._grant: Grant | None = None
        self._refused = False
        self._cause: Exception | None = None
        self._told = 0
        self.renewals = 0
        """How often the link was renewed."""

    @property
    def retries(self) -> int:
        """How often the line broke."""
        return self._machine.retries

    @property
    def size(self) -> int:
        """Bytes that came, now or in an earlier process."""
        return self._machine.offset

    @property
    def etag(self) -> str | None:
        """The file's strong ETag, where it has one."""
        return self._machine.etag

    async def run(self) -> tuple[str, str]:
        """Go on where an earlier process stood, then check and store: ``(path, sha256)``."""
        try:
            async with self._body:
                mark = await self._body.resume()
                if mark is not None:
                    self._machine.resume(mark)
                decision: Decision = self._machine.begin()
                while not isinstance(decision, Store):
                    decision = await self._carry_out(decision)
                return await self._body.store()
        except ContentFault as fault:
            raise self._errors.fault(fault) from None
        finally:
            self._around.room.release(self._ref)

    async def _carry_out(self, decision: Decision) -> Decision:
        match decision:
            case Open():
                return await self._open(decision)
            case Renew():
                self._refused = True
            case Pause(seconds=seconds, reason=reason):
                error = self._cause
                if not isinstance(error, IceyeError):
                    error = self._errors.broken(reason)
                await self._around.emit(
                    TransferRetrying(asset=self._ref, error=error, seconds=seconds)
                )
                await self._around.clock.sleep(seconds)
            case GiveUp():
                await self._give_up(decision)
            case Receive() | Store():
                raise AssertionError(f"{decision} is carried out elsewhere")
        return self._machine.begin()

    async def _give_up(self, decision: GiveUp) -> NoReturn:
        if self._body.size and not self._machine.offset:
            # What the machine believes no more is no beginning for the next process either.
            await self._body.restart()
        error = self._errors.verdict(decision, tries=self._machine.retries)
        if decision.verdict is Verdict.BROKEN:
            raise error from (self._cause or self._errors.broken(decision.reason))
        raise error

    async def _open(self, ask: Open) -> Decision:
        if self._around.room.is_due:
            with storing(self._errors):
                await self._around.room.look()
        grant = await self._take()
        self._cause = None
        try:
            async with self._around.opener.open_link(
                grant.lease.url, headers=ask.headers
            ) as response:
                return await self._answered(response, grant)
        except NetworkError as error:
            self._cause = error
            return self._machine.broke(str(error), self._around.jitter())
        except UnsafeLink as error:
            raise self._errors.unsafe(str(error)) from None

    async def _take(self) -> Grant:
        """A living link; never one that the store has just refused."""
        refused = self._grant.lease if self._grant is not None and self._refused else None
        self._grant = await self._around.leases.take(self._ref, refused=refused)
        self._refused = False
        if self._grant.renewed:
            self.renewals += 1
            await self._around.emit(LinkRenewed(asset=self._ref))
        return self._grant

    async def _answered(self, response: LinkResponse, grant: Grant) -> Decision:
        beginning = b"" if response.status in (200, 206) else await _beginning(response)
        answer = Answer(status=response.status, headers=response.headers, beginning=beginning)
        decision = self._machine.answered(
            answer,
            link=grant.facts,
            now=self._around.clock.time(),
            draw=self._around.jitter(),
        )
        if isinstance(decision, Receive):
            return await self._receive(response, decision)
        return decision

    async def _receive(self, response: LinkResponse, receive: Receive) -> Decision:
        if receive.offset == 0 and self._body.size:
            await self._body.restart()
        self._body.expect(etag=self._machine.etag, total=receive.total, offers=receive.offers)
        if self._around.progress:
            await self._around.emit(
                TransferStarted(
                    asset=self._ref, path=self._path, total=receive.total, offset=receive.offset
                )
            )
        self._told = receive.offset
        async with _closing(response.chunks()) as chunks:
            decision = await self._take_in(chunks)
        if self._machine.offset != self._told:
            await self._progress()
        return decision or self._machine.ended(self._around.jitter())

    async def _take_in(self, chunks: AsyncIterator[bytes]) -> Decision | None:
        """Read the body to its end; None where nothing is wrong with it."""
        settings, clock = self._around.settings, self._around.clock
        flow = Flow(slowest=settings.slowest, window=settings.window)
        began, asked = self._machine.offset, clock.time()
        async for chunk in chunks:
            # Only the waiting counts: what we do with the bytes is not the line's fault.
            enough = flow.came(len(chunk), clock.time() - asked)
            if self._machine.offset == began and self._machine.total is not None:
                # Not before the first bytes: a length above a ceiling is told by those.
                await self._reserve(self._machine.total - began)
            if not self._machine.received(len(chunk)):
                return self._machine.overran(self._around.jitter())
            await self._body.write(chunk)
            self._around.room.wrote(self._ref, len(chunk))
            if self._machine.offset - self._told >= settings.progress_every:
                await self._progress()
            if not enough:
                return self._machine.broke(flow.complaint, self._around.jitter())
            asked = clock.time()
        return None

    async def _reserve(self, size: int) -> None:
        with storing(self._errors):
            await self._around.room.reserve(self._ref, size, self._errors)

    async def _progress(self) -> None:
        self._told = self._machine.offset
        if self._around.progress:
            await self._around.emit(
                TransferProgressed(asset=self._ref, received=self._told, total=self._machine.total)
            )


async def _beginning(response: LinkResponse) -> bytes:
    """How an error's body begins: enough for the store's code, and never a reason to fail."""
    beginning = b""
    try:
        async with _closing(response.chunks()) as chunks:
            async for chunk in chunks:
                beginning += chunk[: _ERROR_BODY - len(beginning)]
                if len(beginning) >= _ERROR_BODY:
                    break
    except NetworkError:
        pass
    return beginning


class _closing:  # noqa: N801 - a context manager
    """Like `aclosing`, for iterators that need not be generators."""

    __slots__ = ("_chunks",)

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks

    async def __aenter__(self) -> AsyncIterator[bytes]:
        return self._chunks

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        close = getattr(self._chunks, "aclose", None)
        if close is not None:
            await close()
