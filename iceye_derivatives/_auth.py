"""Where do bearer tokens come from, and when is a new one fetched?"""

from __future__ import annotations

import ssl

from iceye_derivatives.protocols import AccessToken, Clock, TokenSource


class ClientCredentials:
    """OAuth2 client credentials as ICEYE documents them."""

    def __init__(
        self,
        token_url: str,
        client_id: str,
        client_secret: str,
        *,
        timeout: float = 30.0,
        ssl_context: ssl.SSLContext | None = None,
        trust_env: bool = True,
    ) -> None:
        raise NotImplementedError

    async def fetch_token(self) -> AccessToken:
        """Ask the token endpoint once."""
        raise NotImplementedError


class StaticToken:
    """A token that was got elsewhere."""

    def __init__(self, token: str) -> None:
        raise NotImplementedError

    async def fetch_token(self) -> AccessToken:
        """The same token each time."""
        raise NotImplementedError


class TokenKeeper:
    """Holds the current token: one request in flight, early renewal."""

    def __init__(self, source: TokenSource, clock: Clock) -> None:
        raise NotImplementedError

    async def get(self) -> str:
        """A token that is good now."""
        raise NotImplementedError

    def reject(self, value: str) -> None:
        """The API refused this token: drop it, unless another has come meanwhile."""
        raise NotImplementedError
