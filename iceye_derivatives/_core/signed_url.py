"""When does a signed URL die, by its own word?

Nothing here trusts the answer: AWS compares the expiry when a request *arrives*, the signer's own
credentials may end sooner, and clocks differ.  So what is read is an upper bound on the signer's
clock, and "unknown" is a good answer (the link is then used until the store refuses it).
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from iceye_derivatives.models import SignedUrl

__all__ = ["read_signed_url"]

# ICEYE says only "CloudFront" and "1 hour", which in its plain form begins with `Expires`, as the
# page's own links do: nearly every URL ends here, without being taken apart.  S3's old signature
# (version 2) has the same name for the same thing.
_CANNED = re.compile(r"\?Expires=([0-9]{1,11})(?:&|\Z)")

_AMZ_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z", re.ASCII)

# AWS: "replace characters that are invalid in a URL query string": + to -, = to _, / to ~.
_FROM_CLOUDFRONT = str.maketrans("-_~", "+=/")

_YEAR_9999 = 253_402_300_800
# CloudFront answers 413 to URLs above 8,192 bytes, so a longer policy cannot be in use.
_LONGEST_POLICY = 8_192


def read_signed_url(raw: str) -> SignedUrl:
    """Wrap a signed URL, byte for byte, together with the moment at which it says that it dies.

    Never raises: whatever cannot be read has an unknown expiry (``None``).

    Example:
        >>> read_signed_url("https://cdn.example/a?Expires=2000000000&Signature=s").expires
        2000000000.0
        >>> read_signed_url("https://cdn.example/a").expires is None
        True
    """
    # Eleven digits are no more than the year 5138.  A "?" behind a "#" begins no query.
    canned = None if "#" in raw else _CANNED.match(raw, raw.find("?"))
    return SignedUrl(raw, expires=float(canned[1]) if canned else _read_query(raw))


def _read_query(raw: str) -> float | None:
    query = raw.partition("#")[0].partition("?")[2]
    try:
        fields = dict(parse_qsl(query))
        if "Expires" in fields:
            return _moment(fields["Expires"])
        if "Policy" in fields:
            return _read_policy(fields["Policy"])
        if "X-Amz-Date" in fields:
            return _read_amz(fields["X-Amz-Date"], fields.get("X-Amz-Expires", ""))
    except (ValueError, RecursionError):  # RecursionError: JSON that is nothing but brackets
        return None
    return None


def _read_policy(text: str) -> float | None:
    """``Statement[0].Condition.DateLessThan["AWS:EpochTime"]`` of a custom policy."""
    if len(text) > _LONGEST_POLICY:
        return None
    # `parse_qsl` reads "+" as a space; a "+" means that somebody kept the ordinary alphabet.
    encoded = text.replace(" ", "+").translate(_FROM_CLOUDFRONT)
    found: Any = json.loads(b64decode(encoded + "=" * (-len(encoded) % 4), validate=True))
    for step in ("Statement", 0, "Condition", "DateLessThan", "AWS:EpochTime"):
        try:
            found = found[step]
        except (KeyError, IndexError, TypeError):
            return None
    return _moment(found)


def _read_amz(date: str, expires: str) -> float | None:
    """S3's signature version 4: signed at ``X-Amz-Date``, good for ``X-Amz-Expires`` seconds."""
    signed, life = _AMZ_DATE.fullmatch(date), _moment(expires)
    if signed is None or life is None:
        return None
    year, month, day, hour, minute, second = map(int, signed.groups())
    return _moment(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp() + life)


def _moment(value: object) -> float | None:
    """Unix seconds as a float, or None for what is no moment that `datetime` can hold."""
    if isinstance(value, str):
        if not (value.isascii() and value.isdigit() and len(value) <= len(str(_YEAR_9999))):
            return None
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # The comparison is false for NaN, and comes before `float()`, which overflows on a huge int.
    return float(value) if 0 <= value < _YEAR_9999 else None
