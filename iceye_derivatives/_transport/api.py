"""How does a call reach the API: paced, with the token, and to the API alone?"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import anyio

from iceye_derivatives._core.answer import read_times
from iceye_derivatives._core.endpoint import normalise_base_url
from iceye_derivatives._core.limits import DEFAULT_LIMITS, Limits
from iceye_derivatives._core.pace import Pacer
from iceye_derivatives._core.redact import REDACTED
from iceye_derivatives._core.requests import ApiRequest
from iceye_derivatives._core.responses import ApiResponse
from iceye_derivatives._core.secret import Secret
from iceye_derivatives._transport.neighbourhood import Neighbourhood
from iceye_derivatives._transport.session import Line, SessionSettings, exchange
from iceye_derivatives.errors import IceyeError
from iceye_derivatives.protocols import Clock

if TYPE_CHECKING:
    import ssl

    import aiohttp

__all__ = ["ApiTransport", "Bearer"]

logger = logging.getLogger("iceye_derivatives")

_UNAUTHORIZED = 401
_ERRORS = 400
_PASSING = frozenset({429, 503})


class Bearer(Protocol):
    """Who holds the token (`iceye_derivatives._auth.TokenKeeper`)."""

    async def get(self) -> str:
        """A token that is good now."""
        ...

    def reject(self, value: str) -> None:
        """The API refused this one."""
        ...


class ApiTransport:
    """Sends API requests; knows nothing of what they mean, and repeats only after a 401.

    Args:
        base_url: of the API, with or without ``/api``.
        keeper: holds the token.
        pacer: the client's one rate limit.
        clock: now and waiting.
        jitter: draws a number from 0 to 1.
        session: a borrowed session, never closed here; its own defaults (proxies, cookies, headers)
            hold.  None opens one.
        connect_timeout: seconds for name look-up, connection and TLS.
        read_timeout: seconds of silence.
        total_timeout: seconds for a whole exchange.
        connections: open at the same time.
        trust_env: whether proxies of the environment are heeded (``~/.netrc`` never is).
        ssl_context: whom to trust.
        limits: how much is taken from the API.

    Raises:
        ConfigurationError: the base URL is none that a token may be sent to.
    """

    def __init__(
        self,
        base_url: str,
        keeper: Bearer,
        *,
        pacer: Pacer,
        clock: Clock,
        jitter: Callable[[], float],
        session: aiohttp.ClientSession | None = None,
        connect_timeout: float = 30.0,
        read_timeout: float = 120.0,
        total_timeout: float = 300.0,
        connections: int = 20,
        trust_env: bool = True,
        ssl_context: ssl.SSLContext | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self.base_url = normalise_base_url(base_url)
        self._keeper = keeper
        self._pacer = pacer
        self._clock = clock
        self._jitter = jitter
        # First come, first served; and whoever is cancelled in the queue leaves no gap.
        self._queue = anyio.Lock()
        settings = SessionSettings(
            connect_timeout=connect_timeout,
            # ICEYE's example code allows listTasks 120 seconds, so it can be slow.
            read_timeout=read_timeout,
            total_timeout=total_timeout,
            connections=connections,
            trust_env=trust_env,
            ssl_context=ssl_context,
            limits=limits,
        )
        self.neighbourhood = Neighbourhood(self.base_url)
        self._line = Line(settings, session, judge=self.neighbourhood.note)

    async def send(self, request: ApiRequest) -> ApiResponse:
        """One call; whatever status comes is handed on, redirects too.

        A 401 drops the token and repeats the call once with another one, if there is another one.

        Raises:
            NetworkError: no answer came, or half of one; ``sent`` says whether the API may have
                carried it out.
            IceyeError: no token was to be had; ``sent`` is False then.
        """
        response, token = await self._attempt(request)
        if response.status == _UNAUTHORIZED:
            self._keeper.reject(token)
            if await self._token() != token:
                response, _ = await self._attempt(request)
        return response

    async def aclose(self) -> None:
        """Close the session, if it is ours."""
        await self._line.aclose()

    async def _attempt(self, request: ApiRequest) -> tuple[ApiResponse, str]:
        # The slot comes first: a pause can be longer than the rest of a token's life.
        await self._slot()
        token = await self._token()
        begun = self._clock.time()
        response = await exchange(
            self._line,
            request.method,
            Secret(self.base_url + request.target),
            headers={**request.headers, "Authorization": Secret(f"Bearer {token}")},
            body=request.body,
        )
        now = self._clock.time()
        # The path alone: a cursor or a contract's id is nobody's business in a log.
        logger.debug(
            "%s %s → %d in %.2f s", request.method, request.path, response.status, now - begun
        )
        self._heed(response, now)
        return _without(token, response), token

    async def _slot(self) -> None:
        async with self._queue:
            while (wait := self._pacer.request(self._clock.time())) > 0:
                await self._clock.sleep(wait)

    async def _token(self) -> str:
        try:
            return Secret(await self._keeper.get())
        except IceyeError as error:
            error.sent = False
            raise

    def _heed(self, response: ApiResponse, now: float) -> None:
        if response.status in _PASSING:
            _, seconds = read_times(response, now, self._line.limits)
            if seconds:
                self._pacer.pause(now, seconds, self._jitter())


def _without(token: str, response: ApiResponse) -> ApiResponse:
    """Gateways like to quote the request in their error pages, and those end up in messages."""
    if response.status < _ERRORS:
        return response
    return ApiResponse(
        status=response.status,
        headers=response.headers,
        body=response.body.replace(token.encode(), REDACTED.encode()),
    )
