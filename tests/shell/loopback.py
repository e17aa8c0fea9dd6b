"""A server of this machine that answers as it is told and remembers what it was asked."""

from __future__ import annotations

import asyncio
import pickle
import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.lowlevel
from aiohttp import web
from attrs import field, frozen, mutable

import iceye_derivatives

Answer = web.StreamResponse | Callable[[web.Request], Awaitable[web.StreamResponse]]


@frozen(kw_only=True)
class Seen:
    """A request as it came over the line."""

    method: str
    target: str
    """The request line's own bytes, nothing normalised."""
    headers: dict[str, str]
    """By lower-case name."""
    body: bytes
    peer: object
    """The connection it came by."""


@mutable
class Loopback:
    """Each request gets the next answer; the last one stays."""

    url: str
    answers: list[Answer] = field(factory=list)
    seen: list[Seen] = field(factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Remember, then answer."""
        peer = request.transport.get_extra_info("peername") if request.transport else None
        self.seen.append(
            Seen(
                method=request.method,
                target=request.raw_path,
                headers={name.lower(): value for name, value in request.headers.items()},
                body=await request.read(),
                peer=peer,
            )
        )
        answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        if not isinstance(answer, web.StreamResponse):
            return await answer(request)
        # A response can be sent once, and the last answer may be asked for again.
        assert isinstance(answer, web.Response)
        return web.Response(status=answer.status, headers=answer.headers.copy(), body=answer.body)


@asynccontextmanager
async def serving(*answers: Answer) -> AsyncGenerator[Loopback, None]:
    """A real HTTP server on a free port."""
    server = Loopback("", list(answers))
    runner = web.ServerRunner(web.Server(server.handle, access_log=None), shutdown_timeout=0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0]
        server.url = f"http://{host}:{port}"
        yield server
    finally:
        with anyio.CancelScope(shield=True):
            await runner.cleanup()


@asynccontextmanager
async def raw_serving(answer: bytes | None) -> AsyncGenerator[str, None]:
    """Something that listens and is no good server: those bytes and the end; None: silence."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1 << 16)
        if answer is None:
            await reader.read(1)  # until the other side gives up
        else:
            writer.write(answer)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}"
    finally:
        server.close()
        with anyio.CancelScope(shield=True):
            await server.wait_closed()


@mutable
class FakeClock:
    """Sleeping moves it; nothing else does."""

    now: float = 1_767_225_600.0
    slept: list[float] = field(factory=list)

    def time(self) -> float:
        """Unix seconds."""
        return self.now

    async def sleep(self, seconds: float, /) -> None:
        """Let the time pass at once."""
        self.slept.append(seconds)
        self.now += seconds
        await anyio.lowlevel.checkpoint()


def library_locals(error: BaseException) -> str:
    """What stands in the frames of the library, as error trackers print it."""
    whole = traceback.TracebackException.from_exception(error, capture_locals=True)
    root = str(Path(iceye_derivatives.__file__).parent)
    return "".join(
        f"{frame.name} {frame.locals}\n" for frame in whole.stack if frame.filename.startswith(root)
    )


def everything(error: BaseException) -> str:
    """All that a log, a person, another process or an error tracker may see of an error."""
    shown = "".join(traceback.format_exception(error))
    return f"{shown}{error!r}{vars(error)}{pickle.dumps(error)!r}{library_locals(error)}"
