"""How many bytes may a file, and a whole run, still bring?"""

from __future__ import annotations

from collections.abc import Mapping

from iceye_derivatives._core.content import ContentFault
from iceye_derivatives._core.lengths import stated_length, stated_range
from iceye_derivatives._core.limits import Limits, how_to_raise

__all__ = ["FileMeter", "RunMeter", "TooManyBytes"]

_OK, _PARTIAL = 200, 206


class TooManyBytes(ContentFault):
    """A body is above a ceiling: which one, and what it is set to."""

    def __init__(self, finding: str, limit: str, limits: Limits) -> None:
        self.limit = limit
        self.allowed: int = getattr(limits, limit)
        super().__init__(f"{finding} the {self.allowed:,} allowed; {how_to_raise(limit)}", b"")


class FileMeter:
    """Counts one body of a file, which may begin somewhere in its middle."""

    __slots__ = ("_at", "_limits")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._at = 0

    def begin(self, at: int, total: int | None) -> None:
        """The head has come, see `announced`; raises `TooManyBytes` where it says so itself."""
        self._at = at
        if total is not None and total > self._limits.bytes_per_file:
            raise TooManyBytes(f"it has {total:,} bytes, more than", "bytes_per_file", self._limits)

    def take(self, size: int) -> None:
        """Bytes have come; raises `TooManyBytes`."""
        self._at += size
        if self._at > self._limits.bytes_per_file:
            raise TooManyBytes("it goes on behind", "bytes_per_file", self._limits)


class RunMeter:
    """Counts all bodies of a run, those too that were broken off and came again."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._spent = 0

    def begin(self, at: int, total: int | None) -> None:
        """The head of a file has come; raises `TooManyBytes` where the rest of it has no room."""
        if total is not None and self._spent + total - at > self._limits.bytes_per_run:
            raise self._fault(f"with its {total:,} bytes")

    def take(self, size: int) -> None:
        """Bytes have come; raises `TooManyBytes`."""
        self._spent += size
        if self._spent > self._limits.bytes_per_run:
            raise self._fault("with what has come of it")

    def _fault(self, how: str) -> TooManyBytes:
        return TooManyBytes(
            f"{how}, all files of this run have more bytes than", "bytes_per_run", self._limits
        )


def announced(status: int, headers: Mapping[str, str]) -> tuple[int, int | None]:
    """Where a body begins and how long its file is; None where the head does not tell.

    Args:
        status: only 200 and 206 bring files.
        headers: by lower-case name.
    """
    if status == _PARTIAL:
        return stated_range(headers.get("content-range", "").strip()) or (0, None)
    if status != _OK:
        return 0, None
    return 0, stated_length(headers.get("content-length", "").strip())
