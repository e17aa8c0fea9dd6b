"""How is a request made whose whole answer is wanted at once, as of the API and for a token?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from anyio.lowlevel import checkpoint

from iceye_derivatives._core.responses import ApiResponse, longest_body
from iceye_derivatives._transport.failures import failures, network_error
from iceye_derivatives._transport.headers import LowerHeaders
from iceye_derivatives._transport.session import LazySession
from iceye_derivatives._transport.unpacking import Unpacking
from iceye_derivatives._transport.watchdog import Watched

if TYPE_CHECKING:
    import aiohttp

__all__ = ["exchange"]

_CHUNK = 1 << 16


async def exchange(
    session: LazySession,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None = None,
) -> ApiResponse:
    """One request and its whole answer, of whatever status.

    `headers` are sent as they are, and should accept no other coding than `PACKING`.  A body above
    its ceiling is cut off just behind that, so that its reader can tell.

    Raises:
        NetworkError: no answer came, or half of one.
    """
    try:
        return await _exchange(session, method, url, headers, body)
    except failures() as error:
        failure = network_error(error, url)
    raise failure


async def _exchange(
    session: LazySession, method: str, url: str, headers: Mapping[str, str], body: bytes | None
) -> ApiResponse:
    """Apart, so that no frame of a traceback holds aiohttp's response, whose `repr` tells all."""
    async with session.slots:
        with session.watchdog.watch() as watched:
            proxy = await session.proxies.lookup(url)
            response = await session.request(
                method, url, proxy=proxy, headers=headers, body=body, is_watched=True
            )
            watched.hear()
            try:
                content = await _read(
                    response, longest_body(response.status, session.limits), watched
                )
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
