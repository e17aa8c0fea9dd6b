"""How is one file fetched, as the pure machine decides?"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, NoReturn

from iceye_derivatives._body import Body, judge
from iceye_derivatives._chunks import Rejoined, beginning, close
from iceye_derivatives._core.content import ContentFault
from iceye_derivatives._core.digest import DigestCheck, Offer
from iceye_derivatives._core.lease import Lease
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
from iceye_derivatives._intake import Intake
from iceye_derivatives._storing import storing
from iceye_derivatives._surroundings import Surroundings
from iceye_derivatives.errors import IceyeError, NetworkError
from iceye_derivatives.events import LinkRenewed, TransferRetrying
from iceye_derivatives.leases import Grant
from iceye_derivatives.models import AssetRef
from iceye_derivatives.protocols import LinkResponse
from iceye_derivatives.sharing import Place

if TYPE_CHECKING:
    import asyncio  # importing the library must not import it: it is half of what that costs

__all__ = ["Fetch"]

_BRIEF = 64 * 1024
"""Bytes up to which a file gives its slot back before it is stored.  Longer ones keep it, or too
many of them would be in memory."""
_OK = 200
_BODIES = frozenset({_OK, 206})
_STORE = Store()
_FROM_ITS_START = Open()


class Fetch:
    """Fetches one file into a place that is ours; used once."""

    def __init__(
        self, ref: AssetRef, place: Place, path: str, around: Surroundings, errors: TransferErrors
    ) -> None:
        self._ref = ref
        self._place = place
        self._path = path
        self._around = around
        self._errors = errors
        self._machine = Transfer(around.settings)
        self._whole: bytes | None = None
        """The whole file, where all of it came in one piece."""
        self._offers: tuple[Offer, ...] = ()
        """The digests that the store gave of it."""
        self._body: Body | None = None
        """What holds its bytes otherwise."""
        self._lease: Lease | None = None
        """The link that was asked last."""
        self._refused: Lease | None = None
        """That link, where the store has just refused it."""
        self._taken_in: Intake | None = None
        self._slots: asyncio.Semaphore | None = None
        """Where we hold a slot; None while we hold none."""
        self._cause: Exception | None = None
        self.renewals = 0
        """How often the link was renewed."""

    @property
    def retries(self) -> int:
        """How often the transfer broke and was tried again."""
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
        slots = self._around.slots
        if slots is not None:
            await slots.acquire()
            self._slots = slots
        try:
            decision: Decision
            if self._place.mark is None:
                decision = await self._open(_FROM_ITS_START)
            else:
                decision = await self._resume()
            while not isinstance(decision, Store):
                decision = await self._carry_out(decision)
            return await self._store()
        except ContentFault as fault:
            raise self._errors.fault(fault) from None
        finally:
            self._leave()
            if self._taken_in is not None:
                self._taken_in.release()
            if self._body is not None:
                await self._body.__aexit__(*sys.exc_info())

    async def _resume(self) -> Decision:
        mark = await self._in_pieces().resume()
        if mark is not None:
            self._machine.resume(mark)
        return self._machine.begin()

    async def _store(self) -> tuple[str, str]:
        if self.size <= _BRIEF:
            self._leave()
        if self._whole is None:
            return await self._in_pieces().store()
        whole, self._whole = self._whole, None
        digests = DigestCheck(self._offers) if self._offers else None
        try:  # as `storing` does, without its three calls for each file
            return await self._place.put(whole, partial(judge, self._ref, digests))
        except OSError as error:
            raise self._errors.storage(error) from error

    def _leave(self) -> None:
        """Give our slot back, so that the next link can be opened; safe to call twice."""
        slots, self._slots = self._slots, None
        if slots is not None:
            slots.release()

    def _in_pieces(self) -> Body:
        """What holds the bytes of a file that comes in several pieces."""
        if self._body is None:
            self._body = Body(self._ref, self._place, self._around.settings, self._errors)
        return self._body

    def _intake(self) -> Intake:
        """What takes those bytes in, and tells of them."""
        if self._taken_in is None:
            self._taken_in = Intake(
                self._ref, self._path, self._machine, self._around, self._errors
            )
        return self._taken_in

    async def _carry_out(self, decision: Decision) -> Decision:
        match decision:
            case Open():
                return await self._open(decision)
            case Renew():
                self._refused = self._lease
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
        if self._body is not None and self._body.size and not self._machine.offset:
            # The machine believes these bytes no more: the next process must not begin with them.
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
        leases = self._around.leases
        grant = leases.at_hand(self._ref)  # mostly there is one, and nothing has to be awaited
        if grant is None or grant.lease is self._refused:
            grant = await leases.take(self._ref, refused=self._refused)
        self._lease, self._refused = grant.lease, None
        if grant.renewed:
            self.renewals += 1
            await self._around.emit(LinkRenewed(asset=self._ref))
        return grant

    async def _answered(self, response: LinkResponse, grant: Grant) -> Decision:
        if response.status not in _BODIES:
            return self._decide(response, grant, await beginning(response))
        asked = self._around.clock.time()
        chunks = response.chunks()
        try:
            if response.status == _OK and self._body is None:
                first = await anext(chunks, b"")
                if await self._takes_whole(response.headers, first):
                    return _STORE
                chunks = Rejoined(first, chunks)
            decision = self._decide(response, grant)
            if isinstance(decision, Receive):
                return await self._intake().receive(decision, self._in_pieces(), chunks, asked)
            return decision
        finally:
            await close(chunks)

    def _decide(self, response: LinkResponse, grant: Grant, begins: bytes = b"") -> Decision:
        return self._machine.answered(
            Answer(status=response.status, headers=response.headers, beginning=begins),
            link=grant.facts,
            now=self._around.clock.time(),
            draw=self._around.jitter(),
        )

    async def _takes_whole(self, headers: Mapping[str, str], data: bytes) -> bool:
        """Take a small file that came in one piece, as nearly all do; False where it did not."""
        if len(data) > self._around.settings.small:
            return False
        offers = self._machine.came_whole(headers, len(data))
        if offers is None:
            return False
        if not self._around.room.took(len(data)):
            await self._intake().reserve(len(data))
            self._around.room.wrote(self._ref, len(data))
        self._whole, self._offers = data, offers
        if self._around.progress:
            await self._intake().start(0)
            await self._intake().progress()
        return True
