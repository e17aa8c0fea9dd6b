"""How is what is known of many files kept in a hundred bytes each?

A `WholeFile` takes 800 bytes of memory.  A page that is written no more is only asked for single
files, so they are kept as bytes, from which a `WholeFile` is made when it is asked for.
"""

from __future__ import annotations

import json
import re
from array import array
from bisect import bisect_left
from collections.abc import Mapping
from hashlib import blake2b
from struct import Struct
from typing import Final

from iceye_derivatives._core.journal import WholeFile
from iceye_derivatives.models import AssetRef

__all__ = ["Shelf", "key_of"]

_ROW: Final = Struct("<Q32sdd")
_HEXADECIMAL = re.compile(r"[0-9a-f]{64}")


def key_of(name: str) -> int:
    """What stands for a file's name on a shelf: 64 bits of a hash.

    Of fifty thousand files two share them once in ten thousand million times; then one is taken for
    the other where size and stamp are the same as well.
    """
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big")


class Shelf:
    """The files of one page, in the order of their keys."""

    __slots__ = ("_keys", "_rows", "_starts")

    def __init__(self, files: Mapping[str, WholeFile]) -> None:
        self._keys = array("Q")
        self._starts = array("I", [0])
        rows = bytearray()
        # A hash of another shape comes from a sink of somebody else: it costs a look at that file.
        usable = (entry for entry in files.items() if _HEXADECIMAL.fullmatch(entry[1].sha256))
        for key, file in sorted(((key_of(name), file) for name, file in usable), key=_first):
            rows += _ROW.pack(file.size, bytes.fromhex(file.sha256), file.begun, file.finished)
            rows += json.dumps([file.stamp, file.etag]).encode()
            self._keys.append(key)
            self._starts.append(len(rows))
        self._rows = bytes(rows)

    def get(self, key: int, asset: AssetRef) -> WholeFile | None:
        """What is known of the file with that key, which is the asset's."""
        at = bisect_left(self._keys, key)
        if at == len(self._keys) or self._keys[at] != key:
            return None
        start, end = self._starts[at], self._starts[at + 1]
        size, digest, begun, finished = _ROW.unpack_from(self._rows, start)
        stamp, etag = json.loads(self._rows[start + _ROW.size : end])
        return WholeFile(
            asset=asset,
            size=size,
            sha256=digest.hex(),
            stamp=stamp,
            etag=etag,
            begun=begun,
            finished=finished,
        )


def _first(pair: tuple[int, WholeFile]) -> int:
    return pair[0]
