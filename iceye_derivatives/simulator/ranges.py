"""Which bytes were asked for: RFC 9110 ranges, as a CDN before an object store answers them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

_SINGLE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)


@frozen
class Span:
    """The bytes from `start` up to but not including `stop`."""

    start: int
    stop: int


class BeyondEndError(Exception):
    """The range begins behind the last byte: 416."""


def wanted(headers: Mapping[str, str], *, size: int, etag: str, last_modified: str) -> Span | None:
    """Give the one range that is to be sent; None sends the whole object with 200.

    "ranges unsorted, overlapping or invalid → 200 with the whole object"; several ranges are
    taken for invalid here, which RFC 9110 allows ("A server MAY ignore the Range header field").

    Raises:
        BeyondEndError: The range is well formed and lies behind the end.
    """
    if "range" not in headers or not _unchanged(headers, etag, last_modified):
        return None
    if not (match := _SINGLE.fullmatch(headers["range"].strip())):
        return None
    first, last = match.groups()
    if not first:
        return _suffix(last, size)
    start, stop = int(first), min(int(last) + 1, size) if last else size
    if last and int(last) < start:
        return None
    if start >= size:
        raise BeyondEndError
    return Span(start, stop)


def _suffix(length: str, size: int) -> Span | None:
    if not length:
        return None
    if int(length) == 0 or size == 0:
        raise BeyondEndError
    return Span(max(size - int(length), 0), size)


def _unchanged(headers: Mapping[str, str], etag: str, last_modified: str) -> bool:
    validator = headers.get("if-range")
    if validator is None:
        return True
    # RFC 9110, 13.1.5 wants the strong comparison: a weak tag never equals our strong ones.
    return validator in (etag, last_modified)
