"""How does an answer get onto the wire: whole, late, in part or not at all."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

from iceye_derivatives.simulator.messages import Answer, Call, Ending

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from iceye_derivatives.simulator.recording import RecordedRequest


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
    wire = answer.wire
    if wire.delay:
        await asyncio.sleep(wire.delay)
    if not wire.head:
        _hang_up(request)
        return web.Response()
    response = web.StreamResponse(status=answer.status, headers={**headers(), **answer.headers})
    response.content_length = len(answer.body)
    record.status = answer.status
    await response.prepare(request)
    if request.method != "HEAD":
        sent = answer.body[: wire.limit]
        await response.write(sent)
        record.bytes_sent = len(sent)
    if wire.ending is Ending.WHOLE:
        await response.write_eof()
        return response
    if wire.ending is Ending.STALL:
        await asyncio.Event().wait()
    _hang_up(request)
    return response


def _hang_up(request: web.BaseRequest) -> None:
    # Closing sends what is still buffered, unlike aborting: the first bytes of a truncated body
    # are to arrive.
    if request.transport is not None:
        request.transport.close()
