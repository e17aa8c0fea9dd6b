"""How does an answer get onto the wire: whole, late, in part or not at all."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from aiohttp import web

from iceye_derivatives.simulator.messages import Answer, Call, Ending

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iceye_derivatives.simulator.recording import RecordedRequest


async def receive(request: web.BaseRequest) -> Call:
    """Read a request to its end."""
    return Call(
        method=request.method,
        # Not `rel_url`: yarl requotes, and a signed link is checked byte for byte.
        target=request.raw_path,
        headers={name.lower(): value for name, value in request.headers.items()},
        body=await request.read(),
    )


async def deliver(
    request: web.BaseRequest,
    answer: Answer,
    *,
    record: RecordedRequest,
    headers: Mapping[str, str],
    closing: asyncio.Event,
) -> web.StreamResponse:
    """Send an answer as its `wire` says, and note in `record` what was sent.

    A stall ends when `closing` is set, or with the client: aiohttp then cancels the handler.
    """
    wire = answer.wire
    if wire.delay:
        await _stall(closing, seconds=wire.delay)
    if not wire.head or closing.is_set():
        _hang_up(request, at_once=True)
        return web.Response()
    response = web.StreamResponse(status=answer.status, headers={**headers, **answer.headers})
    response.content_length = len(answer.body)
    record.status = answer.status
    await response.prepare(request)
    if request.method != "HEAD":
        sent = answer.body[: wire.limit]
        await response.write(sent)
        record.bytes_sent = len(sent)
    if wire.ending is Ending.STALL:
        await _stall(closing, seconds=None)
    if wire.ending is Ending.WHOLE:
        await response.write_eof()
    else:
        _hang_up(request, at_once=False)
    return response


async def _stall(closing: asyncio.Event, *, seconds: float | None) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await closing.wait()


def _hang_up(request: web.BaseRequest, *, at_once: bool) -> None:
    if request.transport is None:
        return
    # Closing sends what is buffered and aborting throws it away: the first bytes of a truncated
    # body are to arrive.
    if at_once:
        request.transport.abort()
    else:
        request.transport.close()
