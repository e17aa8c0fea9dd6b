"""How do the bytes of a long body reach us without passing through aiohttp?

aiohttp copies each piece of a body several times and wakes a timer with each, which is a third of
what a long file costs.  Of a plain body, one that says how long it is and comes as it is, nothing
is left to be understood: so once the head is read, the transport's bytes are led to a protocol of
our own (`asyncio.BaseTransport.set_protocol`), and behind the last of them back to aiohttp's, whose
connection then serves again.  What is used of aiohttp's inside is in `_Aiohttp` alone, and where
any of it is not as it should be, the body is read the usual way.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import aiohttp
    from aiohttp.client_proto import ResponseHandler

    from iceye_derivatives._transport.watchdog import Watchdog

__all__ = ["reader"]

LONG: Final = 64 * 1024
"""Bytes still to come from which on it is worth while."""
PIECE: Final = 128 * 1024
"""Bytes that come at a time at most."""
_HIGH: Final = 192 * 1024
"""Bytes that wait for their reader before the line is stopped; it goes on when all are taken.

With the piece that comes last these are 320 KiB: what a killed process loses is counted on that.
"""

# No file has more digits of bytes, and `int()` refuses thousands of them.
_LENGTH = re.compile(r"[0-9]{1,18}")
# One for all: each piece is copied out of it before anything else is read.
_scratch: Final = memoryview(bytearray(PIECE))


def reader(response: aiohttp.ClientResponse, watchdog: Watchdog) -> Callable[[], Awaitable[bytes]]:
    """What gives the next bytes of a body, some at a time, and none at its end."""
    connection = _Aiohttp.of(response)
    length = _plain_length(response)
    if connection is None or length is None or length < LONG:
        return response.content.readany
    early = connection.read_what_came()
    left = length - sum(map(len, early))
    if left < LONG or not connection.is_reading():
        return _Again(early, response.content.readany).read
    return Takeover(connection, early, left, watchdog).read


def _plain_length(response: aiohttp.ClientResponse) -> int | None:
    """How long the body is, where that is all that one must know of it."""
    if response.status not in {200, 206} or "Transfer-Encoding" in response.headers:
        return None
    lengths = response.headers.getall("Content-Length", [])
    found = _LENGTH.fullmatch(lengths[0]) if len(lengths) == 1 else None
    return None if found is None else int(found[0])


class _Aiohttp:
    """All that is known here of aiohttp's inside: names without an underscore since 3.12."""

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        transport: asyncio.Transport,
        protocol: ResponseHandler,
    ) -> None:
        self._content = response.content
        self.transport = transport
        self.protocol = protocol

    @classmethod
    def of(cls, response: aiohttp.ClientResponse) -> _Aiohttp | None:
        """None where the body has ended, or where the connection is not as it is known."""
        connection = response.connection
        protocol = None if connection is None else connection.protocol
        transport = None if connection is None else connection.transport
        if (
            transport is None
            or protocol is None
            or not all(callable(getattr(transport, name, None)) for name in _OF_TRANSPORTS)
            or not all(callable(getattr(protocol, name, None)) for name in _OF_PROTOCOLS)
            or transport.is_closing()
            or transport.get_protocol() is not protocol
        ):
            return None
        return cls(response, transport, protocol)

    def read_what_came(self) -> list[bytes]:
        """What the parser had given out by now; with that, aiohttp holds nothing more back."""
        pieces = []
        while piece := self._content.read_nowait():
            pieces.append(piece)
        return pieces

    def is_reading(self) -> bool:
        """Whether what comes next comes from the line: not from what the parser put off."""
        return self.transport.is_reading()

    def lead_to(self, taker: asyncio.BufferedProtocol) -> None:
        """From now on, bytes go there, and aiohttp's own timer of silence is off."""
        self.protocol.read_timeout = None
        self.protocol.start_timeout()
        self.transport.set_protocol(taker)

    def give_back(self) -> None:
        """The body is over, and the connection serves again.

        Each request gets a parser of its own; until then the one of this body is there, which takes
        whatever comes for an error, and closes.
        """
        self.transport.set_protocol(self.protocol)
        self._content.feed_eof()  # now the response lets its connection go

    def failure(self) -> BaseException:
        """Why the body broke off."""
        import aiohttp  # noqa: PLC0415 - importing the library must not import aiohttp

        return self._content.exception() or aiohttp.ClientPayloadError("The body broke off")


# uvloop's transports are not of asyncio's classes.
_OF_TRANSPORTS = (
    *("set_protocol", "get_protocol", "is_closing", "close"),
    *("is_reading", "pause_reading", "resume_reading"),
)
_OF_PROTOCOLS = ("start_timeout", "eof_received", "connection_lost")


class _Again:
    """What was read already, and then the rest."""

    def __init__(self, early: list[bytes], rest: Callable[[], Awaitable[bytes]]) -> None:
        self._early = early[::-1]
        self._rest = rest

    async def read(self) -> bytes:
        return self._early.pop() if self._early else await self._rest()


class Takeover(asyncio.BufferedProtocol):
    """The body of one response, of so many bytes."""

    def __init__(
        self, connection: _Aiohttp, early: list[bytes], left: int, watchdog: Watchdog
    ) -> None:
        self._connection = connection
        self._pieces = deque(early)
        self._held = sum(map(len, early))
        self._left = left
        self._watchdog = watchdog
        self._waiter: asyncio.Future[None] | None = None
        self._is_stopped = self._is_lost = False
        connection.lead_to(self)

    async def read(self) -> bytes:
        """The next piece; raises what aiohttp would."""
        if not self._pieces and self._left and not self._is_lost:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                with self._watchdog.watch():
                    await self._waiter
            finally:
                self._waiter = None
        if not self._pieces:
            if self._left:
                raise self._connection.failure()
            return b""
        piece = self._pieces.popleft()
        self._held -= len(piece)
        if self._is_stopped and not self._pieces:
            self._is_stopped = False
            self._connection.transport.resume_reading()
        return piece

    # -- called by the transport -------------------------------------------------------------------

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the transport's guess
        """Where the next bytes go: one more than the body has, since there should be none."""
        return _scratch[: self._left + 1]

    def buffer_updated(self, nbytes: int) -> None:
        """So many have come."""
        size = min(nbytes, self._left)
        if size:
            self._pieces.append(bytes(_scratch[:size]))
        self._held += size
        self._left -= size
        if size < nbytes:
            self._connection.transport.close()  # what comes unasked could pass for the next answer
        elif not self._left:
            self._connection.give_back()
        elif self._held >= _HIGH and not self._is_stopped:
            self._is_stopped = True
            self._connection.transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """The other side sends no more."""
        self._connection.protocol.eof_received()

    def connection_lost(self, exc: BaseException | None) -> None:
        """The one whose connection it is says what that means for a body that is not whole."""
        self._is_lost = True
        self._connection.protocol.connection_lost(exc)
        self._wake()

    def pause_writing(self) -> None:
        """Not ours: the request is aiohttp's."""
        self._connection.protocol.pause_writing()

    def resume_writing(self) -> None:
        """Not ours, either."""
        self._connection.protocol.resume_writing()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
