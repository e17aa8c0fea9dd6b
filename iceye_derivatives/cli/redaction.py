"""What must not be seen in a line, should all else have failed to keep it out?

The library redacts by construction.  This is the second wall: texts of errors that nobody
expected, and tracebacks of `--debug`, come from code that does not know our secrets.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["redact"]

SECRETS = ("ICEYE_CLIENT_SECRET", "ICEYE_ACCESS_TOKEN")
QUERY = re.compile(r"(https?://[^\s?#'\"<>]*)[?#][^\s'\"<>]*")
SIGNED = re.compile(
    r"(?i)\b(Signature|Policy|Key-Pair-Id|Expires|X-Amz-[A-Za-z-]+|access_token|client_secret)"
    r"(=|%3D)[^\s&'\"<>]+"
)
BEARER = re.compile(r"(?i)\b(Bearer|Basic) [A-Za-z0-9._~+/=-]{16,}")
HIDDEN = "<redacted>"


def redact(text: str, environ: Mapping[str, str]) -> str:
    """The text without query strings of links, signatures, tokens and the secrets of `environ`."""
    for name in SECRETS:
        if secret := environ.get(name, "").strip():
            text = text.replace(secret, HIDDEN)
    text = QUERY.sub(rf"\1?{HIDDEN}", text)
    text = SIGNED.sub(rf"\1\2{HIDDEN}", text)
    return BEARER.sub(rf"\1 {HIDDEN}", text)
