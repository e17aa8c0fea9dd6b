"""How is a session opened when it is first needed, and how does a request leave by it?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import anyio
from anyio import to_thread
from attrs import field, frozen

from iceye_derivatives._core.limits import DEFAULT_LIMITS, Limits
from iceye_derivatives._transport.answer import Answer, SessionAnswer
from iceye_derivatives._transport.neighbourhood import Judge, JudgedResolver
from iceye_derivatives._transport.proxies import Proxies
from iceye_derivatives._transport.watchdog import Watchdog

if TYPE_CHECKING:
    import ssl

    import aiohttp
    from aiohttp.abc import AbstractResolver

    from iceye_derivatives._transport.lanes import Lanes

__all__ = ["LazySession", "SessionSettings"]

_CLOSING = 5.0
_UNLIMITED = 1_000_000
_LOADED: dict[str, Any] = {}
"""`yarl.URL`, once aiohttp is there."""


@frozen(kw_only=True)
class SessionSettings:
    """How connections are made; all times in seconds."""

    connect_timeout: float
    """For name look-up, connection and TLS."""
    read_timeout: float
    """For silence: between two arrivals of bytes, not for all of them."""
    total_timeout: float | None = None
    """For a whole exchange; None for bodies of any size on lines of any speed."""
    connections: int = 20
    """How many may be open at the same time."""
    trust_env: bool = True
    """Whether ``HTTPS_PROXY`` and its kin are heeded."""
    ssl_context: ssl.SSLContext | None = field(default=None, repr=False)
    """Whom to trust; None for the platform's own list."""
    limits: Limits = DEFAULT_LIMITS


class LazySession:
    """A session that is opened when it is first needed, and closed only if it is ours."""

    def __init__(
        self,
        settings: SessionSettings,
        borrowed: aiohttp.ClientSession | None,
        *,
        judge: Judge | None = None,
    ) -> None:
        self._settings = settings
        self._judge = judge
        self._resolver: JudgedResolver | None = None
        self.limits = settings.limits
        self._session = borrowed
        self._is_ours = borrowed is None
        self._is_closed = False
        # aiohttp's own `trust_env` also reads ~/.netrc, and then either sends that password to the
        # store or refuses our Authorization header next to it.  So proxies are looked up here.
        # A borrowed session keeps its owner's rules.
        self.proxies = Proxies(trust_env=settings.trust_env and self._is_ours)
        self.watchdog = Watchdog(total=settings.total_timeout, silence=settings.read_timeout)
        # One slot a connection: a request that waits for one is not watched for silence yet.
        # How many a borrowed session has is its owner's business.
        room = settings.connections if self._is_ours else _UNLIMITED
        self.slots = anyio.Semaphore(room, fast_acquire=True)
        self._loading = anyio.Lock(fast_acquire=True)
        self._fixed: dict[bool, dict[str, Any]] = {}
        """The keywords that all requests have in common, by whether a watchdog watches them."""
        self._lanes: Lanes | None = None

    async def request(
        self,
        method: str,
        url: str,
        *,
        proxy: str | None,
        headers: Mapping[str, str],
        body: bytes | None = None,
        is_watched: bool = False,
        ahead: int | None = None,
    ) -> aiohttp.ClientResponse:
        """Send, and return when the head of the answer is there; the caller closes it.

        Raises whatever aiohttp does: to be translated by the caller.  With `is_watched` the caller
        holds a `watch()`, and only connecting has a timer of its own.  Where `ahead` is given, the
        line is left alone while more than twice so many bytes of the body wait to be read.
        """
        session, fixed = await self._ready(is_watched)
        return await session.request(
            method,
            _LOADED["URL"](url, encoded=True),  # byte for byte: what is signed is not "normalised"
            headers=headers,
            data=body,
            proxy=proxy,
            read_bufsize=ahead,
            **fixed,
        )

    async def get(
        self, url: str, *, proxy: str | None, headers: Mapping[str, str], ahead: int
    ) -> Answer:
        """As `request`, for a GET whose body may be long; by a lane where that can be.

        A borrowed session has its owner's ways (cookies, headers, traces), and is asked itself.
        """
        lanes = self._lanes or await self._lay(ahead)
        if lanes is not None:
            lane = await lanes.get(url, proxy, headers)
            if lane is not None:
                return lane
        return SessionAnswer(
            await self.request("GET", url, proxy=proxy, headers=headers, ahead=ahead)
        )

    async def _lay(self, ahead: int) -> Lanes | None:
        session, fixed = await self._ready(is_watched=False)
        if self._lanes is None and self._is_ours:
            from iceye_derivatives._transport.lanes import Lanes  # noqa: PLC0415 - aiohttp
            from iceye_derivatives._transport.reading import Reading  # noqa: PLC0415 - aiohttp

            reading = Reading(
                watchdog=self.watchdog, ahead=ahead, header_bytes=self.limits.header_bytes
            )
            self._lanes = Lanes(session, fixed, reading)
        return self._lanes

    async def aclose(self) -> None:
        """Close the session if it is ours, also while being cancelled; then nothing is sent."""
        self._is_closed = True
        self.watchdog.stop()
        session, self._session = self._session, None
        lanes, self._lanes = self._lanes, None
        if lanes is not None:
            lanes.stop()
        if session is None or not self._is_ours:
            return
        with anyio.move_on_after(_CLOSING, shield=True):
            await session.close()
            if self._resolver is not None:
                await self._resolver.close()

    def _open(self) -> aiohttp.ClientSession:
        import aiohttp  # noqa: PLC0415 - importing the library must not import aiohttp

        if self._is_closed:
            raise RuntimeError("The client is closed; make a new one to go on")
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._settings.connections, resolver=self._judged()
                ),
                # A cookie that a gateway sets would make requests depend on each other.
                cookie_jar=aiohttp.DummyCookieJar(),
                requote_redirect_url=False,
            )
        return self._session

    def _judged(self) -> AbstractResolver | None:
        import aiohttp  # noqa: PLC0415 - importing the library must not import aiohttp

        if self._judge is None:
            return None
        self._resolver = JudgedResolver(aiohttp.DefaultResolver(), self._judge)
        return cast("AbstractResolver", self._resolver)

    async def _ready(self, is_watched: bool) -> tuple[aiohttp.ClientSession, dict[str, Any]]:  # noqa: FBT001 - a key
        if not _LOADED:
            async with self._loading:  # the first files of a run all begin at once
                await _load()
        fixed = self._fixed.get(is_watched)
        if fixed is None or self._session is None:
            fixed = self._prepare(is_watched)
        assert self._session is not None  # noqa: S101 - it was prepared
        return self._session, fixed

    def _prepare(self, is_watched: bool) -> dict[str, Any]:  # noqa: FBT001 - a key
        """Open the session, if that was not done; what is the same for all requests of a kind."""
        import aiohttp  # noqa: PLC0415 - importing the library must not import aiohttp

        self._open()
        context = self._settings.ssl_context
        fixed = self._fixed[is_watched] = {
            "allow_redirects": False,
            "auto_decompress": False,  # what is unpacked is counted, and files come as they are
            "raise_for_status": False,  # whatever a borrowed session does: a 404 is an answer here
            "timeout": aiohttp.ClientTimeout(
                total=None if is_watched else self._settings.total_timeout,
                sock_connect=self._settings.connect_timeout,
                sock_read=None if is_watched else self._settings.read_timeout,
            ),
            "max_line_size": self.limits.header_bytes,
            "max_field_size": self.limits.header_bytes,
            **({} if context is None else {"ssl": context}),
        }
        return fixed


async def _load() -> None:
    """Import the HTTP client and cattrs beside the loop: that takes a fifth of a second, once."""
    if not _LOADED:
        await to_thread.run_sync(_import)


def _import() -> None:
    import aiohttp  # noqa: F401, PLC0415 - importing the library must not import aiohttp
    from yarl import URL  # noqa: PLC0415 - nor this, which comes with it

    # `sys.modules` has its name while it is still being imported, and whoever imports it then
    # waits: on the loop, that would be everybody.
    _LOADED["URL"] = URL
