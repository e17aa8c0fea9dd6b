"""A line that is narrow and counts: what goes through it was fetched, byte for byte."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

PIECE = 64 * 1024
PAUSE = 0.006
"""Seconds between two pieces: slow enough that next to nothing waits in buffers of the kernel."""


class NarrowLine:
    """Forwards one request a connection to a server on this machine."""

    def __init__(self) -> None:
        self.fetched: Counter[str] = Counter()
        """Bytes of bodies by path."""
        self.open: set[str] = set()
        """Paths whose bodies are on the line."""
        self.base_url = ""

    @asynccontextmanager
    async def to(self, base_url: str) -> AsyncIterator[NarrowLine]:
        """Listen as long as the context lasts."""
        target = urlsplit(base_url)

        async def serve(inward: asyncio.StreamReader, outward: asyncio.StreamWriter) -> None:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._forward(inward, outward, target.hostname or "", target.port or 0)
            outward.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        self.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
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
