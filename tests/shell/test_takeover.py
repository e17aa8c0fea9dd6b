"""Do the bytes of a long body come as they would through aiohttp, and is its connection as good?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
from aiohttp.client_proto import ResponseHandler
from anyio.lowlevel import checkpoint
from attrs import field, mutable
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict

from iceye_derivatives._transport import FileTransport, takeover
from iceye_derivatives.errors import NetworkError
from iceye_derivatives.models import SignedUrl
from iceye_derivatives.protocols import LinkResponse

pytestmark = pytest.mark.anyio

BODY = bytes(range(256)) * 4096
"""A mebibyte, of which no two neighbours are alike."""


@mutable
class Store:
    """Sends its pieces as it is told, over connections that serve again."""

    url: str = ""
    pieces: list[bytes] = field(factory=list)
    head: str = "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"
    length: int = len(BODY)
    taken: anyio.Event = field(factory=anyio.Event)
    """The head was read: the rest may come."""
    closes: bool = False
    connections: int = 0
    requests: int = 0
    sent: int = 0
    gone: anyio.Event = field(factory=anyio.Event)
    """The other side has hung up."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._head(reader):
                self.requests += 1
                writer.write(self.head.format(length=self.length).encode() + BODY[:10])
                await self.taken.wait()
                for piece in self.pieces:
                    writer.write(piece)
                    await writer.drain()
                    self.sent += len(piece)
                if self.closes:
                    break
        except OSError:
            pass
        finally:
            self.gone.set()
            writer.close()

    @staticmethod
    async def _head(reader: asyncio.StreamReader) -> bool:
        try:
            await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return False
        return True


@asynccontextmanager
async def meeting(
    store: Store, **named: Any
) -> AsyncIterator[Callable[[], Awaitable[tuple[LinkResponse, list[bytes]]]]]:
    """A store, and what opens a link there and has read its first bytes."""
    server = await asyncio.start_server(store.serve, "127.0.0.1", 0)
    store.url = "http://{}:{}".format(*server.sockets[0].getsockname())
    transport = FileTransport(trust_env=False, **named)
    try:
        yield lambda: _fetch(transport, store)
    finally:
        with anyio.CancelScope(shield=True):
            await transport.aclose()
            server.close()
            await server.wait_closed()


async def _fetch(transport: FileTransport, store: Store) -> tuple[LinkResponse, list[bytes]]:
    got = []
    async with transport.open_link(SignedUrl(store.url), headers={}) as response:
        async for chunk in response.chunks():
            got.append(chunk)
            store.taken.set()
    return response, got


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[takeover.Takeover]:
    """What was taken over."""
    found: list[takeover.Takeover] = []
    lead_to = takeover._Aiohttp.lead_to

    def note(self: takeover._Aiohttp, taker: takeover.Takeover) -> None:
        found.append(taker)
        lead_to(self, taker)
        assert self.protocol._read_timeout_handle is None, "aiohttp hears nothing of the body"

    monkeypatch.setattr(takeover._Aiohttp, "lead_to", note)
    return found


def cut(places: list[int]) -> list[bytes]:
    edges = [10, *sorted(10 + place % (len(BODY) - 10) for place in places), len(BODY)]
    return [BODY[a:b] for a, b in pairwise(edges)]


@given(st.lists(st.integers(0, len(BODY)), max_size=6))
@settings(max_examples=8, deadline=None)
def test_wherever_it_is_cut_every_byte_comes_once_and_the_connection_serves_again(
    places: list[int],
) -> None:
    async def main() -> None:
        store = Store(pieces=cut(places))
        async with meeting(store) as fetch:
            for _ in range(3):
                _, got = await fetch()
                assert b"".join(got) == BODY
        assert (store.connections, store.requests) == (1, 3)

    asyncio.run(main())


async def test_a_long_body_of_known_length_is_taken_over(taken: list[takeover.Takeover]) -> None:
    async with meeting(Store(pieces=cut([]))) as fetch:
        await fetch()
    assert len(taken) == 1


@pytest.mark.parametrize(
    ("head", "length"),
    [
        ("HTTP/1.1 200 OK\r\n\r\n", len(BODY)),
        ("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n", takeover.LONG - 1),
        ("HTTP/1.1 404 Not Found\r\nContent-Length: {length}\r\n\r\n", len(BODY)),
    ],
    ids=["of unknown length", "short", "no file"],
)
async def test_any_other_body_is_left_to_aiohttp(
    head: str, length: int, taken: list[takeover.Takeover]
) -> None:
    async with meeting(
        Store(head=head, length=length, pieces=[BODY[10:length]], closes=True)
    ) as fetch:
        _, got = await fetch()
    assert b"".join(got) == BODY[:length]
    assert not taken


@pytest.mark.parametrize(
    ("headers", "length"),
    [
        ([("Content-Length", "12")], 12),
        ([("Content-Length", "12"), ("Transfer-Encoding", "chunked")], None),
        ([("Content-Length", "12"), ("Content-Length", "12")], None),
        ([("Content-Length", "+12")], None),
        ([], None),
    ],
)
def test_a_length_counts_only_where_it_is_all_that_is_said(
    headers: list[tuple[str, str]], length: int | None
) -> None:
    head: Any = SimpleNamespace(status=206, headers=CIMultiDict(headers))
    assert takeover._plain_length(head) == length


@pytest.mark.parametrize("name", takeover._OF_PROTOCOLS)
async def test_a_connection_that_is_not_as_it_is_known_is_left_to_aiohttp(
    name: str, monkeypatch: pytest.MonkeyPatch, taken: list[takeover.Takeover]
) -> None:
    has = getattr

    def without(thing: object, attribute: str, *default: object) -> object:
        hidden = attribute == name and isinstance(thing, ResponseHandler)
        return None if hidden else has(thing, attribute, *default)

    monkeypatch.setattr(takeover, "getattr", without, raising=False)
    async with meeting(Store(pieces=cut([]))) as fetch:
        _, got = await fetch()
    assert b"".join(got) == BODY
    assert not taken


async def test_a_body_that_breaks_off_is_the_error_that_it_always_was() -> None:
    store = Store(pieces=[BODY[10:500_000]], closes=True)
    async with meeting(store) as fetch:
        with pytest.raises(NetworkError, match="the body broke off"):
            await fetch()


async def test_a_body_that_falls_silent_is_the_error_that_it_always_was() -> None:
    store = Store(pieces=[BODY[10:500_000]])
    async with meeting(store, read_timeout=0.1) as fetch:
        with pytest.raises(NetworkError, match="nothing came within the time allowed"):
            await fetch()
        await store.gone.wait()


@pytest.mark.parametrize("more", [b"H", b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nplanted"])
@pytest.mark.parametrize("apart", [False, True])
async def test_what_comes_behind_the_body_is_nobodys_answer(more: bytes, *, apart: bool) -> None:
    """As with aiohttp: that connection is given up, and the next request gets its own bytes."""
    store = Store(pieces=[BODY[10:], more] if apart else [BODY[10:] + more])
    async with meeting(store) as fetch:
        for _ in range(2):
            _, got = await fetch()
            assert b"".join(got) == BODY
            await store.gone.wait()
            store.gone = anyio.Event()
    assert store.connections == 2


async def test_a_reader_who_takes_his_time_holds_the_line_and_not_the_memory(
    taken: list[takeover.Takeover],
) -> None:
    """What waits in memory is lost with the process, and fetched again."""
    store = Store(length=64 * len(BODY), pieces=[BODY[10:], *[BODY] * 63])
    got = 0
    async with meeting(store) as _:
        transport = FileTransport(trust_env=False)
        async with transport.open_link(SignedUrl(store.url), headers={}) as response:
            chunks = response.chunks()
            got += len(await anext(chunks))
            store.taken.set()
            with anyio.move_on_after(0.2):
                await anyio.sleep_forever()  # the server runs into the full line meanwhile
            assert store.sent < 32 * len(BODY)
            assert taken[0]._held <= 320 * 1024
            async for chunk in chunks:
                got += len(chunk)
        await transport.aclose()
    assert got == store.length


async def test_whoever_leaves_in_the_middle_closes_the_connection() -> None:
    store = Store(pieces=[BODY[10:500_000]])
    async with meeting(store) as _:
        transport = FileTransport(trust_env=False)
        async with transport.open_link(SignedUrl(store.url), headers={}) as response:
            await anext(response.chunks())
        store.taken.set()
        await store.gone.wait()
        await transport.aclose()


async def test_cancelled_while_it_waits_it_leaves_no_connection_in_use() -> None:
    store = Store(pieces=[BODY[10:500_000]])
    async with meeting(store) as fetch:
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as group:
                group.start_soon(fetch)
                await store.taken.wait()
                for _ in range(20):
                    await checkpoint()
                scope.cancel()
        await store.gone.wait()
