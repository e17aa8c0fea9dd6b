"""May this link be followed: CloudFront's signed URLs, made and checked.

Both kinds that CloudFront knows: canned (`Expires`, `Signature`, `Key-Pair-Id`) and custom
(`Policy`, `Signature`, `Key-Pair-Id`). CloudFront signs with RSA; here a keyed HMAC stands in for
it, since the standard library has no RSA and no client can tell: it never sees the key, and any
changed byte is refused either way. Unlike CloudFront's, a signature here begins with a salt, so
that no two listings ever give the same URL: whoever takes a URL for an identity notices at once.
"""

from __future__ import annotations

import binascii
import hmac
import json
from base64 import b64decode, b64encode
from itertools import count
from typing import Any, Literal, Protocol

from attrs import frozen

from iceye_derivatives.simulator.notation import digest

Signing = Literal["canned", "custom"]

_KEY_PAIR_ID = "K2JCJMDEHXQW5F"
_SALT_SIZE = 8

# CloudFront's alphabet for base64 inside of a query.
_TO_URL = str.maketrans("+=/", "-_~")
_FROM_URL = str.maketrans("-_~", "+=/")


class Signer(Protocol):
    """Who signs the links that a listing gives."""

    def sign(self, path: str, *, now: float) -> str:
        """Give a URL for `path`, signed at `now` (Unix seconds)."""


@frozen(kw_only=True)
class Refusal:
    """Why a link is refused with 403; the same words for "expired" and "wrong signature"."""

    code: str = "AccessDenied"
    message: str = "Access denied"


_DENIED = Refusal()
_NO_KEY = Refusal(code="MissingKey", message="Missing Key-Pair-Id query parameter or cookie value")
_OTHER_KEY = Refusal(code="AccessDenied", message="Unknown Key")
_BROKEN_POLICY = Refusal(code="MalformedPolicy", message="Malformed Policy")


class Links:
    """The signer and the checker of one distribution.

    Args:
        base_url: Scheme, host and port of the CDN; part of what is signed.
        secret: What signatures follow from.
        lifetime: Seconds from the listing to the expiry: "Download URLs expire in 1 hour."
        signing: Which kind is made; both are understood.
    """

    def __init__(
        self, base_url: str, *, secret: str, lifetime: float = 3600.0, signing: Signing = "canned"
    ) -> None:
        self.base_url = base_url
        self.lifetime = lifetime
        self.signing = signing
        self._key = digest("links", secret, size=32)
        self._issued = count()

    def sign(self, path: str, *, now: float, lifetime: float | None = None) -> str:
        """Give a URL for `path` that dies `lifetime` seconds after `now`; None takes the links'."""
        # CloudFront knows whole seconds only.
        expires = int(now + (self.lifetime if lifetime is None else lifetime))
        policy = self._policy(path, expires)
        salt = digest("salt", self._key.hex(), next(self._issued), size=_SALT_SIZE)
        signature = _encode(salt + self._mac(salt, policy))
        terms = f"Expires={expires}" if self.signing == "canned" else f"Policy={_encode(policy)}"
        return f"{self.base_url}{path}?{terms}&Signature={signature}&Key-Pair-Id={_KEY_PAIR_ID}"

    def refusal(self, target: str, *, now: float) -> Refusal | None:
        """Check a request target, byte for byte; None lets it pass.

        "Expiry is compared when the HTTP request arrives": who asks this once per request does as
        CloudFront does, and a download that began in time runs to its end.
        """
        path, _, query = target.partition("?")
        given = dict(term.partition("=")[::2] for term in query.split("&"))
        if not (key_pair := given.get("Key-Pair-Id")):
            return _NO_KEY
        if key_pair != _KEY_PAIR_ID:
            return _OTHER_KEY
        if "Policy" in given and _loads(given["Policy"]) is None:
            return _BROKEN_POLICY
        return None if self._holds(path, query, given, now) else _DENIED

    def _holds(self, path: str, query: str, given: dict[str, str], now: float) -> bool:
        kind = "Policy" if "Policy" in given else "Expires"
        names = (kind, "Signature", "Key-Pair-Id")
        # A parameter that was added afterwards, doubled or moved is not what was signed.
        if query != "&".join(f"{name}={given.get(name, '')}" for name in names):
            return False
        expires = _expiry(given)
        if expires is None or now >= expires:
            return False
        policy = self._policy(path, expires)
        if kind == "Policy" and given["Policy"] != _encode(policy):
            return False
        signature = _decode(given["Signature"]) or b""
        salt = signature[:_SALT_SIZE]
        return hmac.compare_digest(_encode(salt + self._mac(salt, policy)), given["Signature"])

    def _policy(self, path: str, expires: int) -> bytes:
        until = {"DateLessThan": {"AWS:EpochTime": expires}}
        statement = {"Resource": f"{self.base_url}{path}", "Condition": until}
        # "whitespace-free policy": CloudFront signs it so.
        return json.dumps({"Statement": [statement]}, separators=(",", ":")).encode()

    def _mac(self, salt: bytes, policy: bytes) -> bytes:
        return hmac.digest(self._key, salt + policy, "sha512")


def _expiry(given: dict[str, str]) -> int | None:
    if "Policy" not in given:
        text = given.get("Expires", "")
        return int(text) if text.isascii() and text.isdecimal() else None
    policy = _loads(given["Policy"]) or {}
    try:
        expires = policy["Statement"][0]["Condition"]["DateLessThan"]["AWS:EpochTime"]
    except (KeyError, IndexError, TypeError):
        return None
    return expires if type(expires) is int else None


def _encode(data: bytes) -> str:
    return b64encode(data).decode().translate(_TO_URL)


def _decode(text: str) -> bytes | None:
    try:
        return b64decode(text.translate(_FROM_URL), validate=True)
    except (binascii.Error, ValueError):
        return None


def _loads(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(_decode(text) or b"")
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
