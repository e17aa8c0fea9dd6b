"""Is there room on the disk for a file, beside what is promised to others?"""

from __future__ import annotations

from typing import Final

import anyio
from attrs import define, field

from iceye_derivatives._core.download_settings import DownloadSettings
from iceye_derivatives._core.space import SpaceLedger
from iceye_derivatives._core.transfer_errors import TransferErrors
from iceye_derivatives.models import AssetRef
from iceye_derivatives.protocols import Clock, Sink
from iceye_derivatives.sharing import SpaceSink

__all__ = ["Room"]

_LOOK_EVERY: Final = 10.0
"""Seconds for which a look at the disk is good."""

_ledgers: Final[dict[str, SpaceLedger]] = {}
"""By disk: all runs of this process write to the same few."""


@define
class Room:
    """The room of one run's sink."""

    _sink: Sink
    _clock: Clock
    _settings: DownloadSettings
    _full: tuple[float, str] | None = None
    _known: SpaceLedger | None = None
    _promises: dict[AssetRef, tuple[SpaceLedger, object]] = field(factory=dict)
    _looking: anyio.Lock = field(init=False, factory=anyio.Lock)
    _space: SpaceSink | None = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._space = self._sink if isinstance(self._sink, SpaceSink) else None

    def check(self, errors: TransferErrors) -> None:
        """Raise `DiskFullError` where the disk was full a moment ago.

        After that moment files are tried again: a run goes on when somebody has made room.
        """
        if self._full is not None:
            since, reason = self._full
            if abs(self._clock.time() - since) < self._settings.full_for:
                raise errors.no_room(f"{reason}, a moment ago; it was not tried")
            self._full = None

    def was_full(self, reason: str) -> None:
        """The disk has refused bytes."""
        self._full = (self._clock.time(), reason)

    @property
    def is_due(self) -> bool:
        """Whether the last look at the disk is too long ago."""
        if self._space is None:
            return False
        ledger = self._known
        if ledger is None or ledger.looked_at is None:
            return True
        return abs(self._clock.time() - ledger.looked_at) > _LOOK_EVERY

    async def look(self) -> None:
        """Look at the disk, where that `is_due`: one look for all who ask meanwhile.

        Call it before a request is sent.  While a body waited for it, the store could hang up.
        """
        async with self._looking:
            if self.is_due:
                await self._look()

    async def reserve(self, asset: AssetRef, size: int, errors: TransferErrors) -> None:
        """Promise room for the bytes that are still to come.

        Raises:
            DiskFullError: beside what is promised to other files, there is none.
        """
        self.release(asset)
        needed = size + self._settings.headroom
        if self._known is not None and self._known.room < needed:
            await self._look()  # what was free a moment ago is no reason to refuse
        ledger = self._known
        if ledger is None:
            return
        if ledger.room < needed:
            raise errors.no_room(
                f"{size:,} bytes are to come, {ledger.free:,} are free, {ledger.promised:,} of "
                f"them for files on their way, and {self._settings.headroom:,} stay free"
            )
        key = object()
        ledger.promise(key, size)
        self._promises[asset] = (ledger, key)

    def took(self, size: int) -> bool:
        """All bytes of a small file have come; False where they may find no room."""
        ledger = self._known
        if ledger is not None:
            if ledger.room < size + self._settings.headroom:
                return False
            ledger.wrote(None, size)
        return True

    def wrote(self, asset: AssetRef, size: int) -> None:
        """Some of the promised bytes were written."""
        promise = self._promises.get(asset)
        if promise is not None:
            ledger, key = promise
            ledger.wrote(key, size)

    def release(self, asset: AssetRef) -> None:
        """No more of them will come: the promise ends."""
        promise = self._promises.pop(asset, None)
        if promise is not None:
            ledger, key = promise
            ledger.release(key)

    async def _look(self) -> None:
        if self._space is not None:
            found = await self._space.space()
            self._known = None
            if found is not None:
                self._known = _ledgers.setdefault(found.disk, SpaceLedger())
                self._known.look(found.free, self._clock.time())
