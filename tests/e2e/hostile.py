"""A service of this machine that is as hostile as it is told to be: API and store in one socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

import anyio
from anyio.lowlevel import checkpoint
from attrs import field, mutable

from iceye_derivatives import DerivativesClient, StaticToken

__all__ = ["GOOD", "PLANTED", "TASK_ID", "Clock", "Hostile", "answer", "client_of", "hostile"]

TASK_ID = "7fb95g75-6828-5673-c4gd-3d074g77bgb7"
PLANTED = "planted-0f8a"
GOOD = b'{"type":"FeatureCollection","features":[{"type":"Feature","geometry":null}]}'

Pieces = Iterable[bytes] | Callable[[str], Iterable[bytes]]


def answer(
    body: bytes = b"", *headers: str, status: str = "200 OK", length: int | None = -1
) -> bytes:
    """An answer as it goes over the line; `length` None says none, and -1 the true one."""
    lines = [f"HTTP/1.1 {status}", *headers]
    if length is not None:
        lines.append(f"Content-Length: {len(body) if length < 0 else length}")
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1") + body


@mutable
class Hostile:
    """Path → what is sent; what is not here is a task that waits for its derivatives."""

    url: str = ""
    answers: dict[str, list[Pieces]] = field(factory=dict)
    """By the path's end; the last one stays."""
    asked: list[str] = field(factory=list)
    """Heads of all requests."""
    sent: int = 0

    def store(self, *pieces: Pieces) -> None:
        """What the store sends, one after the other."""
        self.answers["/file"] = list(pieces)

    def link(self, path: str = "/file") -> str:
        """A link to the store."""
        return f"{self.url}{path}?Expires=9999999999&Signature={PLANTED}"

    def listing(self) -> bytes:
        """One derivative with one file."""
        asset = {"type": "geojson", "href": self.link()}
        derivative = {"id": "d", "derivativeProductType": "DC_VESSELS", "assets": [asset]}
        return answer(json.dumps({"data": [derivative]}).encode())

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request a connection."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            self.asked.append(head)
            for piece in self._pieces(head):
                writer.write(piece)
                await writer.drain()
                self.sent += len(piece)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _pieces(self, head: str) -> Iterable[bytes]:
        path = head.split(" ", 2)[1].partition("?")[0]
        for end, queue in self.answers.items():
            if path.endswith(end):
                pieces = queue[0] if len(queue) == 1 else queue.pop(0)
                return pieces(head) if callable(pieces) else pieces
        return [self.listing()]


@asynccontextmanager
async def hostile() -> AsyncIterator[Hostile]:
    """Serve on a free port."""
    made = Hostile()
    server = await asyncio.start_server(made.handle, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    made.url = f"http://{host}:{port}"
    try:
        yield made
    finally:
        server.close()
        with anyio.CancelScope(shield=True):
            await server.wait_closed()


@mutable
class Clock:
    """Sleeping moves it; nothing else does."""

    now: float = 1_767_225_600.0

    def time(self) -> float:
        """Unix seconds."""
        return self.now

    async def sleep(self, seconds: float, /) -> None:
        """Let the time pass at once."""
        self.now += seconds
        await checkpoint()


def client_of(server: Hostile, **settings: object) -> DerivativesClient:
    """A client whose API and store are that server."""
    return DerivativesClient(
        base_url=server.url,
        auth=StaticToken("token-of-the-test"),
        rate=1000.0,
        trust_env=False,
        clock=Clock(),
        jitter=lambda: 0.5,
        **settings,  # type: ignore[arg-type]
    )
