"""How does one answer come over a connection of aiohttp's, without a parser for its body?

A session hands each piece of a body through a parser and two queues, which is a third of what a
long body costs.  A plain answer says how long its body is and sends it as it is, so that nothing
behind its head has to be parsed: its bytes are received straight into a buffer.

Heads are still read by aiohttp's parser.  An answer that is not plain is given to aiohttp's own
protocol, from its first byte on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

import aiohttp
from aiohttp.http_exceptions import BadHttpMessage

from iceye_derivatives._core.lengths import stated_length
from iceye_derivatives._transport.basin import Basin
from iceye_derivatives._transport.connection import Channel
from iceye_derivatives._transport.headers import lower_headers
from iceye_derivatives._transport.reading import SCRATCH, Reading

__all__ = ["Lane", "plain_length"]

_WHOLE: Final = 640 * 1024
"""A body of up to so many bytes is handed out in one piece: a file of that size is held in memory
anyway."""
_STEP: Final = 320 * 1024
"""Bytes of a longer body that are handed out at a time.  While so many wait for their reader, no
more are received.  What a killed process can lose is reckoned from that."""
_BEHIND: Final = 3
"""Bytes that are received behind a long body: an empty line, which means nothing, and one byte that
shows whether there is more than that."""

_PLAIN = frozenset({200, 206})
# 0 is no answer yet, and behind 101 comes no other one.
_INTERIM = frozenset({0, *range(100, 200)}) - {101}
_HEAD_ENDS = b"\r\n\r\n"


class Lane(asyncio.BufferedProtocol):
    """One exchange: it receives what comes over its connection, until the body is over.

    Then `rest` takes the connection.  Until another lane receives from it, this one does: if
    anything comes unasked, it closes the connection.
    """

    __slots__ = (
        *("_basin", "_channel", "_content", "_has_begun", "_is_held", "_is_lost", "_is_overrun"),
        *("_is_stopped", "_keeps", "_left", "_reading", "_rest", "_step", "_waiter", "_whole"),
        *("begun", "headers", "heard", "loop", "status"),
    )

    def __init__(self, channel: Channel, rest: Callable[[Channel], None], reading: Reading) -> None:
        self._channel = channel
        self._is_held = True
        """Whether we still have the connection."""
        self._rest = rest
        self._reading = reading
        self._whole = b""
        """The body, where all of it came together with its head."""
        self._basin: Basin | None = None
        """What came of a longer body and was not read yet."""
        self._step = _STEP
        self._left: int | None = None
        """Bytes of a plain body that are still to come; None before its head was read."""
        self._is_overrun = False
        """Whether more came than the body has."""
        self._content: aiohttp.StreamReader | None = None
        """Where aiohttp puts the body of an answer that is not plain."""
        self._keeps = True
        self._waiter: asyncio.Future[None] | None = None
        self._has_begun = self._is_stopped = self._is_lost = False
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.loop: asyncio.AbstractEventLoop | None = None
        self.begun = self.heard = 0.0
        channel.transport.set_protocol(self)

    def send(self, request: bytes) -> None:
        """Send it; what comes from now on is its answer."""
        self._channel.transport.write(request)

    async def begin(self) -> None:
        """Return when the head of the answer is there; raises what aiohttp would."""
        await self._more()
        self._has_begun = True
        if self.status:
            return
        if self._is_lost:
            raise self._channel.protocol.exception() or aiohttp.ServerDisconnectedError
        while self.status in _INTERIM:
            with self._reading.watchdog.watch():
                message, self._content = await self._channel.protocol.read()
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
            self._channel.transport.resume_reading()
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
        self._whole, self._basin = (
            b"",
            None,
        )  # an idle connection keeps us alive, and nobody reads them
        if self._content is None:
            self.close()
        elif self._is_held:
            self._is_held = False
            self._channel.connection.release()  # aiohttp closes it where the body is not over

    def close(self) -> None:
        """Close the connection, unless it was given back."""
        if self._is_held:
            self._is_held = False
            self._channel.connection.close()

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
            self._channel.transport.close()  # unasked, it could pass for the next answer
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
        """Tell aiohttp's protocol, which knows what it means for an answer that did not begin."""
        self._is_lost = True
        if self._basin is not None:
            self._basin.call_back()
        self._channel.protocol.connection_lost(exc)
        self._wake()

    def _begin(self, nbytes: int) -> bool:
        """Read the head; False where it is not that of a plain answer, or is not all there."""
        end = self._reading.room.find(_HEAD_ENDS, 0, nbytes) + len(_HEAD_ENDS)
        if end < len(_HEAD_ENDS):
            return False  # in several pieces: rare enough to leave it to aiohttp
        head = bytes(self._reading.scratch[:end])
        try:
            [(message, _)], _, _ = self._reading.parser(self._channel.protocol).feed_data(head)
        except Exception:  # noqa: BLE001 - aiohttp gets the same bytes, and says what is wrong
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
        """Take the bytes behind the head: mostly the whole body, which then needs no buffer."""
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
        """A buffer for the next piece; for the last one, with room for what should not follow."""
        return Basin(left + _BEHIND if left <= self._step else _STEP)

    def _fill(self, nbytes: int) -> None:
        """Bytes were received into the basin."""
        basin, left = self._basin, self._left
        assert basin is not None  # noqa: S101 - they were put there
        assert left is not None  # noqa: S101 - the head was read
        basin.filled += nbytes
        self._left = max(0, left - nbytes)
        if not self._left:
            self._end(basin.cut(basin.filled + left - nbytes))
        elif basin.filled == basin.size:
            self._is_stopped = True
            self._channel.transport.pause_reading()

    def _end(self, surplus: bytes) -> None:
        """The body is over: hand the connection on now, and not when the body has been read.

        If more came than the body has, the connection is closed, as that could pass for the next
        answer, and the body is no file.  Only an empty line behind it means nothing.
        """
        if surplus and surplus != b"\r\n":
            self._is_overrun = True
            self._whole, self._basin = b"", None
        if surplus or not self._keeps:
            self.close()
        else:
            self._is_held = False
            self._rest(self._channel)

    def _hand_over(self, data: bytes) -> None:
        """Let aiohttp read from here on."""
        protocol = self._channel.protocol
        protocol.set_response_params(
            read_until_eof=True,
            auto_decompress=False,
            read_bufsize=self._reading.ahead,
            max_line_size=self._reading.header_bytes,
            max_field_size=self._reading.header_bytes,
        )
        self._channel.transport.set_protocol(protocol)
        protocol.data_received(data)

    # -- waiting -----------------------------------------------------------------------------------

    def _more(self) -> asyncio.Future[None]:
        """Done when something has come, the connection has ended, or nothing came for too long."""
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
