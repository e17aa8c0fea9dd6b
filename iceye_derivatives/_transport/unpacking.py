"""How is a packed answer unpacked without letting a thousand bytes become a million at once?"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

__all__ = ["PACKING", "Unpacking"]

PACKING = "gzip"
"""What calls accept.  Not "deflate", which servers read in two ways."""

_STEP = 256 * 1024
_CODINGS = frozenset({"gzip", "x-gzip"})
# 16 for gzip's own frame, 15 for the largest window.
_GZIP = 16 + 15


class Unpacking:
    """One body, piece by piece.

    aiohttp's own way depends on its version: the older ones unpack each piece that arrives to its
    end, so that a body of one mebibyte may take a gibibyte of memory.

    Args:
        coding: ``Content-Encoding``; a body in a coding that was not asked for stays as it is, and
            is no JSON.
    """

    def __init__(self, coding: str) -> None:
        packed = coding.strip().lower() in _CODINGS
        self._unpacker = zlib.decompressobj(_GZIP) if packed else None

    def feed(self, packed: bytes) -> Iterator[bytes]:
        """At most 256 KiB at a time, and only as much as is taken.

        Raises:
            zlib.error: it is not packed as it says.
        """
        if self._unpacker is None:
            yield packed
            return
        while packed and not self._unpacker.eof:
            yield self._unpacker.decompress(packed, _STEP)
            packed = self._unpacker.unconsumed_tail

    def finish(self) -> None:
        """The body has ended; raises EOFError where it should not have."""
        if self._unpacker is not None and not self._unpacker.eof:
            raise EOFError
