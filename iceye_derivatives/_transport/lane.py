"""How does a GET go straight over one of aiohttp's connections, without all that a session does?

For each request a session looks after cookies, redirects, traces, timers and unpacking, none of
which a signed link has a use for, and hands each piece of a body through a parser and two queues:
more than half of what a small file cost, and a third of a long one.  Here the request is written as
it is, and of a plain answer, one whose body says how long it is and comes as it is, nothing is left
to be understood behind its head.

Whom to connect to, the pool, its limits, TLS, proxies and the reading of heads stay aiohttp's.  Any
other answer is given to aiohttp's own protocol from its first byte on, and where aiohttp is not as
it is known here, the session is asked as ever.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from contextlib import suppress
from inspect import signature
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import HttpResponseParser, RawResponseMessage
from aiohttp.http_exceptions import BadHttpMessage
from attrs import field, frozen
from yarl import URL

from iceye_derivatives._transport.headers import lower_headers

if TYPE_CHECKING:
    from aiohttp.connector import Connection

    from iceye_derivatives._transport.watchdog import Watchdog

__all__ = ["Lane", "Lanes", "Reading"]

PIECE: Final = 256 * 1024
"""Bytes that come at a time at most: as many as a loop reads at once, from TLS too."""
_HIGH: Final = 128 * 1024
"""Bytes that wait for their reader before the line is stopped; it goes on when all are taken.

With the piece that comes last these are 384 KiB: what a killed process loses is counted on that.
"""
_UNCLEAN: Final = 3
"""Connections with something left over that are given up, before that is called a failure: a server
may speak unasked on each that is made."""
_ORIGINS: Final = 32
"""How many stores are remembered: a run has one, or two."""

_PLAIN = frozenset({200, 206})
# 0 is no answer yet, and behind 101 comes no other one.
_INTERIM = frozenset({0, *range(100, 200)}) - {101}
_HEAD_ENDS = b"\r\n\r\n"
_ORIGIN = re.compile(r"https?://[^/?#]+")
# No file has more digits of bytes, and `int()` refuses thousands of them.
_LENGTH = re.compile(r"[0-9]{1,18}")

# What is used of a connection, by names that have no underscore and have not changed since aiohttp
# 3.12.  uvloop's transports are not of asyncio's classes.
_OF_TRANSPORTS = ("set_protocol", "get_protocol", "write", "pause_reading", "resume_reading")
_OF_PROTOCOLS = ("set_response_params", "data_received", "read", "connection_lost", "exception")


@frozen(kw_only=True)
class Reading:
    """How answers are read."""

    watchdog: Watchdog
    ahead: int
    """Bytes that wait in aiohttp's own reader, twice at most."""
    header_bytes: int
    """Of one header, and of the status line."""
    scratch: memoryview = field(init=False, factory=lambda: memoryview(bytearray(PIECE)))
    """Where bytes come to, of all lanes of a loop: each piece is copied out of it before the loop
    reads anything else.  Another loop, in another thread, reads at the same time."""

    def parser(self, protocol: ResponseHandler) -> HttpResponseParser:
        """Aiohttp's own, for one head: what follows is none of its business."""
        return HttpResponseParser(
            protocol,
            asyncio.get_running_loop(),
            self.ahead,
            max_line_size=self.header_bytes,
            max_field_size=self.header_bytes,
            response_with_body=False,
            auto_decompress=False,
        )


@frozen
class _Store:
    """What is the same for all requests to one origin."""

    origin: str
    request: aiohttp.ClientRequest = field(repr=False)
    """Whom to connect to, as aiohttp sees it."""
    headers: Mapping[str, str] = field(repr=False)

    def ask(self, url: str, headers: Mapping[str, str]) -> bytes:
        """One GET as it goes over the line; ValueError where it would be more than one.

        What a link is signed with is plain text here, and in no frame that waits for anything.
        """
        # Byte for byte; what stands behind "#" is never sent.
        target = url[len(self.origin) :].partition("#")[0]
        if not target.startswith("/"):
            target = f"/{target}"
        lines = [f"{name}: {value}" for name, value in {**self.headers, **headers}.items()]
        request = "\r\n".join([f"GET {target} HTTP/1.1", *lines, "", ""])
        ends = len(lines) + 2
        if (request.count("\r"), request.count("\n"), request.count("\0")) != (ends, ends, 0):
            raise ValueError("a header with the end of a line in it")
        return request.encode("latin-1")


class _Seen(Exception):  # noqa: N818 - no error: the way out of a session that shall not send
    """What aiohttp would ask with was seen."""


class Lanes:
    """The GETs of one session of ours."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        settings: Mapping[str, Any],
        reading: Reading,
    ) -> None:
        self._session = session
        self._connector = session.connector
        self._settings = settings
        self._reading = reading
        self._fits = _fits(self._connector, reading)
        """Whether aiohttp is as it is known here."""
        self._is_tried = False
        """Whether a connection was looked at: they are all alike."""
        self._stores: dict[tuple[str, str | None], _Store] = {}

    async def get(self, url: str, proxy: str | None, headers: Mapping[str, str]) -> Lane | None:
        """The answer, whose body is still on the line; None where the session must be asked.

        Raises whatever aiohttp does.
        """
        origin = _ORIGIN.match(url)
        # A proxy that is asked without TLS is no tunnel: it wants the whole URL, and its password.
        tunnels = proxy is None or url.startswith("https:")
        if origin is None or not tunnels or not self._fits:
            return None
        store = self._stores.get((origin[0], proxy)) or await self._see(origin[0], proxy)
        try:
            return await self._exchange(store, url, headers)
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
            # Once, as aiohttp does: a store may close a connection just when it is used again.
            return await self._exchange(store, url, headers)

    async def _see(self, origin: str, proxy: str | None) -> _Store:
        """Have the session make a request, and keep what does not depend on the link."""
        seen: list[aiohttp.ClientRequest] = []

        async def see(request: aiohttp.ClientRequest, _: object) -> aiohttp.ClientResponse:
            seen.append(request)
            raise _Seen

        with suppress(_Seen):
            await self._session.get(
                URL(f"{origin}/", encoded=True), proxy=proxy, middlewares=(see,), **self._settings
            )
        if len(self._stores) >= _ORIGINS:
            self._stores.clear()
        store = _Store(
            origin, seen[0], {str(name): value for name, value in seen[0].headers.items()}
        )
        self._stores[origin, proxy] = store
        return store

    async def _exchange(self, store: _Store, url: str, headers: Mapping[str, str]) -> Lane | None:
        connection = await self._connect(store)
        if not self._is_tried:
            self._is_tried, self._fits = True, _is_known(connection)
        if not self._fits:
            connection.release()
            return None
        lane = Lane(connection, self._reading)
        try:
            lane.send(store.ask(url, headers))
            await lane.begin()
        except BaseException:
            lane.close()
            raise
        return lane

    async def _connect(self, store: _Store) -> Connection:
        assert self._connector is not None  # noqa: S101 - `_fits`
        timeout = self._settings["timeout"]
        failure: aiohttp.ClientError = aiohttp.ServerDisconnectedError()
        try:
            for _ in range(_UNCLEAN):
                connection = await self._connector.connect(store.request, [], timeout)
                protocol = connection.protocol
                if protocol is None or not protocol.should_close:
                    return connection
                connection.close()  # something came unasked, and could pass for the next answer
        except TimeoutError:
            failure = aiohttp.ConnectionTimeoutError("Connection timeout")
        raise failure


class Lane(asyncio.BufferedProtocol):
    """One exchange: what comes over its connection comes here, until the body is over."""

    __slots__ = (
        *("_connection", "_content", "_held", "_is_lost", "_is_overrun", "_is_stopped", "_keeps"),
        *("_left", "_pieces", "_protocol", "_reading", "_transport", "_waiter"),
        *("headers", "status"),
    )

    def __init__(self, connection: Connection, reading: Reading) -> None:
        assert connection.protocol is not None  # noqa: S101 - `_is_known`
        assert connection.transport is not None  # noqa: S101 - the same
        self._connection: Connection | None = connection
        self._protocol = connection.protocol
        self._transport = connection.transport
        self._reading = reading
        self._pieces: list[bytes] = []
        self._held = 0
        self._left: int | None = None
        """Bytes of a plain body that did not come yet; None before its head was read."""
        self._is_overrun = False
        """Whether more came than the body has."""
        self._content: aiohttp.StreamReader | None = None
        """Where aiohttp puts what is not plain."""
        self._keeps = True
        self._waiter: asyncio.Future[None] | None = None
        self._is_stopped = self._is_lost = False
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self._transport.set_protocol(self)

    def send(self, request: bytes) -> None:
        """Send it; what comes from now on is its answer."""
        self._transport.write(request)

    async def begin(self) -> None:
        """Return when the head of the answer is there; raises what aiohttp would."""
        await self._wait()
        if self.status:
            return
        if self._is_lost:
            raise self._protocol.exception() or aiohttp.ServerDisconnectedError
        while self.status in _INTERIM:
            with self._reading.watchdog.watch():
                message, self._content = await self._protocol.read()
            self.status, self.headers = message.code, lower_headers(message.headers)

    @property
    def is_over(self) -> bool:
        """Whether the body has been read to its end."""
        if self._content is not None:
            return self._content.at_eof()
        return not self._left and not self._pieces and not self._is_overrun

    async def read(self) -> bytes:
        """The next bytes, some at a time, and none at the end; raises what aiohttp would."""
        if self._content is not None:
            with self._reading.watchdog.watch():
                return await self._content.readany()
        if not self._pieces and self._left and not self._is_lost:
            await self._wait()
        if not self._pieces:
            if self._is_overrun:
                raise BadHttpMessage("More came than was announced")
            if self._left:
                raise aiohttp.ClientPayloadError("The body broke off")
            return b""
        piece = self._pieces.pop(0)
        self._held -= len(piece)
        if self._is_stopped and not self._pieces:
            self._is_stopped = False
            self._transport.resume_reading()
        return piece

    def release(self) -> None:
        """The answer is needed no more: its connection serves again, if the body is over."""
        if self._content is None:
            self.close()
        elif self._connection is not None:
            self._connection.release()  # aiohttp closes it where the body is not over
            self._connection = None

    def close(self) -> None:
        """Close the connection, unless it was given back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # -- called by the transport -------------------------------------------------------------------

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the transport's guess
        """Where the next bytes go: one more than the body has, since there should be none."""
        scratch = self._reading.scratch
        return scratch if self._left is None else scratch[: self._left + 1]

    def buffer_updated(self, nbytes: int) -> None:
        """So many have come."""
        data = bytes(self._reading.scratch[:nbytes])
        if self._left is not None:
            self._take(data)
        elif not self._begin(data):
            self._hand_over(data)
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """The one whose connection it is says what that means for an answer that did not begin."""
        self._is_lost = True
        self._protocol.connection_lost(exc)
        self._wake()

    def _begin(self, data: bytes) -> bool:
        """Whether a plain body begins here: what came of it is taken then."""
        end = data.find(_HEAD_ENDS) + len(_HEAD_ENDS)
        if end < len(_HEAD_ENDS):
            return False  # a head that comes in pieces is rare
        try:
            [(message, _)], _, _ = self._reading.parser(self._protocol).feed_data(data[:end])
        except Exception:  # noqa: BLE001 - aiohttp hears it again, and says what is wrong with it
            return False
        length = _plain_length(message)
        if length is None:
            return False
        self.status, self.headers = message.code, lower_headers(message.headers)
        self._keeps = not message.should_close
        self._left = length
        self._take(data[end:])
        return True

    def _take(self, data: bytes) -> None:
        assert self._left is not None  # noqa: S101 - the head was read
        piece = data[: self._left]  # no copy where it is all
        if piece:
            self._pieces.append(piece)
        self._held += len(piece)
        self._left -= len(piece)
        if len(piece) < len(data):
            self._overrun(data[len(piece) :])
        elif not self._left:
            self._give_back()
        elif self._held >= _HIGH and not self._is_stopped:
            self._is_stopped = True
            self._transport.pause_reading()

    def _overrun(self, surplus: bytes) -> None:
        """What comes unasked could pass for the next answer, and what it follows is no file.

        An empty line behind a body means nothing; but it must be all that there is to see.
        """
        if surplus != b"\r\n":
            self._is_overrun = True
            self._pieces.clear()
        self.close()

    def _give_back(self) -> None:
        """The body is over, and the connection serves again: at once, and not when it was read."""
        if self._connection is not None and self._keeps:
            self._transport.set_protocol(self._protocol)
            self._connection.release()
            self._connection = None
        else:
            self.close()

    def _hand_over(self, data: bytes) -> None:
        """From here on it is aiohttp that reads."""
        self._protocol.set_response_params(
            read_until_eof=True,
            auto_decompress=False,
            read_bufsize=self._reading.ahead,
            max_line_size=self._reading.header_bytes,
            max_field_size=self._reading.header_bytes,
        )
        self._transport.set_protocol(self._protocol)
        self._protocol.data_received(data)

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            with self._reading.watchdog.watch():
                await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def _plain_length(message: RawResponseMessage) -> int | None:
    """How long the body is, where that is all that one must know of it."""
    if message.code not in _PLAIN or "Transfer-Encoding" in message.headers:
        return None
    lengths = message.headers.getall("Content-Length", [])
    found = _LENGTH.fullmatch(lengths[0]) if len(lengths) == 1 else None
    return None if found is None else int(found[0])


def _fits(connector: aiohttp.BaseConnector | None, reading: Reading) -> bool:
    """Whether aiohttp connects, and reads heads, as it is known here."""
    if connector is None or not hasattr(aiohttp, "ClientMiddlewareType"):
        return False
    try:
        signature(connector.connect).bind("request", traces=[], timeout="timeout")
        parser = reading.parser(ResponseHandler(asyncio.get_running_loop()))
        [(message, _)], _, left = parser.feed_data(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n")
    except (AttributeError, TypeError, ValueError):
        return False
    return not left and _plain_length(message) == 7  # noqa: PLR2004 - as it says above


def _is_known(connection: Connection) -> bool:
    """Whether a connection has what is used of it."""
    protocol, transport = connection.protocol, connection.transport
    return (
        transport is not None
        and all(callable(getattr(transport, name, None)) for name in _OF_TRANSPORTS)
        and all(callable(getattr(protocol, name, None)) for name in _OF_PROTOCOLS)
        and transport.get_protocol() is protocol
    )
