"""Which digests of a file does the store offer, and do the bytes agree with them?

Read are ``Repr-Digest`` (RFC 9530), the older ``Digest`` (RFC 3230) and ``Content-MD5`` (RFC 1864),
and the checksums of S3 and Google's store that the standard library can compute.  An ETag is not
read: RFC 9110 calls it opaque, and it is an MD5 only for some uploads without some encryptions.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from attrs import frozen

__all__ = ["DigestCheck", "Offer", "offers"]

# RFC 9530: "sha-256=:<base64>:", a dictionary of byte sequences.
_DICTIONARY = re.compile(r"([A-Za-z0-9-]+)=:([A-Za-z0-9+/=]{4,128}):")
# RFC 3230 and x-goog-hash: "SHA-256=<base64>,MD5=<base64>".
_LIST = re.compile(r"([A-Za-z0-9-]+)=([A-Za-z0-9+/=]{4,128})(?:,|\Z)")
_BARE = {
    "content-md5": "md5",
    "x-amz-checksum-crc32": "crc32",
    "x-amz-checksum-sha1": "sha-1",
    "x-amz-checksum-sha256": "sha-256",
}
_TELLING = frozenset({"repr-digest", "content-digest", "digest", "x-goog-hash", *_BARE})


class _Running(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class _Crc32:
    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


def _md5() -> _Running:
    return hashlib.md5(usedforsecurity=False)


def _sha1() -> _Running:
    return hashlib.sha1(usedforsecurity=False)


_ALGORITHMS: Mapping[str, tuple[int, Callable[[], _Running]]] = {
    "sha-512": (64, hashlib.sha512),
    "sha-256": (32, hashlib.sha256),
    "sha-1": (20, _sha1),
    "sha": (20, _sha1),
    "md5": (16, _md5),
    "crc32": (4, _Crc32),
}


@frozen
class Offer:
    """One digest of the whole file, as the store gives it."""

    algorithm: str
    value: bytes


def offers(headers: Mapping[str, str], *, whole: bool) -> tuple[Offer, ...]:
    """The digests of the whole file among the headers of an answer; never raises.

    Args:
        headers: By lower-case name.
        whole: Whether the body is the whole file: of a part only ``Repr-Digest`` tells about the
            whole (RFC 9530: "irrespective of" ranges), all others may mean the part.
    """
    if _TELLING.isdisjoint(headers):  # most stores tell nothing, and this is asked for each file
        return ()
    found = list(_pairs(_DICTIONARY, headers.get("repr-digest", "")))
    if whole:
        found += _pairs(_DICTIONARY, headers.get("content-digest", ""))
        for name in ("digest", "x-goog-hash"):
            found += _pairs(_LIST, headers.get(name, "").replace(" ", ""))
        found += [(name, headers[header]) for header, name in _BARE.items() if header in headers]
    return tuple(dict.fromkeys(filter(None, map(_offer, found))))


def _pairs(pattern: re.Pattern[str], text: str) -> Iterator[tuple[str, str]]:
    for match in pattern.finditer(text[:4096]):
        yield match[1].lower(), match[2]


def _offer(pair: tuple[str, str]) -> Offer | None:
    algorithm, text = pair
    size, _ = _ALGORITHMS.get(algorithm, (0, None))
    try:
        value = b64decode(text.strip(), validate=True)
    except (Base64Error, ValueError):
        return None
    # What is unknown or of another length (S3's checksum of checksums has "-n") proves nothing.
    return Offer(algorithm, value) if size and len(value) == size else None


class DigestCheck:
    """Compares a body, fed in pieces from its start, with everything that was offered."""

    def __init__(self, offered: tuple[Offer, ...] = ()) -> None:
        self._running = [(offer, _ALGORITHMS[offer.algorithm][1]()) for offer in offered]
        self._late: tuple[Offer, ...] = ()

    def also(self, offered: tuple[Offer, ...]) -> None:
        """Take in what the answer to a resumed transfer offers: bytes have passed by then.

        Only its SHA-256 can still be compared, since that is computed over every file anyway.
        """
        known = {offer for offer, _ in self._running}.union(self._late)
        self._late += tuple(
            offer for offer in offered if offer.algorithm == "sha-256" and offer not in known
        )

    def feed(self, data: bytes) -> None:
        """The next bytes of the file."""
        for _, running in self._running:
            running.update(data)

    def fault(self, sha256: str) -> str | None:
        """What does not agree, or None when everything does; `sha256` is the file's, in hex."""
        digests = [(offer, running.digest()) for offer, running in self._running]
        digests += [(offer, bytes.fromhex(sha256)) for offer in self._late]
        for offer, digest in digests:
            if digest != offer.value:
                return f"its {offer.algorithm} is not the one that the store gives"
        return None
