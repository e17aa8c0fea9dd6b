"""A line that is narrow and counts: what went through it may have been fetched, and no more."""

from __future__ import annotations

import asyncio
import re
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

PIECE = 64 * 1024
PAUSE = 0.006
"""Seconds between two pieces: slow enough that next to nothing waits in buffers of the kernel."""
BUFFER = 64 * 1024
"""Bytes that wait in the kernel on our side of it: a busy machine may leave the reader no time."""


class NarrowLine:
    """Forwards one request a connection to a server on this machine."""

    def __init__(self) -> None:
        self.fetched: Counter[str] = Counter()
        """Bytes of bodies by path, with what is still on its way."""
        self.open: set[str] = set()
        """Paths whose bodies are on the line."""
        self.base_url, self.port = "", 0

    @asynccontextmanager
    async def to(self, base_url: str) -> AsyncIterator[NarrowLine]:
        """Listen as long as the context lasts."""
        target = urlsplit(base_url)

        async def serve(inward: asyncio.StreamReader, outward: asyncio.StreamWriter) -> None:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._forward(inward, outward, target.hostname or "", target.port or 0)
            outward.close()

        listener = socket.create_server(("127.0.0.1", 0))
        # Its connections inherit it.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        server = await asyncio.start_server(serve, sock=listener)
        self.port = server.sockets[0].getsockname()[1]
        self.base_url = f"http://127.0.0.1:{self.port}"
        async with server:
            yield self

    async def _forward(
        self, inward: asyncio.StreamReader, outward: asyncio.StreamWriter, host: str, port: int
    ) -> None:
        head = await inward.readuntil(b"\r\n\r\n")
        path = head.split(b" ", 2)[1].partition(b"?")[0].decode()
        reader, writer = await asyncio.open_connection(host, port)
        self.open.add(path)
        try:
            writer.write(
                re.sub(rb"\r\nConnection:[^\r]*", b"", head[:-2]) + b"Connection: close\r\n\r\n"
            )
            outward.write(await reader.readuntil(b"\r\n\r\n"))
            while piece := await reader.read(PIECE):
                outward.write(piece)
                await outward.drain()
                self.fetched[path] += len(piece)
                await asyncio.sleep(PAUSE)
        finally:
            self.open.discard(path)
            writer.close()
