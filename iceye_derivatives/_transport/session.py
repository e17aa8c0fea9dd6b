"""Whose session is it, and how is one HTTP request made with it?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, cast

import anyio
from anyio import to_thread
from anyio.lowlevel import checkpoint
from attrs import field, frozen

from iceye_derivatives._core.limits import DEFAULT_LIMITS, Limits
from iceye_derivatives._core.responses import ApiResponse, longest_body
from iceye_derivatives._transport.failures import failures, network_error
from iceye_derivatives._transport.headers import LowerHeaders, lower_headers
from iceye_derivatives._transport.neighbourhood import Judge, JudgedResolver
from iceye_derivatives._transport.proxies import Proxies
from iceye_derivatives._transport.unpacking import Unpacking
from iceye_derivatives._transport.watchdog import Watchdog, Watched

if TYPE_CHECKING:
    import ssl

    import aiohttp
    from aiohttp.abc import AbstractResolver

    from iceye_derivatives._transport.lanes import Lanes

__all__ = ["Answer", "Line", "SessionSettings", "exchange"]

_CHUNK = 1 << 16
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
    """Open at the same time."""
    trust_env: bool = True
    """Whether ``HTTPS_PROXY`` and its kin are heeded."""
    ssl_context: ssl.SSLContext | None = field(default=None, repr=False)
    """Whom to trust; None for the platform's own list."""
    limits: Limits = DEFAULT_LIMITS


class Answer(Protocol):
    """An answer whose body is still on the line; what breaks it is raised as aiohttp does."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""

    @property
    def is_over(self) -> bool:
        """Whether the body has been read to its end."""
        ...

    async def read(self) -> bytes:
        """The next bytes, some at a time, and none at the end."""
        ...

    def release(self) -> None:
        """It is needed no more: its connection serves again, if the body is over."""
        ...

    def close(self) -> None:
        """Close its connection, unless that serves again already."""
        ...


class Line:
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
        # As many as there are connections: whoever waits for one of them is not silent yet.
        # How many a borrowed session has is its owner's business.
        room = settings.connections if self._is_ours else _UNLIMITED
        self.slots = anyio.Semaphore(room, fast_acquire=True)
        self._loading = anyio.Lock(fast_acquire=True)
        self._fixed: dict[bool, dict[str, Any]] = {}
        """What is the same for all requests, by whether they are watched."""
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
        """As `request`, for a GET whose body may be long; straight over the line where that can be.

        A borrowed session has its owner's ways (cookies, headers, traces), and is asked itself.
        """
        lanes = self._lanes or await self._lay(ahead)
        if lanes is not None:
            lane = await lanes.get(url, proxy, headers)
            if lane is not None:
                return lane
        return _SessionAnswer(
            await self.request("GET", url, proxy=proxy, headers=headers, ahead=ahead)
        )

    async def _lay(self, ahead: int) -> Lanes | None:
        session, fixed = await self._ready(is_watched=False)
        if self._lanes is None and self._is_ours:
            from iceye_derivatives._transport.lane import Reading  # noqa: PLC0415 - aiohttp
            from iceye_derivatives._transport.lanes import Lanes  # noqa: PLC0415 - aiohttp

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


async def exchange(
    line: Line, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None
) -> ApiResponse:
    """One request and its whole answer, of whatever status.

    `headers` are sent as they are, and should accept no other coding than `PACKING`.  A body above
    its ceiling is cut off just behind that, so that its reader can tell.

    Raises:
        NetworkError: no answer came, or half of one.
    """
    try:
        return await _exchange(line, method, url, headers, body)
    except failures() as error:
        failure = network_error(error, url)
    raise failure


async def _exchange(
    line: Line, method: str, url: str, headers: Mapping[str, str], body: bytes | None
) -> ApiResponse:
    """Its frame holds aiohttp's response, whose `repr` tells all, and is gone when we raise."""
    async with line.slots:
        with line.watchdog.watch() as watched:
            proxy = await line.proxies.lookup(url)
            response = await line.request(
                method, url, proxy=proxy, headers=headers, body=body, is_watched=True
            )
            watched.hear()
            try:
                content = await _read(response, longest_body(response.status, line.limits), watched)
            finally:
                response.release()
    return ApiResponse(status=response.status, headers=LowerHeaders(response.headers), body=content)


async def _read(response: aiohttp.ClientResponse, longest: int, watched: Watched) -> bytes:
    packing = response.headers.get("Content-Encoding")
    if packing is None:
        return await _read_plain(response, longest, watched)
    unpacking = Unpacking(packing)
    content = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        watched.hear()
        for piece in unpacking.feed(chunk):
            content += piece
            if len(content) > longest:
                return bytes(content[: longest + 1])
            if len(piece) > _CHUNK:
                await checkpoint()  # a bomb keeps nobody else from running
    unpacking.finish()
    return bytes(content)


async def _read_plain(response: aiohttp.ClientResponse, longest: int, watched: Watched) -> bytes:
    content = await response.content.readany()
    if response.content.at_eof():  # nearly always: it came in one piece
        return content[: longest + 1]
    pieces, size = [content], len(content)
    while size <= longest and (chunk := await response.content.readany()):
        watched.hear()
        pieces.append(chunk)
        size += len(chunk)
    return b"".join(pieces)[: longest + 1]


class _SessionAnswer:
    """What a session gave.

    It also keeps aiohttp's response out of the frames of others: its `repr` is the whole URL.
    """

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers: Mapping[str, str] = lower_headers(response.headers)

    @property
    def is_over(self) -> bool:
        return self._response.content.at_eof()

    async def read(self) -> bytes:
        return await self._response.content.readany()

    def release(self) -> None:
        self._response.release()

    def close(self) -> None:
        self._response.close()
