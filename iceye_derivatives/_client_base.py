"""What is a client made of, how does it begin, and how does it end?"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, Unpack

import anyio
from attrs import evolve

from iceye_derivatives._auth import ClientCredentials, StaticToken, TokenKeeper
from iceye_derivatives._calls import Calls
from iceye_derivatives._client_settings import ClientSettings
from iceye_derivatives._clock import SystemClock
from iceye_derivatives._core.delays import Delays
from iceye_derivatives._core.environment import DEFAULT_BASE_URL, Settings, read_environment
from iceye_derivatives._core.limits import Limits
from iceye_derivatives._core.nudges import Nudges
from iceye_derivatives._core.pace import Pacer, PacerState, Urgency
from iceye_derivatives._core.requests import normalise_base_url
from iceye_derivatives._core.retry import RetryPolicy
from iceye_derivatives._core.seconds import check_seconds
from iceye_derivatives._lapse import clock_from
from iceye_derivatives._persistent import PersistentCalls
from iceye_derivatives._transport import ApiTransport, FileTransport, SessionSettings
from iceye_derivatives.events import PaceChanged
from iceye_derivatives.models import SignedUrl
from iceye_derivatives.protocols import Clock, LinkResponse, TokenSource

if TYPE_CHECKING:
    import ssl

    import aiohttp

__all__ = ["ClientBase"]

_LONGEST_CALL: Final = 300.0
"""Seconds for a whole call of the API."""
_MOST_LINKS: Final = 256
"""Connections to stores; mostly, whoever opens links opens fewer."""


class ClientBase:
    """Two sessions, one token and one rate limit: what all calls and watches of a client share."""

    def __init__(
        self,
        *,
        auth: TokenSource,
        base_url: str = DEFAULT_BASE_URL,
        rate: float = 5.0,
        burst: int = 10,
        retry: RetryPolicy | None = None,
        connect_timeout: float = 30.0,
        answer_timeout: float = 120.0,
        read_timeout: float = 60.0,
        allow_http: bool = False,
        allowed_hosts: Iterable[str] | None = None,
        trust_env: bool = True,
        ssl_context: ssl.SSLContext | None = None,
        api_session: aiohttp.ClientSession | None = None,
        file_session: aiohttp.ClientSession | None = None,
        limits: Limits | None = None,
        delays: Delays | None = None,
        clock: Clock | None = None,
        jitter: Callable[[], float] = random.random,
        on_event: Callable[[PaceChanged], None] | None = None,
    ) -> None:
        check_seconds(
            connect_timeout=connect_timeout,
            answer_timeout=answer_timeout,
            read_timeout=read_timeout,
        )
        self.base_url = normalise_base_url(base_url)
        self._auth = auth
        self._clock: Clock = SystemClock() if clock is None else clock
        self._jitter = jitter
        self._limits = Limits() if limits is None else limits
        self.delays = Delays() if delays is None else delays
        """What its watches have learned of how long things take; `Delays.to_json()` saves it."""
        self._retry = RetryPolicy() if retry is None else retry
        self._rate = rate
        self._pacer = Pacer(rate=rate, burst=burst)
        settings = SessionSettings(
            connect_timeout=connect_timeout,
            read_timeout=answer_timeout,
            trust_env=trust_env,
            ssl_context=ssl_context,
            limits=self._limits,
        )
        self._api = self._open_api(settings, api_session, on_event)
        self.clock_lag = self._api.clock_lag
        """How far this machine's clock is behind the API's, as far as its answers have told."""
        self._files = FileTransport(
            evolve(settings, read_timeout=read_timeout, connections=_MOST_LINKS),
            session=file_session,
            allow_http=allow_http,
            allowed_hosts=() if allowed_hosts is None else allowed_hosts,
            neighbourhood=self._api.neighbourhood,
        )
        self._calls = self._calls_of(Urgency.CALL)
        self._polls = self._calls_of(Urgency.POLL)
        self._renewals = self._calls_of(Urgency.RENEWAL)
        self._persistent = PersistentCalls(
            self._calls, retry=self._retry, clock=self._clock, jitter=jitter
        )
        self._nudges = Nudges()
        self._ordered: dict[str, tuple[str, ...]] = {}
        """Product types of the tasks that this client has ordered, by id."""

    @classmethod
    def from_env(
        cls, environ: Mapping[str, str] | None = None, **settings: Unpack[ClientSettings]
    ) -> Self:
        """A client from ``ICEYE_API_BASE_URL`` (optional) and credentials.

        Credentials are ``ICEYE_TOKEN_URL``, ``ICEYE_CLIENT_ID`` and ``ICEYE_CLIENT_SECRET``, or a
        ready ``ICEYE_ACCESS_TOKEN``, which wins.  `settings` go to the constructor.

        Where ``iceye-derivatives simulate`` has set ``ICEYE_SIMULATED_CLOCK`` and the API is on
        this machine, the client waits in the simulator's time, unless a `clock` is given.

        Raises:
            ConfigurationError: names all variables that are missing; or a simulator's clock is set
                and the API is not on this machine.
        """
        environ = os.environ if environ is None else environ
        found = read_environment(environ)
        if settings.get("clock") is None:
            settings["clock"] = clock_from(environ)
        return cls(base_url=found.base_url, auth=_auth_of(found, settings), **settings)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the sessions that this client opened; safe to call twice and when cancelled."""
        with anyio.CancelScope(shield=True):
            await self._api.aclose()
            await self._files.aclose()

    @property
    def pace(self) -> PacerState:
        """How fast this client may go at this moment, which is its set rate unless a 429 came."""
        return self._pacer.state(self._clock.time())

    def __repr__(self) -> str:
        return f"DerivativesClient(base_url={self.base_url!r}, auth={type(self._auth).__name__})"

    def open_link(
        self, url: SignedUrl, *, headers: Mapping[str, str]
    ) -> AbstractAsyncContextManager[LinkResponse]:
        """Open a signed link byte for byte, without the token."""
        return self._files.open_link(url, headers=headers)

    def _calls_of(self, urgency: Urgency) -> Calls:
        return Calls(self._api, self._clock, limits=self._limits, urgency=urgency)

    def _open_api(
        self,
        settings: SessionSettings,
        session: aiohttp.ClientSession | None,
        on_pace: Callable[[PaceChanged], None] | None,
    ) -> ApiTransport:
        return ApiTransport(
            self.base_url,
            TokenKeeper(self._auth, self._clock),
            pacer=self._pacer,
            clock=self._clock,
            jitter=self._jitter,
            settings=evolve(settings, total_timeout=_LONGEST_CALL),
            session=session,
            on_pace=on_pace,
        )


def _auth_of(found: Settings, settings: ClientSettings) -> TokenSource:
    if found.access_token is not None:
        return StaticToken(found.access_token)
    return ClientCredentials(
        found.token_url,
        found.client_id,
        found.client_secret,
        ssl_context=settings.get("ssl_context"),
        trust_env=settings.get("trust_env", True),
        clock=settings.get("clock"),
        limits=settings.get("limits") or Limits(),
    )
