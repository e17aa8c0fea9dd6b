"""How is one transfer carried out, as the pure machine decides?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from attrs import field, frozen

from iceye_derivatives._body import Body, storing
from iceye_derivatives._core.content import ContentFault
from iceye_derivatives._core.download_settings import DownloadSettings
from iceye_derivatives._core.journal import WholeFile
from iceye_derivatives._core.link_policy import UnsafeLink
from iceye_derivatives._core.plan import file_name
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
from iceye_derivatives._place import PlainPlace
from iceye_derivatives.errors import DownloadError, IceyeError, NetworkError
from iceye_derivatives.events import (
    FileRecord,
    LinkRenewed,
    TransferEvent,
    TransferFailed,
    TransferFinished,
    TransferProgressed,
    TransferRetrying,
    TransferStarted,
)
from iceye_derivatives.leases import Grant, Leases
from iceye_derivatives.models import AssetRef, Derivative
from iceye_derivatives.protocols import Clock, LinkOpener, LinkResponse, Sink
from iceye_derivatives.sharing import Busy, Place, Present, SharedSink

__all__ = ["FileTransfer", "Surroundings"]

_ERROR_BODY = 2048


@frozen(kw_only=True)
class Surroundings:
    """What all transfers of a run share."""

    opener: LinkOpener
    leases: Leases
    sink: Sink
    clock: Clock
    jitter: Callable[[], float]
    settings: DownloadSettings
    journals: Journals
    overwrite: bool
    repair: bool
    emit: Callable[[TransferEvent], Awaitable[None]] = field(repr=False)


class FileTransfer:
    """Brings one asset home; used once."""

    def __init__(self, ref: AssetRef, derivative: Derivative, around: Surroundings) -> None:
        self._ref = ref
        self._derivative = derivative
        self._around = around
        self._name = file_name(ref)
        self._path = around.sink.locate(self._name)
        self._errors = TransferErrors(ref, self._name)
        self._machine = Transfer(around.settings)
        self._grant: Grant | None = None
        self._refused = False
        self._cause: Exception | None = None
        self._began = 0.0
        self._renewals = 0
        self._told = 0

    async def run(self) -> FileRecord:
        """Fetch, check and store the asset, or find it there; a failure is a record too."""
        self._began = self._around.clock.time()
        try:
            record = await self._keep_or_fetch()
        except DownloadError as error:
            error.path = self._path
            record = self._record(error=error)
            await self._around.emit(TransferFailed(record=record))
        else:
            await self._around.emit(TransferFinished(record=record))
        return record

    async def _keep_or_fetch(self) -> FileRecord:
        sink = self._around.sink
        if not isinstance(sink, SharedSink):
            kept = None if self._around.overwrite else await self._keep(None)
            return kept or await self._fetch(PlainPlace(sink, self._name))
        looks, replace = 0, self._around.overwrite
        while True:
            found = await self._claim_and_fetch(sink, replace=replace)
            match found:
                case FileRecord():
                    return found
                case Present():
                    record = await self._keep(found)
                    if record is not None:
                        return record
                    replace = True
                case Busy():
                    await self._wait_for(found, looks)
                    looks += 1

    async def _claim_and_fetch(
        self, sink: SharedSink, *, replace: bool
    ) -> FileRecord | Present | Busy:
        async with AsyncExitStack() as held:
            with storing(self._errors):
                claim = sink.claim(self._name, self._ref, replace=replace)
                found = await held.enter_async_context(claim)
            return found if isinstance(found, Present | Busy) else await self._fetch(found)

    async def _wait_for(self, other: Busy, looks: int) -> None:
        """Another process makes the file: it is waited for, and never raced."""
        seconds = self._around.settings.backoff.delay(looks, self._around.jitter())
        if not looks:
            error = self._errors.busy(other.owner)
            await self._around.emit(TransferRetrying(asset=self._ref, error=error, seconds=seconds))
        await self._around.clock.sleep(seconds)

    async def _keep(self, present: Present | None) -> FileRecord | None:
        """What stands under the final name is whole and was checked, by the promise of sinks.

        Where size and stamp are those of the journal, that is believed; else it is hashed, but not
        parsed again.  An empty file is the one thing that other tools, or a disk that lost power,
        leave under a good name: it is fetched anew.  So is one whose hash is not that of the
        journal, where that was asked for; otherwise it may be somebody's work, and is kept.
        """
        known = await self._around.journals.known(self._ref)
        stamp = None if present is None else present.stamp
        if (
            present is not None
            and known is not None
            and not self._around.repair
            and (known.size, known.stamp) == (present.size, stamp)
        ):
            return self._record(path=present.path, size=known.size, sha256=known.sha256, kept=True)
        with storing(self._errors):
            found = await self._around.sink.find(self._name)
        if found is None or not found.size:
            return None
        if known is None or known.sha256 == found.sha256:
            self._note(found.size, found.sha256, stamp, known)
        elif self._around.repair:
            return None
        return self._record(path=found.path, size=found.size, sha256=found.sha256, kept=True)

    def _note(
        self, size: int, sha256: str, stamp: str | None, known: WholeFile | None = None
    ) -> None:
        now = self._around.clock.time()
        self._around.journals.note(
            WholeFile(
                asset=self._ref,
                size=size,
                sha256=sha256,
                stamp=stamp,
                etag=self._machine.etag if known is None else known.etag,
                begun=self._began if known is None else known.begun,
                finished=now if known is None else known.finished,
            )
        )

    async def _fetch(self, place: Place) -> FileRecord:
        async with Body(self._ref, place, self._around.settings, self._errors) as body:
            mark = await body.resume()
            if mark is not None:
                self._machine.resume(mark)
            decision: Decision = self._machine.begin()
            while not isinstance(decision, Store):
                decision = await self._carry_out(decision, body)
            try:
                path, sha256 = await body.store()
            except ContentFault as fault:
                raise self._errors.fault(fault) from None
            self._note(self._machine.offset, sha256, place.stamp)
            return self._record(path=path, size=self._machine.offset, sha256=sha256)

    async def _carry_out(self, decision: Decision, body: Body) -> Decision:
        match decision:
            case Open():
                return await self._open(decision, body)
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
            case GiveUp(verdict=Verdict.BROKEN, reason=reason):
                raise self._errors.verdict(decision, tries=self._machine.retries) from (
                    self._cause or self._errors.broken(reason)
                )
            case GiveUp():
                raise self._errors.verdict(decision, tries=self._machine.retries)
            case Receive() | Store():
                raise AssertionError(f"{decision} is carried out elsewhere")
        return self._machine.begin()

    async def _open(self, ask: Open, body: Body) -> Decision:
        grant = await self._take()
        self._cause = None
        try:
            async with self._around.opener.open_link(
                grant.lease.url, headers=ask.headers
            ) as response:
                return await self._answered(response, grant, body)
        except NetworkError as error:
            self._cause = error
            return self._machine.broke(str(error), self._around.jitter())
        except UnsafeLink as error:
            raise self._errors.unsafe(str(error)) from None
        except ContentFault as fault:
            raise self._errors.fault(fault) from None

    async def _take(self) -> Grant:
        """A living link; never one that the store has just refused."""
        refused = self._grant.lease if self._grant is not None and self._refused else None
        self._grant = await self._around.leases.take(self._ref, refused=refused)
        self._refused = False
        if self._grant.renewed:
            self._renewals += 1
            await self._around.emit(LinkRenewed(asset=self._ref))
        return self._grant

    async def _answered(self, response: LinkResponse, grant: Grant, body: Body) -> Decision:
        beginning = b"" if response.status in (200, 206) else await _beginning(response)
        answer = Answer(status=response.status, headers=response.headers, beginning=beginning)
        decision = self._machine.answered(
            answer,
            link=grant.facts,
            now=self._around.clock.time(),
            draw=self._around.jitter(),
        )
        if isinstance(decision, Receive):
            return await self._receive(response, decision, body)
        return decision

    async def _receive(self, response: LinkResponse, receive: Receive, body: Body) -> Decision:
        if receive.offset == 0 and body.size:
            await body.restart()
        body.expect(etag=self._machine.etag, total=receive.total, offers=receive.offers)
        await self._around.emit(
            TransferStarted(
                asset=self._ref, path=self._path, total=receive.total, offset=receive.offset
            )
        )
        self._told = receive.offset
        async with _closing(response.chunks()) as chunks:
            async for chunk in chunks:
                if not self._machine.received(len(chunk)):
                    return self._machine.overran(self._around.jitter())
                await body.write(chunk)
                if self._machine.offset - self._told >= self._around.settings.progress_every:
                    await self._progress()
        if self._machine.offset != self._told:
            await self._progress()
        return self._machine.ended(self._around.jitter())

    async def _progress(self) -> None:
        self._told = self._machine.offset
        await self._around.emit(
            TransferProgressed(asset=self._ref, received=self._told, total=self._machine.total)
        )

    def _record(self, **outcome: Any) -> FileRecord:  # noqa: ANN401 - FileRecord's own fields
        return FileRecord(
            derivative=self._derivative,
            asset=self._ref,
            seconds=max(0.0, self._around.clock.time() - self._began),
            renewals=self._renewals,
            retries=self._machine.retries,
            **outcome,
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


@asynccontextmanager
async def _closing(chunks: AsyncIterator[bytes]) -> AsyncIterator[AsyncIterator[bytes]]:
    """Like `aclosing`, for iterators that need not be generators."""
    try:
        yield chunks
    finally:
        close = getattr(chunks, "aclose", None)
        if close is not None:
            await close()
