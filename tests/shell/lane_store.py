"""A store on a bare socket, which sends its answers byte by byte as it is told."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import anyio
from anyio.lowlevel import checkpoint
from attrs import field, mutable
from transports import files

from iceye_derivatives._transport import reading
from iceye_derivatives.models import SignedUrl

KIB = 1024
BODY = bytes(range(256)) * 4096
"""A mebibyte, of which no two neighbours are alike."""
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY)


@mutable
class Store:
    """Answers each request with its pieces, over connections that serve again."""

    url: str = ""
    pieces: list[bytes] = field(factory=lambda: [HEAD, BODY])
    pauses: bool = False
    """Whether the second piece waits for `taken`."""
    taken: anyio.Event = field(factory=anyio.Event)
    closes: bool = False
    resets: bool = False
    connections: int = 0
    requests: list[bytes] = field(factory=list)
    sent: int = 0
    gone: anyio.Event = field(factory=anyio.Event)
    """The other side has hung up."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._hear(reader):
                for number, piece in enumerate(self.pieces):
                    if number and self.pauses:
                        await self.taken.wait()
                    writer.write(piece)
                    await writer.drain()
                    self.sent += len(piece)
                    for _ in range(3):
                        await checkpoint()  # it is read before the next one comes
                if self.closes:
                    break
        except OSError:
            pass
        finally:
            self.gone.set()
            if self.resets:
                line = writer.get_extra_info("socket")
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.close()

    async def _hear(self, reader: asyncio.StreamReader) -> bool:
        try:
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
        except (asyncio.IncompleteReadError, ConnectionError):
            return False
        return True


Got = tuple[int, Mapping[str, str], bytes]


@asynccontextmanager
async def meeting(store: Store, **named: Any) -> AsyncIterator[Callable[..., Awaitable[Got]]]:
    """A store, and what fetches a link there."""
    server = await asyncio.start_server(store.serve, "127.0.0.1", 0)
    store.url = "http://{}:{}".format(*server.sockets[0].getsockname())

    async def fetch(target: str = "/a?Signature=b", **headers: str) -> Got:
        body = b""
        link = SignedUrl(store.url + target)
        async with transport.open_link(link, headers=headers) as response:
            async for chunk in response.chunks():
                body += chunk
                store.taken.set()
        return response.status, response.headers, body

    try:
        async with files(**named) as transport:
            yield fetch
    finally:
        with anyio.CancelScope(shield=True):
            server.close()
            await server.wait_closed()


def cut(whole: bytes, places: list[int]) -> list[bytes]:
    """In pieces, of which none is empty."""
    edges = sorted({0, len(whole), *(place % len(whole) for place in places)})
    return [whole[a:b] for a, b in pairwise(edges)]


OK = b"HTTP/1.1 200 OK\r\n"
AT_ONCE = reading.SCRATCH - len(OK + b"Content-Length: 65536\r\n\r\n")
"""Bytes of a body that come together with its head at most."""
FIVE = b"Content-Length: 5\r\n\r\nhello"
CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"
ANSWERS = {
    "whole": OK + b'Content-Length: 5\r\nETag: "a"\r\n\r\nhello',
    "part": b"HTTP/1.1 206 Partial\r\nContent-Range: bytes 1-2/5\r\ncontent-length: 2\r\n\r\nel",
    "empty": OK + b"Content-Length: 0\r\n\r\n",
    "refused": b"HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\n<no>",
    "chunked": OK + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    "chunked, and long": OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    "to its end": OK + b"\r\nhello",
    "old": b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "last": OK + b"Connection: close\r\n" + FIVE,
    "goes on": b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK + FIVE,
    "packed unasked": OK + b"Content-Encoding: gzip\r\n" + FIVE,
    "packed, to its end": OK + b"Content-Encoding: gzip\r\n\r\nhello",
    "more than it says": OK + b"Content-Length: 3\r\n\r\nhello",
    "empty line behind it": OK + FIVE + b"\r\n",
    "two lengths": OK + b"Content-Length: 5\r\n" + FIVE,
    "two lengths, not alike": OK + b"Content-Length: 6\r\n" + FIVE,
    "odd length": OK + b"Content-Length: +5\r\n\r\nhello",
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "headers twice": OK + b"X-A: 1\r\nx-a: 2\r\n" + FIVE,
    "no http": b"SSH-2.0-OpenSSH\r\n\r\n",
    "half a head": OK + b"Content-Le",
    "half a body": OK + b"Content-Length: 50\r\n\r\nhello",
    "nothing": b"",
    "long header": OK + b"X: " + b"x" * 12_000 + b"\r\n" + FIVE,
    "long header, to its end": OK + b"X: " + b"x" * 12_000 + b"\r\n\r\nhello",
    "too long header": OK + b"X: " + b"x" * 90_000 + b"\r\n" + FIVE,
}
