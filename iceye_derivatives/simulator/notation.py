"""How are moments and ids written: RFC 3339, HTTP dates, UUIDs and what only looks like one."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from email.utils import formatdate
from hashlib import blake2b

_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE
)


def rfc3339(moment: float) -> str:
    """Write Unix seconds as ICEYE's examples do: UTC, six fractional digits and `Z`."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_rfc3339(text: str) -> float:
    """Read an RFC 3339 moment with any offset as Unix seconds.

    Raises:
        ValueError: It is something else, or a date that does not exist.
    """
    if not _RFC3339.fullmatch(text):
        raise ValueError(f"{text!r} is not an RFC 3339 date-time")
    return datetime.fromisoformat(text.upper()).timestamp()


def http_date(moment: float) -> str:
    """Write Unix seconds as an RFC 9110 HTTP date."""
    return formatdate(moment, usegmt=True)


def digest(*parts: object, size: int = 16) -> bytes:
    """Give `size` bytes that follow from `parts` alone."""
    return blake2b("\x1f".join(map(str, parts)).encode(), digest_size=size).digest()


def new_uuid(*parts: object) -> str:
    """Give the UUID that follows from `parts`."""
    return str(uuid.UUID(bytes=digest(*parts), version=4))


def opaque_id(*parts: object) -> str:
    """Give an id in a UUID's shape that is none.

    The second example of ICEYE's page, "7fb95g75-6828-5673-c4gd-3d074g77bgb7", has letters beyond
    f: whoever parses ids as UUIDs should notice here and not in production.
    """
    text = new_uuid(*parts)
    return f"{text[:5]}g{text[6:21]}g{text[22:32]}g{text[33:]}"
