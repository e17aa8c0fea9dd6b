"""Transports to a server of this machine, and what is asked through them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from anyio.lowlevel import checkpoint
from attrs import field, fields, mutable
from loopback import FakeClock

from iceye_derivatives._core.pace import Pacer
from iceye_derivatives._core.requests import ApiRequest, get_task, list_tasks
from iceye_derivatives._transport import ApiTransport, FileTransport, SessionSettings
from iceye_derivatives.errors import IceyeError
from iceye_derivatives.models import SignedUrl
from iceye_derivatives.protocols import LinkOpener

TASK = get_task("t-1")
LISTING = list_tasks(cursor="planted")
CREATE = ApiRequest(
    operation="createTask",
    method="POST",
    path="/api/tasking/v2/tasks",
    body=b'{"a":1}',
)
# What a signature may look like to a store that is not CloudFront: aiohttp would rewrite it.
QUERY = "?Sig=planted%2Fb%7E&e=%41~*&Key=(x)'+%20"


@mutable
class Keeper:
    """Gives its tokens in order; the last one stays."""

    tokens: list[str] = field(factory=lambda: ["planted-1", "planted-2"])
    rejected: list[str] = field(factory=list)
    error: IceyeError | None = None

    async def get(self) -> str:
        await checkpoint()
        if self.error is not None:
            raise self.error
        return self.tokens[0]

    def reject(self, value: str) -> None:
        self.rejected.append(value)
        if len(self.tokens) > 1:
            self.tokens.pop(0)


_OF_SESSIONS = {field.name for field in fields(SessionSettings)}


def parted(settings: dict[str, Any], **usual: Any) -> dict[str, Any]:
    """Keywords of a transport, where those of its session stand among them."""
    found = {"connect_timeout": 30.0, "trust_env": False, **usual, **settings}
    sessions = SessionSettings(**{name: found.pop(name) for name in _OF_SESSIONS & found.keys()})
    return {"settings": sessions, **found}


@asynccontextmanager
async def api(
    url: str, keeper: Keeper | None = None, **settings: Any
) -> AsyncIterator[ApiTransport]:
    transport = ApiTransport(
        url,
        Keeper() if keeper is None else keeper,
        **{
            "pacer": Pacer(),
            "clock": FakeClock(),
            "jitter": lambda: 0.0,
            **parted(settings, read_timeout=120.0, total_timeout=300.0),
        },
    )
    try:
        yield transport
    finally:
        await transport.aclose()


@asynccontextmanager
async def files(**settings: Any) -> AsyncIterator[FileTransport]:
    transport = FileTransport(**parted(settings, read_timeout=60.0, connections=256))
    try:
        yield transport
    finally:
        await transport.aclose()


async def fetch(transport: LinkOpener, url: str, **headers: str) -> tuple[int, bytes]:
    async with transport.open_link(SignedUrl(url), headers=headers) as response:
        return response.status, b"".join([chunk async for chunk in response.chunks()])


def moved(url: str, status: int = 302) -> web.Response:
    # With a page, as stores send one: an empty body would let go of its connection by itself.
    return web.Response(status=status, headers={"Location": url}, body=b"moved" * 100_000)
