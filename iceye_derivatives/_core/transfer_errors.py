"""In what words is a failed transfer reported?"""

from __future__ import annotations

from errno import EDQUOT, ENOSPC

from attrs import frozen

from iceye_derivatives._core.content import ContentFault
from iceye_derivatives._core.metering import TooManyBytes
from iceye_derivatives._core.transfer_terms import GiveUp, Verdict
from iceye_derivatives.errors import (
    ContentError,
    DiskFullError,
    DownloadError,
    FileTooLargeError,
    LinkRefusedError,
    StorageError,
    TransferError,
    UnsafeLinkError,
)
from iceye_derivatives.models import AssetRef

__all__ = ["TransferErrors"]


@frozen
class TransferErrors:
    """The errors of one asset's transfer: what happened, to what, and what to do next."""

    _asset: AssetRef
    _name: str

    def verdict(self, decision: GiveUp, *, tries: int) -> DownloadError:
        """Why the machine gave the file up."""
        if decision.verdict is Verdict.CONTENT:
            return self.content(decision.reason, decision.first_bytes)
        if decision.verdict is Verdict.BROKEN:
            return TransferError(
                f"{self._name} was given up after {tries} tries, the last one because "
                f"{decision.reason}; download again to go on",
                asset=self._asset,
            )
        return LinkRefusedError(
            f"{self._name} was not fetched: {decision.reason}; see .store_code, and ask ICEYE if "
            "it stays so",
            asset=self._asset,
            status=decision.status,
            store_code=decision.store_code,
        )

    def broken(self, reason: str) -> TransferError:
        """One try failed."""
        return TransferError(f"The transfer of {self._name} broke: {reason}", asset=self._asset)

    def busy(self, owner: str) -> StorageError:
        """Another process makes the file."""
        return StorageError(
            f"{self._name} is being fetched by {owner}: it is waited for, and taken over if that "
            "process ends first",
            asset=self._asset,
        )

    def fault(self, fault: ContentFault) -> ContentError | FileTooLargeError:
        """The body is not the file, or more than is taken."""
        if isinstance(fault, TooManyBytes):
            return FileTooLargeError(
                f"{self._name} was not stored: {fault}",
                asset=self._asset,
                limit=fault.limit,
                allowed=fault.allowed,
            )
        return self.content(str(fault), fault.first_bytes)

    def content(self, reason: str, beginning: bytes) -> ContentError:
        """What came is not the file."""
        return ContentError(
            f"{self._name} was not stored, as what the store sent is not the file: {reason}; see "
            ".first_bytes, and download again",
            asset=self._asset,
            first_bytes=beginning,
        )

    def unsafe(self, reason: str) -> UnsafeLinkError:
        """The link is not one to follow."""
        return UnsafeLinkError(
            f"The link of {self._name} was not followed: it {reason}; where you trust that, allow "
            "it by the client's `allowed_hosts` or `allow_http`, else tell ICEYE",
            asset=self._asset,
        )

    def storage(self, error: OSError) -> DiskFullError | StorageError:
        """The sink failed."""
        reason = error.strerror or type(error).__name__
        if error.errno in (ENOSPC, EDQUOT):
            return self.no_room(reason)
        return StorageError(
            f"{self._name} could not be stored ({reason}): see the cause, then download again",
            asset=self._asset,
        )

    def no_room(self, reason: str) -> DiskFullError:
        """The disk is full, or would be."""
        return DiskFullError(
            f"No room was left for {self._name} ({reason}): all files that are there are whole, so "
            "make room and download again to go on",
            asset=self._asset,
        )
