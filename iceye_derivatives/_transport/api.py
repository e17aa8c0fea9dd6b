"""How does a call reach the API: paced, with the token, and to the API alone?"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from iceye_derivatives._core.answer import read_times
from iceye_derivatives._core.clock_lag import ClockLag
from iceye_derivatives._core.endpoint import normalise_base_url
from iceye_derivatives._core.http_date import parse_http_date
from iceye_derivatives._core.pace import Pacer, PacerState, Urgency
from iceye_derivatives._core.redact import REDACTED
from iceye_derivatives._core.requests import ACCEPT, USER_AGENT, ApiRequest
from iceye_derivatives._core.responses import ApiResponse
from iceye_derivatives._core.secret import Secret
from iceye_derivatives._transport.exchange import exchange
from iceye_derivatives._transport.neighbourhood import Neighbourhood
from iceye_derivatives._transport.session import LazySession, SessionSettings
from iceye_derivatives._transport.turnstile import Turnstile
from iceye_derivatives._transport.unpacking import PACKING
from iceye_derivatives.errors import ApiError, IceyeError
from iceye_derivatives.events import PaceChanged
from iceye_derivatives.protocols import Clock

if TYPE_CHECKING:
    import aiohttp

__all__ = ["ApiTransport", "Bearer"]

logger = logging.getLogger("iceye_derivatives")

_UNAUTHORIZED = 401
_ERRORS = 400
_TOO_MANY = 429
_PASSING = frozenset({_TOO_MANY, 503})


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
        settings: how connections are made.
        session: a borrowed session, never closed here; its own defaults (proxies, cookies, headers)
            hold.  None opens one.
        on_pace: called when the API has slowed this client down, and with the first answer after it
            may go at its set rate again.

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
        settings: SessionSettings,
        session: aiohttp.ClientSession | None = None,
        on_pace: Callable[[PaceChanged], None] | None = None,
    ) -> None:
        self.base_url = normalise_base_url(base_url)
        self._keeper = keeper
        self._pacer = pacer
        self._clock = clock
        self._jitter = jitter
        self._turnstile = Turnstile(pacer, clock)
        self._on_pace = on_pace
        self._is_slow = False
        """Whether `on_pace` was told that the client is slower than was set."""
        self.clock_lag = ClockLag()
        """What the answers tell of this machine's clock."""
        self._prepared: tuple[str, dict[str, str]] = "", {}
        """The headers of all requests, and the token that they hold."""
        self.neighbourhood = Neighbourhood(self.base_url)
        self._session = LazySession(settings, session, judge=self.neighbourhood.note)

    @property
    def waiting(self) -> int:
        """How many requests wait for their turn."""
        return len(self._turnstile)

    async def send(self, request: ApiRequest, urgency: Urgency = Urgency.CALL) -> ApiResponse:
        """One call; whatever status comes is handed on, redirects too.

        A 401 drops the token and repeats the call once with another one, if there is another one.

        Args:
            request: what to send.
            urgency: whom it lets go first where requests wait for their turn.

        Raises:
            NetworkError: no answer came, or half of one; ``sent`` says whether the API may have
                carried it out.
            IceyeError: no token was to be had; ``sent`` is False then.
        """
        response, token = await self._attempt(request, urgency)
        if response.status == _UNAUTHORIZED:
            self._keeper.reject(token)
            if await self._token() != token:
                response, _ = await self._attempt(request, urgency)
        return response

    async def aclose(self) -> None:
        """Close the session, if it is ours."""
        await self._session.aclose()

    async def _attempt(self, request: ApiRequest, urgency: Urgency) -> tuple[ApiResponse, str]:
        # The slot comes first: a pause can be longer than the rest of a token's life.
        if not self._turnstile.may_pass():
            await self._turnstile.wait(urgency)
        token = await self._token()
        begun = self._clock.time()
        response = await exchange(
            self._session,
            request.method,
            Secret(self.base_url + request.target),
            headers=self._headers(request, token),
            body=request.body,
        )
        if logger.isEnabledFor(logging.DEBUG):
            took = self._clock.time() - begun
            # The path alone: a cursor or a contract's id is nobody's business in a log.
            logger.debug(
                "%s %s → %d in %.2f s", request.method, request.path, response.status, took
            )
        self._compare_clocks(response)
        if self._is_slow:
            self._see_whether_recovered()
        if response.status >= _ERRORS:
            self._heed(response, self._clock.time(), begun)
            return _without(token, response), token
        return response, token

    def _headers(self, request: ApiRequest, token: str) -> dict[str, str]:
        prepared_for, headers = self._prepared
        if prepared_for is not token:
            headers = {
                "Accept": ACCEPT,
                "Accept-Encoding": PACKING,
                "Authorization": Secret(f"Bearer {token}"),
                "User-Agent": USER_AGENT,
            }
            self._prepared = token, headers
        return headers if request.body is None else headers | request.headers

    async def _token(self) -> str:
        try:
            token = await self._keeper.get()
        except IceyeError as error:
            error.sent = False
            asked, now = (
                error.retry_after if isinstance(error, ApiError) else None,
                self._clock.time(),
            )
            # All who waited for that token bring the same news, which is heeded once.
            if asked is not None and asked > self._pacer.paused_for(now):
                self._slow_down(now, asked)
            raise
        return token if isinstance(token, Secret) else Secret(token)

    def _heed(self, response: ApiResponse, now: float, begun: float) -> None:
        if response.status not in _PASSING:
            return
        is_slower = response.status == _TOO_MANY and self._pacer.lower(now, begun)
        _, seconds = read_times(response, now, self._session.limits)
        if seconds or is_slower:
            self._slow_down(now, seconds)

    def _slow_down(self, now: float, seconds: float | None) -> None:
        if seconds:
            self._pacer.pause(now, seconds, self._jitter())
        self._is_slow = True
        self._tell(self._pacer.state(now))

    def _compare_clocks(self, response: ApiResponse) -> None:
        now = self._clock.time()
        if self.clock_lag.learn(parse_http_date(response.headers.get("date"), now), now):
            logger.debug(
                "The clock of this machine is %d s behind the API's, which forecasts are corrected "
                "by: set it",
                self.clock_lag.seconds,
            )

    def _see_whether_recovered(self) -> None:
        # No timer is kept for this: the first answer after the rate has come back tells.
        state = self._pacer.state(self._clock.time())
        if state.rate == state.set_rate and not state.paused:
            self._is_slow = False
            self._tell(state)

    def _tell(self, state: PacerState) -> None:
        if self._on_pace is not None:
            self._on_pace(
                PaceChanged(
                    rate=state.rate,
                    set_rate=state.set_rate,
                    paused=state.paused,
                    waiting=self.waiting,
                )
            )


def _without(token: str, response: ApiResponse) -> ApiResponse:
    """Gateways like to quote the request in their error pages, and those end up in messages."""
    return ApiResponse(
        status=response.status,
        headers=response.headers,
        body=response.body.replace(token.encode(), REDACTED.encode()),
    )
