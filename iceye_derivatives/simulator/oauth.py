"""Who is calling: OAuth2 client credentials, and the bearer tokens they buy."""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from iceye_derivatives.simulator.messages import Answer, json_answer
from iceye_derivatives.simulator.notation import digest
from iceye_derivatives.simulator.problems import ProblemError

if TYPE_CHECKING:
    from iceye_derivatives.simulator.messages import Call

# None of the documented example's scopes is named after tasking, and yet they do for it.
_SCOPE = "catalog.read deliveries.read orders.read activities.read contracts.read bundles.read"
_FORM = "application/x-www-form-urlencoded"
# RFC 6749, 5.1: the answer holds a credential, so nobody may keep it.
_UNCACHED = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class Tokens:
    """The token endpoint, and the register of what it gave out.

    Args:
        client_id: The one client that is known.
        client_secret: Its secret.
        lifetime: How long a token lives, in seconds.
    """

    def __init__(self, *, client_id: str, client_secret: str, lifetime: float = 3600.0) -> None:
        self.lifetime = lifetime
        self._client = (client_id, client_secret)
        self._expiries: dict[str, float] = {}

    def answer(self, call: Call, *, now: float) -> Answer:
        """Answer a token request: Basic header, form body, as ICEYE documents them."""
        if call.method != "POST":
            return oauth_error(405, "invalid_request", "use POST", {"Allow": "POST"})
        if not self._is_client(call.headers.get("authorization", "")):
            challenge = {"WWW-Authenticate": 'Basic realm="simulator"'}
            return oauth_error(401, "invalid_client", "The client is not known.", challenge)
        if call.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
            return oauth_error(400, "invalid_request", f"The body must be {_FORM}.")
        grant = parse_qs(call.body.decode("utf-8", "replace")).get("grant_type", [])
        if grant != ["client_credentials"]:
            return oauth_error(400, "unsupported_grant_type", "Only client_credentials is known.")
        value = {
            "token_type": "Bearer",
            "expires_in": int(self.lifetime),
            "access_token": self.issue(now=now),
            "scope": _SCOPE,
        }
        return json_answer(200, value, headers=_UNCACHED)

    def issue(self, *, now: float) -> str:
        """Give a new token, good for `lifetime` seconds; older ones stay good."""
        token = digest("token", *self._client, len(self._expiries), size=32).hex()
        self._expiries[token] = now + self.lifetime
        return token

    def revoke(self) -> None:
        """Let every token die now."""
        self._expiries = dict.fromkeys(self._expiries, float("-inf"))

    def check(self, authorization: str, *, now: float) -> None:
        """Let a bearer pass.

        Raises:
            ProblemError: 401, "Missing or invalid authentication token".
        """
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise ProblemError(401, "the authentication token is missing")
        if self._expiries.get(token, float("-inf")) <= now:
            raise ProblemError(401, "the authentication token is invalid or has expired")

    def _is_client(self, authorization: str) -> bool:
        scheme, _, encoded = authorization.partition(" ")
        try:
            given = b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            return False
        return scheme.lower() == "basic" and hmac.compare_digest(
            given, ":".join(self._client).encode()
        )


def oauth_error(
    status: int, error: str, description: str, headers: dict[str, str] | None = None
) -> Answer:
    """Give an error in the shape of RFC 6749, section 5.2."""
    value = {"error": error, "error_description": description}
    return json_answer(status, value, headers={**_UNCACHED, **(headers or {})})
