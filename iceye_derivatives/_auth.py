"""Where do bearer tokens come from, and when is a new one fetched?"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, NoReturn

import anyio
from attrs import evolve

from iceye_derivatives._clock import SystemClock
from iceye_derivatives._core.endpoint import check_token_url
from iceye_derivatives._core.limits import DEFAULT_LIMITS, Limits
from iceye_derivatives._core.redact import REDACTED
from iceye_derivatives._core.requests import ACCEPT, USER_AGENT
from iceye_derivatives._core.responses import ApiResponse
from iceye_derivatives._core.seconds import check_seconds
from iceye_derivatives._core.secret import Secret
from iceye_derivatives._core.token import FailedFetch, HeldToken, hold
from iceye_derivatives._core.token_answer import is_token, read_token
from iceye_derivatives._transport.exchange import exchange
from iceye_derivatives._transport.failures import host_of
from iceye_derivatives._transport.session import LazySession, SessionSettings
from iceye_derivatives._transport.unpacking import PACKING
from iceye_derivatives.errors import ApiError, ConfigurationError, IceyeError
from iceye_derivatives.protocols import AccessToken, Clock, TokenSource

if TYPE_CHECKING:
    import ssl

__all__ = ["ClientCredentials", "StaticToken", "TokenKeeper"]


class _Secretive:
    """Holds a secret, so it does not pickle: a pickle is a file that somebody keeps."""

    __slots__ = ()

    def __reduce_ex__(self, _: object) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} holds a secret and does not pickle; "
            "make a new one from the environment where it is needed"
        )


class ClientCredentials(_Secretive):
    """OAuth2 client credentials, as ICEYE documents them for its v2 endpoints.

    A token source (`iceye_derivatives.protocols.TokenSource`): each `fetch_token()` is one request
    on a connection of its own, which is closed afterwards; there is one an hour.

    Args:
        token_url: the whole URL of the token endpoint, issued by ICEYE with the credentials.
            Must be https; plain http works on this machine alone.
        client_id: issued by ICEYE.
        client_secret: issued by ICEYE; goes nowhere but to the token endpoint.
        timeout: seconds for the whole request.
        ssl_context: whom to trust; None for the platform's own list.
        trust_env: whether proxies of the environment are heeded.
        clock: reads a ``Retry-After`` that is a date.
        limits: how much is taken from the token endpoint.

    Raises:
        ConfigurationError: the URL, the credentials or the timeout cannot be used.
    """

    __slots__ = ("_client_id", "_client_secret", "_clock", "_settings", "_token_url")

    def __init__(
        self,
        token_url: str,
        client_id: str,
        client_secret: str,
        *,
        timeout: float = 30.0,
        ssl_context: ssl.SSLContext | None = None,
        trust_env: bool = True,
        clock: Clock | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        if not client_id or not client_secret:
            raise ConfigurationError("The client id or the client secret is empty; give both")
        if ":" in client_id:
            # RFC 7617: "a user-id containing a colon character is invalid".
            raise ConfigurationError("The client id holds a colon; was the secret pasted with it?")
        check_seconds(timeout=timeout)
        self._token_url = check_token_url(token_url)
        self._client_id = client_id
        self._client_secret = Secret(client_secret)
        self._clock = SystemClock() if clock is None else clock
        self._settings = SessionSettings(
            connect_timeout=timeout,
            read_timeout=timeout,
            total_timeout=timeout,
            connections=1,
            trust_env=trust_env,
            ssl_context=ssl_context,
            limits=limits,
        )

    def __repr__(self) -> str:
        return f"<ClientCredentials {self._client_id!r} at {host_of(self._token_url)}>"

    async def fetch_token(self) -> AccessToken:
        """Ask the token endpoint once, and follow no redirect.

        Raises:
            AuthenticationError: the credentials are refused.
            ConfigurationError: there is no token endpoint at the URL.
            RateLimitedError: the endpoint asks to slow down.
            ServerError: the endpoint failed.
            LimitExceededError: the answer is above one of the limits.
            UnexpectedResponseError: the answer is no token.
            NetworkError: no answer came.
        """
        session = LazySession(self._settings, None)
        try:
            response = await exchange(
                session,
                "POST",
                self._token_url,
                headers=self._headers(),
                body=b"grant_type=client_credentials",
            )
        finally:
            await session.aclose()
        return read_token(
            self._without_secrets(response), self._clock.time(), limits=self._settings.limits
        )

    def _headers(self) -> dict[str, str]:
        """The headers of ICEYE's example, and our User-Agent."""
        return {
            "Accept": ACCEPT,
            "Accept-Encoding": PACKING,
            "Authorization": Secret(f"Basic {self._basic()}"),
            "Cache-Control": "no-cache",
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": USER_AGENT,
        }

    def _basic(self) -> str:
        # RFC 6749, section 2.3.1, would have both parts form-encoded first.  ICEYE documents the
        # plain form, base64(client_id:client_secret), and issues ids and secrets of letters,
        # digits, "-" and "_", for which the two are the same.
        return Secret(b64encode(f"{self._client_id}:{self._client_secret}".encode()).decode())

    def _without_secrets(self, response: ApiResponse) -> ApiResponse:
        """An error page may quote the request; a good answer is never changed."""
        body = response.body
        for secret in (self._client_secret, self._basic()):
            body = body.replace(secret.encode(), REDACTED.encode())
        return response if response.status == 200 else evolve(response, body=body)  # noqa: PLR2004 - OK


class StaticToken(_Secretive):
    """A token that comes from elsewhere: used as it is, until the API refuses it.

    Raises:
        ConfigurationError: it cannot stand in a header.
    """

    __slots__ = ("_value",)

    def __init__(self, token: str) -> None:
        value = Secret(token.strip())
        if not is_token(value):
            raise ConfigurationError(
                "The access token is empty or holds characters that no header may hold; "
                "give it without quotes, line breaks and the word Bearer"
            )
        self._value = value

    def __repr__(self) -> str:
        return f"<StaticToken {REDACTED}>"

    async def fetch_token(self) -> AccessToken:
        """The same token each time."""
        return AccessToken(value=self._value)


class TokenKeeper:
    """Holds the current token of one client.

    However many calls wait for a token, one request for it is in flight; those that waited share
    its token, or its failure.  A call that is cancelled while it fetches hands over to the next.
    A renewal that fails while the old token still lives costs nothing but a later try.  After a
    failure nobody asks again before its ``Retry-After`` has passed, or a pause that grows from a
    second to half a minute: calls wait for that, unless the endpoint has said when to come, or that
    these credentials are no good.

    Raises:
        ConfigurationError: the source has no ``fetch_token()``, e.g. since it is a bare text.
    """

    def __init__(self, source: TokenSource, clock: Clock) -> None:
        if not isinstance(source, TokenSource):
            raise ConfigurationError(
                f"auth={type(source).__name__} gives no tokens: pass ClientCredentials(...), "
                "StaticToken(...) or an object with an async fetch_token() method"
            )
        self._source = source
        self._clock = clock
        self._lock = anyio.Lock()
        self._held: HeldToken | None = None
        self._failed: FailedFetch | None = None

    async def get(self) -> str:
        """A token that is good now: the held one, or a new one when its time has come.

        Raises:
            IceyeError: what the source raised.
        """
        seen = self._failed
        held = self._current()
        if held is not None:
            return held
        async with self._lock:
            held = self._current()
            if held is not None:
                return held
            if self._failed is not None:
                await self._hold_back(self._failed, seen)
            return await self._fetch()

    def reject(self, value: str) -> None:
        """The API refused this token: drop it, unless another has come meanwhile."""
        if self._held is not None and self._held.value == value:
            self._held = None

    def _current(self) -> str | None:
        held = self._held
        return held.value if held is not None and held.is_good(self._clock.time()) else None

    async def _hold_back(self, failed: FailedFetch, seen: FailedFetch | None) -> None:
        """Return when the endpoint may be asked again, or raise how it failed."""
        now = self._clock.time()
        wait = failed.wait(now)
        # It failed while this call stood in the queue, or has had its last word: asking again, and
        # once for each in the queue, would be a storm of bad passwords.
        if failed is not seen or (wait and failed.is_last_word):
            raise failed.again(now)
        if wait:
            await self._clock.sleep(wait)

    async def _fetch(self) -> str:
        asked = self._clock.time()
        try:
            token = await self._source.fetch_token()
        except IceyeError as error:
            self._failed = FailedFetch.after(self._failed, error, self._clock.time())
            old = self._old_token(error)
            if old is not None:
                return old
            raise
        if not is_token(token.value):
            raise ConfigurationError(
                "The token source gave a text that cannot stand in a header; mend the source"
            )
        self._failed = None
        self._held = hold(Secret(token.value), asked, token.expires_in)
        return self._held.value

    def _old_token(self, error: IceyeError) -> str | None:
        """A renewal is early by minutes: while it fails, the old token serves to its end."""
        if self._held is None:
            return None
        asked = error.retry_after if isinstance(error, ApiError) else None
        self._held = self._held.outlive(self._clock.time(), asked)
        return None if self._held is None else self._held.value
