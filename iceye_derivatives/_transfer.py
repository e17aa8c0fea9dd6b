"""How does one asset come home: found there, waited for, or fetched?"""

from __future__ import annotations

from typing import Any, Final

from iceye_derivatives._core.journal import WholeFile
from iceye_derivatives._core.plan import file_name
from iceye_derivatives._core.transfer_errors import TransferErrors
from iceye_derivatives._fetch import Fetch
from iceye_derivatives._place import PlainPlace
from iceye_derivatives._storing import storing
from iceye_derivatives._surroundings import Surroundings
from iceye_derivatives.errors import DiskFullError, DownloadError
from iceye_derivatives.events import (
    FileRecord,
    TransferFailed,
    TransferFinished,
    TransferRetrying,
)
from iceye_derivatives.models import AssetRef, Derivative
from iceye_derivatives.protocols import FoundFile
from iceye_derivatives.sharing import Busy, Place, Present, SharedSink

__all__ = ["FileTransfer"]

_NOT_OURS: Final = (Present, Busy)
"""A tuple, since `isinstance` with a union would build that anew for each file."""


class FileTransfer:
    """Brings one asset home; used once."""

    def __init__(self, ref: AssetRef, derivative: Derivative, around: Surroundings) -> None:
        self._ref = ref
        self._derivative = derivative
        self._around = around
        self._name = file_name(ref)
        self._path = around.sink.locate(self._name)
        self._errors = TransferErrors(ref, self._name)
        self._fetched: Fetch | None = None
        self._began = 0.0

    async def run(self) -> FileRecord:
        """Fetch, check and store the asset, or find it there; a failure is a record too."""
        self._began = self._around.clock.time()
        try:
            record = await self._keep_or_fetch()
        except DownloadError as error:
            error.path = self._path
            if isinstance(error, DiskFullError) and isinstance(error.__cause__, OSError):
                self._around.room.was_full(error.__cause__.strerror or "the disk is full")
            record = self._record(error=error)
            await self._around.emit(TransferFailed(record=record))
        else:
            self._around.journals.home(self._derivative)
            await self._around.emit(TransferFinished(record=record))
        return record

    async def _keep_or_fetch(self) -> FileRecord:
        sink = self._around.shared
        if sink is None:
            kept = None if self._around.overwrite else await self._keep(None)
            return kept or await self._fetch(PlainPlace(self._around.sink, self._name))
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
        claimed = False
        try:
            async with sink.claim(self._name, self._ref, replace=replace) as found:
                claimed = True
                return found if isinstance(found, _NOT_OURS) else await self._fetch(found)
        except OSError as error:
            if claimed:  # it comes from the fetching, and not from the claim
                raise
            raise self._errors.storage(error) from error

    async def _wait_for(self, other: Busy, looks: int) -> None:
        """Another process makes the file: wait for it, and do not race it."""
        seconds = self._around.settings.backoff.delay(looks, self._around.jitter())
        if not looks:
            error = self._errors.busy(other.owner)
            await self._around.emit(TransferRetrying(asset=self._ref, error=error, seconds=seconds))
        await self._around.clock.sleep(seconds)

    async def _keep(self, present: Present | None) -> FileRecord | None:
        """Keep the file that stands under the final name; None where it is to be fetched anew.

        By the promise of sinks it is whole and was checked.  Where its size and stamp are those of
        the journal, the journal is believed; else the file is hashed, but not parsed again.  An
        empty file is fetched anew: other tools, or a disk that lost power, may leave one.  A file
        whose hash is not that of the journal is fetched anew if `repair` was asked for; otherwise
        it may be somebody's work, and is kept.
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
            self._learn(found, stamp, known)
        elif self._around.repair:
            return None
        return self._record(path=found.path, size=found.size, sha256=found.sha256, kept=True)

    def _learn(self, found: FoundFile, stamp: str | None, known: WholeFile | None) -> None:
        """Note a file in the journal that did not know it, or not by this stamp."""
        now = self._around.clock.time()
        self._around.journals.note(
            WholeFile(
                asset=self._ref,
                size=found.size,
                sha256=found.sha256,
                stamp=stamp,
                etag=None if known is None else known.etag,
                begun=self._began if known is None else known.begun,
                finished=now if known is None else known.finished,
            )
        )

    async def _fetch(self, place: Place) -> FileRecord:
        self._around.room.check(self._errors)
        fetch = self._fetched = Fetch(self._ref, place, self._path, self._around, self._errors)
        path, sha256 = await fetch.run()
        size = fetch.size
        self._around.journals.note(
            WholeFile(
                asset=self._ref,
                size=size,
                sha256=sha256,
                stamp=place.stamp,
                etag=fetch.etag,
                begun=self._began,
                finished=self._around.clock.time(),
            )
        )
        return self._record(path=path, size=size, sha256=sha256)

    def _record(self, **outcome: Any) -> FileRecord:  # noqa: ANN401 - FileRecord's own fields
        return FileRecord(
            derivative=self._derivative,
            asset=self._ref,
            seconds=max(0.0, self._around.clock.time() - self._began),
            renewals=self._fetched.renewals if self._fetched else 0,
            retries=self._fetched.retries if self._fetched else 0,
            **outcome,
        )
