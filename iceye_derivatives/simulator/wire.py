"""How does an answer get onto the wire: whole, late, in part or not at all."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING

from iceye_derivatives.simulator.messages import Answer, Call, Ending

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from aiohttp import web

    from iceye_derivatives.simulator.recording import RecordedRequest

# Pieces of a slow answer come this often, in real seconds.
_BEAT = 0.02


async def receive(request: web.BaseRequest) -> Call:
    """Read a request to its end."""
    return Call(
        method=request.method,
        # As it came: a signed link is checked byte for byte.
        target=request.raw_path,
        headers={name.lower(): value for name, value in request.headers.items()},
        body=await request.read(),
    )


async def deliver(
    request: web.BaseRequest,
    answer: Answer,
    *,
    record: RecordedRequest,
    headers: Callable[[], Mapping[str, str]],
) -> web.StreamResponse:
    """Send an answer as its `wire` says, and note in `record` what was sent.

    A stall ends with the client or with the server: aiohttp then cancels the handler.

    Args:
        request: What is answered.
        answer: With what.
        record: Told of the status and the bytes as they leave.
        headers: Gives what every answer has, at the moment when its headers leave.
    """
    from aiohttp import web  # noqa: PLC0415 (importing the simulator must not import aiohttp)

    wire = answer.wire
    if wire.delay:
        await asyncio.sleep(wire.delay)
    if not wire.head:
        _hang_up(request)
        return web.Response()
    response = web.StreamResponse(status=answer.status, headers={**headers(), **answer.headers})
    # Without a length aiohttp sends chunks, or to HTTP/1.0 until it closes.
    if not wire.filler:
        response.content_length = len(answer.body) if wire.length is None else wire.length
    record.status = answer.status
    await response.prepare(request)
    if request.method != "HEAD":
        await _send(response, answer, record)
    await _end(request, response, answer)
    return response


async def _send(response: web.StreamResponse, answer: Answer, record: RecordedRequest) -> None:
    for piece in _pieces(answer):
        await response.write(piece)
        record.bytes_sent += len(piece)
        if answer.wire.rate is not None:
            await asyncio.sleep(len(piece) / answer.wire.rate)


def _pieces(answer: Answer) -> Iterator[bytes]:
    wire, body = answer.wire, answer.body[: answer.wire.limit]
    step = len(body) if wire.rate is None else max(1, int(wire.rate * _BEAT))
    for start in range(0, len(body), step or 1):
        yield body[start : start + step]
    if wire.filler:
        # In pieces of a size that costs little, whatever the filler's own.
        filler = wire.filler * (1 + 65_536 // len(wire.filler))
        for left in range(wire.size - len(body), 0, -len(filler)):
            yield filler[:left]


async def _end(request: web.BaseRequest, response: web.StreamResponse, answer: Answer) -> None:
    wire = answer.wire
    if wire.ending is Ending.WHOLE:
        await response.write_eof()
        return
    if wire.surplus and request.transport is not None and request.method != "HEAD":
        # Past aiohttp, which keeps to what HTTP allows.
        request.transport.write(wire.surplus)
    if wire.ending is Ending.STALL:
        await asyncio.Event().wait()
    if wire.ending is Ending.RESET:
        await _reset(request)
    _hang_up(request)


async def _reset(request: web.BaseRequest) -> None:
    """Close with RST; what was sent before is to arrive."""
    if (transport := request.transport) is None:
        return
    while transport.get_write_buffer_size() and not transport.is_closing():  # noqa: ASYNC110 (a transport has no event for it)
        await asyncio.sleep(0.001)
    # To linger for no time is how a socket says RST instead of FIN.
    transport.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
    )
    transport.abort()


def _hang_up(request: web.BaseRequest) -> None:
    # Closing sends what is still buffered, unlike aborting: the first bytes of a truncated body
    # are to arrive.
    if request.transport is not None:
        request.transport.close()
