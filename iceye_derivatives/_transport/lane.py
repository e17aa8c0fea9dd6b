"""How does one answer come over a connection of aiohttp's, without a parser for its body?

For each request a session hands each piece of a body through a parser and two queues, which is a
third of what a long one costs.  Here, of a plain answer, one whose body says how long it is and
comes as it is, nothing is left to be understood behind its head.

The reading of heads stays aiohttp's.  Any other answer is given to aiohttp's own protocol from its
first byte on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

import aiohttp
from aiohttp.http_exceptions import BadHttpMessage

from iceye_derivatives._core.lengths import stated_length
from iceye_derivatives._transport.basin import Basin
from iceye_derivatives._transport.connection import Wire
from iceye_derivatives._transport.headers import lower_headers
from iceye_derivatives._transport.reading import SCRATCH, Reading

__all__ = ["Lane", "plain_length"]

_WHOLE: Final = 640 * 1024
"""A body of up to so many bytes comes in one piece: as many as are held in memory anyway, before a
file is written bit by bit."""
_STEP: Final = 320 * 1024
"""Bytes of a longer body that come in one piece, and that wait for their reader before the line is
stopped.  What a killed process loses is counted on that."""
_BEHIND: Final = 3
"""Bytes that are looked at behind a long body: an empty line, and one that shows that there is more
than that."""

_PLAIN = frozenset({200, 206})
# 0 is no answer yet, and behind 101 comes no other one.
_INTERIM = frozenset({0, *range(100, 200)}) - {101}
_HEAD_ENDS = b"\r\n\r\n"


class Lane(asyncio.BufferedProtocol):
    """One exchange: what comes over its connection comes here, until the body is over.

    Then `rest` takes the connection.  Until somebody else listens to it, whatever comes unasked
    comes here as well, and closes it.
    """

    __slots__ = (
        *("_basin", "_content", "_has_begun", "_is_held", "_is_lost", "_is_overrun", "_is_stopped"),
        *("_keeps", "_left", "_reading", "_rest", "_step", "_waiter", "_whole", "_wire"),
        *("begun", "headers", "heard", "loop", "status"),
    )

    def __init__(self, wire: Wire, rest: Callable[[Wire], None], reading: Reading) -> None:
        self._wire = wire
        self._is_held = True
        """Whether its connection is ours."""
        self._rest = rest
        self._reading = reading
        self._whole = b""
        """The body, where it came together with its head."""
        self._basin: Basin | None = None
        """What came of a longer one and was not read."""
        self._step = _STEP
        self._left: int | None = None
        """Bytes of a plain body that did not come yet; None before its head was read."""
        self._is_overrun = False
        """Whether more came than the body has."""
        self._content: aiohttp.StreamReader | None = None
        """Where aiohttp puts what is not plain."""
        self._keeps = True
        self._waiter: asyncio.Future[None] | None = None
        self._has_begun = self._is_stopped = self._is_lost = False
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.loop: asyncio.AbstractEventLoop | None = None
        self.begun = self.heard = 0.0
        wire.transport.set_protocol(self)

    def send(self, request: bytes) -> None:
        """Send it; what comes from now on is its answer."""
        self._wire.transport.write(request)

    async def begin(self) -> None:
        """Return when the head of the answer is there; raises what aiohttp would."""
        await self._more()
        self._has_begun = True
        if self.status:
            return
        if self._is_lost:
            raise self._wire.protocol.exception() or aiohttp.ServerDisconnectedError
        while self.status in _INTERIM:
            with self._reading.watchdog.watch():
                message, self._content = await self._wire.protocol.read()
            self.status, self.headers = message.code, lower_headers(message.headers)

    @property
    def is_over(self) -> bool:
        """Whether the body has been read to its end."""
        if self._content is not None:
            return self._content.at_eof()
        return not (self._left or self._whole or self._basin or self._is_overrun)

    async def read(self) -> bytes:
        """The next bytes, as many as one step has, and none at the end; raises what aiohttp would.

        Fewer where the line is slow, or has ended.
        """
        if self._content is not None:
            with self._reading.watchdog.watch():
                return await self._content.readany()
        if self._left and not self._is_stopped and not self._is_lost:
            await self._more()
        whole, self._whole = self._whole, b""
        basin, self._basin = self._basin, None
        if self._is_stopped:
            self._is_stopped = False
            self._wire.transport.resume_reading()
        if whole:
            return whole
        if basin is not None and basin.filled:
            return basin.take()
        if self._is_overrun:
            raise BadHttpMessage("More came than was announced")
        if self._left:
            raise aiohttp.ClientPayloadError("The body broke off")
        return b""

    def release(self) -> None:
        """The answer is needed no more: its connection serves again, if the body is over."""
        self._whole, self._basin = b"", None  # a connection at hand keeps us, but nobody reads them
        if self._content is None:
            self.close()
        elif self._is_held:
            self._is_held = False
            self._wire.connection.release()  # aiohttp closes it where the body is not over

    def close(self) -> None:
        """Close the connection, unless it was given back."""
        if self._is_held:
            self._is_held = False
            self._wire.connection.close()

    # -- called by the transport -------------------------------------------------------------------

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the transport's guess
        """Where the next bytes go."""
        if not self._left:
            return self._reading.scratch
        if self._basin is None:
            self._basin = self._dig(self._left)
        return self._basin.lend()

    def buffer_updated(self, nbytes: int) -> None:
        """So many have come."""
        if not self._is_held:
            self._wire.transport.close()  # unasked, it could pass for the next answer
            return
        if self._left is not None:
            self._fill(nbytes)
        elif not self._begin(nbytes):
            self._hand_over(bytes(self._reading.scratch[:nbytes]))
        if not self._left or self._is_stopped:
            self._wake()
        elif self._waiter is not None:
            self._reading.linger(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The one whose connection it is says what that means for an answer that did not begin."""
        self._is_lost = True
        if self._basin is not None:
            self._basin.call_back()
        self._wire.protocol.connection_lost(exc)
        self._wake()

    def _begin(self, nbytes: int) -> bool:
        """Whether a plain body begins here: what came of it is taken then."""
        end = self._reading.room.find(_HEAD_ENDS, 0, nbytes) + len(_HEAD_ENDS)
        if end < len(_HEAD_ENDS):
            return False  # a head that comes in pieces is rare
        head = bytes(self._reading.scratch[:end])
        try:
            [(message, _)], _, _ = self._reading.parser(self._wire.protocol).feed_data(head)
        except Exception:  # noqa: BLE001 - aiohttp hears it again, and says what is wrong with it
            return False
        headers = lower_headers(message.headers)
        length = plain_length(message.code, headers)
        if length is None:
            return False
        if nbytes == SCRATCH == end + length + 1 and self._reading.room.endswith(b"\r"):
            return False  # this may be half an empty line, and each try would end alike
        self.status, self.headers = message.code, headers
        self._keeps = not message.should_close
        self._left = length
        if length <= _WHOLE:
            self._step = _WHOLE
        self._open(self._reading.scratch[end:nbytes])
        return True

    def _open(self, data: memoryview) -> None:
        """What came behind the head: mostly all of it, and then it needs no room of its own."""
        assert self._left is not None  # noqa: S101 - the head was read
        if len(data) < self._left:
            self._basin = self._dig(self._left)
            self._basin.put(data)
            self._left -= len(data)
            return
        left, self._left = self._left, 0
        self._whole = bytes(data[:left])
        self._end(bytes(data[left:]) if len(data) > left else b"")

    def _dig(self, left: int) -> Basin:
        """Room for the next piece, and behind the last one for what should not be there."""
        return Basin(left + _BEHIND if left <= self._step else _STEP)

    def _fill(self, nbytes: int) -> None:
        """Bytes have come into the basin."""
        basin, left = self._basin, self._left
        assert basin is not None  # noqa: S101 - they were put there
        assert left is not None  # noqa: S101 - the head was read
        basin.filled += nbytes
        self._left = max(0, left - nbytes)
        if not self._left:
            self._end(basin.cut(basin.filled + left - nbytes))
        elif basin.filled == basin.size:
            self._is_stopped = True
            self._wire.transport.pause_reading()

    def _end(self, surplus: bytes) -> None:
        """The body is over, and the connection serves again: at once, and not when it was read.

        What comes unasked could pass for the next answer, and what it follows is no file.  An empty
        line behind a body means nothing; but it must be all that there is to see.
        """
        if surplus and surplus != b"\r\n":
            self._is_overrun = True
            self._whole, self._basin = b"", None
        if surplus or not self._keeps:
            self.close()
        else:
            self._is_held = False
            self._rest(self._wire)

    def _hand_over(self, data: bytes) -> None:
        """From here on it is aiohttp that reads."""
        protocol = self._wire.protocol
        protocol.set_response_params(
            read_until_eof=True,
            auto_decompress=False,
            read_bufsize=self._reading.ahead,
            max_line_size=self._reading.header_bytes,
            max_field_size=self._reading.header_bytes,
        )
        self._wire.transport.set_protocol(protocol)
        protocol.data_received(data)

    # -- waiting -----------------------------------------------------------------------------------

    def _more(self) -> asyncio.Future[None]:
        """Ends when something has come, or the line has, or when nothing came for too long."""
        loop = self._reading.loop
        waiter = self._waiter = loop.create_future()
        self._reading.watchdog.enter(self, loop)
        if self._basin is not None and self._basin.filled:
            self._reading.linger(self)
        return waiter

    def hand_out(self) -> None:
        """A moment has passed: whoever waits gets what is there."""
        if not self._has_begun or (self._basin is not None and self._basin.filled):
            self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            self._reading.watchdog.leave(self)
            if not waiter.done():
                waiter.set_result(None)

    def end(self, error: TimeoutError) -> None:
        """Nothing came for too long."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)


def plain_length(status: int, headers: Mapping[str, str]) -> int | None:
    """How long the body is, where that is all that one must know of it; headers in lower case."""
    if status not in _PLAIN or "transfer-encoding" in headers:
        return None
    return stated_length(headers.get("content-length", ""))  # two of them are no number
