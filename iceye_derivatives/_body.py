"""Where are the bytes of a file between the network and the sink: in memory while they are few?"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

from anyio.to_thread import run_sync

from iceye_derivatives._core.batches import gathered, sliced
from iceye_derivatives._core.content import ContentChecker, ContentFault, check_body
from iceye_derivatives._core.digest import DigestCheck, Offer
from iceye_derivatives._core.download_settings import DownloadSettings
from iceye_derivatives._core.transfer_errors import TransferErrors
from iceye_derivatives._storing import storing
from iceye_derivatives.models import AssetRef
from iceye_derivatives.sharing import PartMark, Place, ResumablePart, SteadyPart

__all__ = ["Body", "judge"]

T = TypeVar("T")


class Body:
    """The bytes of one file on their way.

    A small body (nearly all detections) is held in memory and handed to the sink whole.  A longer
    one is checked, hashed and written batch by batch, with bounded memory.  After each batch a mark
    is set, so that another process can go on from there.  A sink that is a `SteadyPart` does all of
    that in its thread while the next batch arrives.  Used as an async context manager: what was
    neither stored nor marked leaves no trace.
    """

    def __init__(
        self, ref: AssetRef, place: Place, settings: DownloadSettings, errors: TransferErrors
    ) -> None:
        self._ref = ref
        self._place = place
        self._settings = settings
        self._errors = errors
        self._open: AsyncExitStack | None = None
        self._part: ResumablePart | None = None
        self._steady: SteadyPart | None = None
        self._checked: ContentChecker | None = None
        self._digests: DigestCheck | None = None
        self._waiting: list[bytes] = []
        self._waiting_size = 0
        self._written = 0
        self._etag: str | None = None
        self._total: int | None = None
        self.size = 0
        """Bytes so far."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # An error's traceback would keep the bytes alive for as long as somebody keeps the record.
        self._waiting = []
        if self._open is not None:  # a small body opens nothing
            with storing(self._errors):
                await self._open.__aexit__(exc_type, exc, traceback)

    async def resume(self) -> PartMark | None:
        """Take up what an earlier process left, if its bytes are still what was marked.

        They are read, checked and hashed again: a hash cannot be carried over between processes,
        and a disk that lost power may have forgotten bytes that it had promised to keep.
        """
        mark = self._place.mark
        if mark is None:
            return None
        try:
            with storing(self._errors):
                part = await self._begin()
                async for block in part.read():
                    await run_sync(self._checker.feed, block)
                    self._written += len(block)
            good = self._written == mark.size and self._checker.so_far() == mark.sha256
        except ContentFault:
            good = False
        if not good:
            await self.restart()
            return None
        self.size = mark.size
        return mark

    def expect(
        self, *, etag: str | None, total: int | None, offers: tuple[Offer, ...] = ()
    ) -> None:
        """Say which file the bytes to come are of; without a strong ETag they are not marked."""
        self._etag, self._total = etag, total
        if not self.size:
            self._digests = DigestCheck(offers) if offers else None  # most stores make none
        elif offers:
            self._digests = self._digests or DigestCheck()
            self._digests.also(offers)

    async def write(self, data: bytes) -> None:
        """Append; raises `ContentFault` as soon as a streamed body shows that it is no file."""
        self._waiting.append(data)
        self._waiting_size += len(data)
        self.size += len(data)
        enough = self._settings.small + 1 if self._part is None else self._settings.batch
        if self._waiting_size >= enough:
            await self._flush(mark=True)

    async def restart(self) -> None:
        """Forget all bytes: the file is sent from its start again."""
        if self._part is not None:
            with storing(self._errors):
                await self._part.restart()
        self._waiting, self._waiting_size, self._written, self.size = [], 0, 0, 0
        self._checked, self._digests = None, None

    async def store(self) -> tuple[str, str]:
        """Check the whole and store it durably: ``(path, sha256)``; raises `ContentFault`."""
        if self._part is None:
            body, self._waiting = b"".join(self._waiting), []
            with storing(self._errors):
                return await self._place.put(body, partial(judge, self._ref, self._digests))
        await self._flush(mark=False)
        sha256 = await self._check(self._judge)
        with storing(self._errors):
            return await self._part.commit(), sha256

    async def _flush(self, *, mark: bool) -> None:
        pieces, self._waiting, self._waiting_size = self._waiting, [], 0
        part = await self._begin()
        if self._steady is not None:
            await self._hand_over(self._steady, pieces, mark=mark)
            return
        for batch in sliced(b"".join(pieces), self._settings.batch):
            # Checked first: a page of HTML does not even get into a part.
            await self._check(partial(self._feed, batch))
            with storing(self._errors):
                await part.write(batch)
            self._written += len(batch)
        if mark and (found := self._mark()) is not None:
            with storing(self._errors):
                await part.set_mark(found)

    async def _hand_over(self, part: SteadyPart, pieces: list[bytes], *, mark: bool) -> None:
        """The next bytes can arrive while these are looked at, written and marked."""

        def look(data: bytes) -> None:
            self._feed(data)
            self._written += len(data)  # true before anybody asks for the mark

        try:
            with storing(self._errors):
                for batch in gathered(pieces, self._settings.batch):
                    await part.take(batch, look, self._mark if mark else _no_mark)
                if not mark:
                    await part.settle()
        except ContentFault as found:
            fault = found
        else:
            return
        await self.restart()
        raise fault

    async def _check(self, look: Callable[[], T]) -> T:
        """Look at bytes in a thread; where they are no file, nothing stays to go on with."""
        try:
            return await run_sync(look)
        except ContentFault as fault:
            found = fault
        # Not inside of the `except`: a cancellation there would swallow the fault.
        await self.restart()
        raise found

    @property
    def _checker(self) -> ContentChecker:
        """Made when it is first needed: a small body is checked whole, without one."""
        if self._checked is None:
            self._checked = ContentChecker(self._ref)
        return self._checked

    def _feed(self, batch: bytes) -> None:
        self._checker.feed(batch)
        if self._digests is not None:
            self._digests.feed(batch)

    def _judge(self) -> str:
        return _agreed(self._digests, self._checker.finish())

    def _mark(self) -> PartMark | None:
        if self._etag is None:
            return None
        return PartMark(
            asset=self._ref,
            size=self._written,
            total=self._total,
            etag=self._etag,
            sha256=self._checker.so_far(),
        )

    async def _begin(self) -> ResumablePart:
        if self._part is None:
            self._open = AsyncExitStack()
            with storing(self._errors):
                part = self._part = await self._open.enter_async_context(self._place.stream())
            # Looked at once: Python takes longer for that than for a piece of the file.
            self._steady = part if isinstance(part, SteadyPart) else None
        return self._part


def judge(ref: AssetRef, digests: DigestCheck | None, body: bytes) -> str:
    """Check a whole body, also against the digests of the store; its SHA-256 in hexadecimal."""
    sha256 = check_body(ref, body)
    if digests is None:
        return sha256
    digests.feed(body)
    return _agreed(digests, sha256, body)


def _agreed(digests: DigestCheck | None, sha256: str, body: bytes = b"") -> str:
    disagreement = None if digests is None else digests.fault(sha256)
    if disagreement is not None:
        raise ContentFault(disagreement, body)
    return sha256


def _no_mark() -> None:
    """The last bytes need none: the whole file is published next."""
