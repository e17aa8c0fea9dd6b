"""Does what comes straight over the line come as it would through a session of aiohttp's?"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from itertools import pairwise, product
from typing import Any

import anyio
import pytest
from aiohttp import TCPConnector
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import HttpResponseParser
from anyio.lowlevel import checkpoint
from attrs import field, mutable
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict

from iceye_derivatives._transport import FileTransport, lane, lanes, session
from iceye_derivatives._transport.basin import Basin
from iceye_derivatives._transport.headers import lower_headers
from iceye_derivatives._transport.watchdog import Watchdog
from iceye_derivatives.errors import NetworkError
from iceye_derivatives.models import SignedUrl

pytestmark = pytest.mark.anyio

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
    transport = FileTransport(trust_env=False, **named)

    async def fetch(target: str = "/a?Signature=b", **headers: str) -> Got:
        body = b""
        link = SignedUrl(store.url + target)
        async with transport.open_link(link, headers=headers) as response:
            async for chunk in response.chunks():
                body += chunk
                store.taken.set()
        return response.status, response.headers, body

    try:
        yield fetch
    finally:
        with anyio.CancelScope(shield=True):
            await transport.aclose()
            server.close()
            await server.wait_closed()


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[lane.Lane]:
    """All that were made."""
    found: list[lane.Lane] = []

    class Noted(lane.Lane):
        def __init__(self, *arguments: Any) -> None:
            found.append(self)
            super().__init__(*arguments)

    monkeypatch.setattr(lanes, "Lane", Noted)
    return found


@pytest.fixture
def dogs(monkeypatch: pytest.MonkeyPatch) -> list[Watchdog]:
    """All that were made."""
    found: list[Watchdog] = []

    class Noted(Watchdog):
        def __init__(self, **named: Any) -> None:
            found.append(self)
            super().__init__(**named)

    monkeypatch.setattr(session, "Watchdog", Noted)
    return found


@pytest.fixture
def by_session(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Call it, and aiohttp is not as it is known."""
    return lambda: monkeypatch.setattr(lanes, "_fits", lambda *_: False)


def cut(whole: bytes, places: list[int]) -> list[bytes]:
    """In pieces, of which none is empty."""
    edges = sorted({0, len(whole), *(place % len(whole) for place in places)})
    return [whole[a:b] for a, b in pairwise(edges)]


# -- the same as through a session -----------------------------------------------------------------


KIB = 1024


@pytest.mark.parametrize("edge", [0, 64 * KIB - len(HEAD), 320 * KIB, 640 * KIB, 960 * KIB])
@pytest.mark.parametrize("more", [0, 1, 2])
async def test_a_body_that_is_held_in_memory_comes_in_one_piece_and_a_longer_one_in_equal_ones(
    edge: int, more: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "_MOMENT", 1e6)
    body = BODY[: edge + more]
    store = Store(pieces=[b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body])
    async with meeting(store) as _:
        transport = FileTransport(trust_env=False)
        step = 640 * KIB if len(body) <= 640 * KIB else 320 * KIB
        equal = [min(step, len(body) - start) for start in range(0, len(body), step)]
        for _ in range(2):
            with anyio.fail_after(20):
                async with transport.open_link(SignedUrl(store.url), headers={}) as response:
                    pieces = [chunk async for chunk in response.chunks()]
            assert b"".join(pieces) == body
            assert [*map(len, pieces)] == equal
        assert store.connections == 1
        await transport.aclose()


async def test_a_head_without_a_body_is_not_kept_until_that_comes() -> None:
    store = Store(pieces=[HEAD, BODY], pauses=True)
    async with meeting(store) as _:
        transport = FileTransport(trust_env=False)
        with anyio.fail_after(20):
            async with transport.open_link(SignedUrl(store.url), headers={}) as response:
                assert response.status == 200
                store.taken.set()
                assert b"".join([chunk async for chunk in response.chunks()]) == BODY
        await transport.aclose()


async def test_bytes_that_came_while_nobody_asked_are_not_kept_until_more_come() -> None:
    """The line is slow, or has stopped."""
    store = Store(pieces=[HEAD + BODY[:1000], BODY[1000:2000]], pauses=True)
    async with meeting(store) as _:
        transport = FileTransport(trust_env=False)
        async with transport.open_link(SignedUrl(store.url), headers={}) as response:
            chunks = response.chunks()
            with anyio.fail_after(20):
                assert await anext(chunks) == BODY[:1000]
                store.taken.set()
                while store.sent < len(HEAD) + 2000:
                    await checkpoint()
                for _ in range(20):
                    await checkpoint()
                assert await anext(chunks) == BODY[1000:2000]
        await transport.aclose()


@given(st.lists(st.integers(0, 2 * len(HEAD)) | st.integers(0, len(BODY)), max_size=6))
@settings(max_examples=12, deadline=None)
def test_wherever_it_is_cut_every_byte_comes_once_and_the_connection_serves_again(
    places: list[int],
) -> None:
    async def main() -> None:
        store = Store(pieces=cut(HEAD + BODY, places))
        async with meeting(store) as fetch:
            for _ in range(3):
                status, _, body = await fetch()
                assert (status, body) == (200, BODY)
        assert (store.connections, len(store.requests)) == (1, 3)

    asyncio.run(main())


OK = b"HTTP/1.1 200 OK\r\n"
AT_ONCE = lane.SCRATCH - len(OK + b"Content-Length: 65536\r\n\r\n")
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


@pytest.mark.parametrize("resets", [False, True])
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
async def test_each_answer_is_what_it_is_through_a_session(
    answer: bytes, by_session: Callable[[], None], *, resets: bool
) -> None:
    async def outcome() -> tuple[object, int]:
        store = Store(pieces=[answer], closes=True, resets=resets)
        try:
            async with meeting(store) as fetch:
                return await fetch(), len(store.requests)
        except NetworkError as error:
            return f"{error}".replace(store.url.removeprefix("http://"), "store"), len(
                store.requests
            )

    straight = await outcome()
    by_session()
    assert straight == await outcome()


LINKS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=40).map(
    lambda text: f"/{text}"
)


@given(LINKS | LINKS.map(lambda link: f"?{link}") | st.just(""), st.booleans())
@settings(max_examples=40, deadline=None)
def test_each_request_is_to_the_byte_what_a_session_sends(target: str, resumes: bool) -> None:
    """But for the order of its headers, which means nothing."""
    headers = {"Range": "bytes=5-", "If-Range": '"a"'} if resumes else {}

    async def asked() -> list[bytes]:
        store = Store(pieces=[ANSWERS["empty"]])
        async with meeting(store) as fetch:
            try:
                await fetch(target, **headers)
            except ValueError:  # no link to follow
                return b""
            [request] = store.requests
            line, *lines = request.replace(store.url.removeprefix("http://").encode(), b"").split(
                b"\r\n"
            )
            return [line, *sorted(lines)]

    straight = asyncio.run(asked())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lanes, "_fits", lambda *_: False)
        assert straight == asyncio.run(asked())


@pytest.mark.parametrize(
    ("headers", "length"),
    [
        ([("Content-Length", "12")], 12),
        ([("Content-Length", "12"), ("Transfer-Encoding", "chunked")], None),
        ([("Content-Length", "12"), ("Content-Length", "12")], None),
        ([("Content-Length", "+12")], None),
        ([("Content-Length", "١٢")], None),
        ([("Content-Length", "9" * 19)], None),
        ([], None),
    ],
)
def test_a_length_counts_only_where_it_is_all_that_is_said(
    headers: list[tuple[str, str]], length: int | None
) -> None:
    assert lane.plain_length(206, lower_headers(CIMultiDict(headers))) == length


# -- who goes which way ----------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["whole", "part", "empty"])
async def test_a_plain_body_passes_no_parser(answer: str, made: list[lane.Lane]) -> None:
    async with meeting(Store(pieces=[ANSWERS[answer]])) as fetch:
        await fetch()
    assert [one._content for one in made] == [None]


@pytest.mark.parametrize("name", lanes._OF_PROTOCOLS)
async def test_a_connection_that_is_not_as_it_is_known_is_left_to_aiohttp(
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    made: list[lane.Lane],
    connects: list[object],
) -> None:
    has = getattr

    def without(thing: object, attribute: str, *default: object) -> object:
        hidden = attribute == name and isinstance(thing, ResponseHandler)
        return None if hidden else has(thing, attribute, *default)

    monkeypatch.setattr(lanes, "getattr", without, raising=False)
    store = Store()
    async with meeting(store) as fetch:
        for _ in range(2):
            assert (await fetch())[2] == BODY
    assert not made
    assert len(connects) == 3  # one was looked at
    assert store.connections == 1


class OtherConnector(TCPConnector):
    async def connect(self, request: Any) -> Any:  # type: ignore[override]
        raise AssertionError(request)


class OtherParser(HttpResponseParser):
    def feed_data(self, data: bytes) -> Any:
        return super().feed_data(data)[:2]


@pytest.mark.parametrize(
    ("where", "name", "other"),
    [
        (lanes.aiohttp, "ClientMiddlewareType", None),
        (lane, "HttpResponseParser", lambda *_: None),
        (lane, "HttpResponseParser", OtherParser),
        (TCPConnector, "connect", OtherConnector.connect),
    ],
)
def test_an_aiohttp_that_is_not_as_it_is_known_is_asked_as_ever(
    where: Any, name: str, other: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def verdict() -> bool:
        async with TCPConnector() as connector:
            reading: Any = lane.Reading(watchdog=None, ahead=1, header_bytes=100)  # type: ignore[arg-type]
            return lanes._fits(connector, reading)

    assert asyncio.run(verdict())
    if other is None:
        monkeypatch.delattr(where, name)
    else:
        monkeypatch.setattr(where, name, other)
    assert not asyncio.run(verdict())


async def test_a_loop_that_reads_before_it_asks_for_room_is_left_to_the_session(
    made: list[lane.Lane], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As that of Windows does, whose reads are longer than what is left in a room."""
    monkeypatch.setattr(asyncio, "ProactorEventLoop", asyncio.AbstractEventLoop, raising=False)
    async with meeting(Store(pieces=[ANSWERS["whole"]])) as fetch:
        assert (await fetch())[0] == 200
    assert not made


async def test_a_header_that_is_two_is_never_sent() -> None:
    store = Store()
    async with meeting(store) as fetch:
        with pytest.raises(NetworkError):
            await fetch(Range="bytes=1-\r\nX-Forwarded-For: 10.0.0.1")
    assert not store.requests


async def test_a_link_that_is_two_lines_is_never_sent() -> None:
    """Whoever opens links refuses it before; here, it must not be what everything hangs on."""
    store = Store()
    async with meeting(store) as _:
        transport = FileTransport(trust_env=False)
        with pytest.raises(ValueError, match="end of a line"):
            await transport._line.get(
                f"{store.url}/a HTTP/1.1\r\nX: y", proxy=None, headers={}, ahead=1
            )
        await transport.aclose()
    assert not store.requests


async def test_of_many_stores_few_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """And connections that are at hand to the others are aiohttp's again."""
    monkeypatch.setattr(lanes, "_ORIGINS", 1)
    stores = Store(pieces=[ANSWERS["whole"]]), Store(pieces=[ANSWERS["whole"]])
    async with meeting(stores[0]) as _, meeting(stores[1]) as _:
        transport = FileTransport(trust_env=False)
        for store in (*stores, *stores):
            async with transport.open_link(SignedUrl(store.url), headers={}):
                pass
        assert [store.connections for store in stores] == [1, 1]
        found: Any = transport._line._lanes
        assert [*found._stores] == [(stores[1].url, None)]
        await transport.aclose()


# -- connections at hand ---------------------------------------------------------------------------


@pytest.fixture
def connects(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Each time that aiohttp's pool was asked; and nothing at hand is given back by time."""
    asked: list[object] = []
    connect = TCPConnector.connect

    async def counted(*arguments: Any, **named: Any) -> Any:
        asked.append(arguments)
        return await connect(*arguments, **named)

    monkeypatch.setattr(TCPConnector, "connect", counted)
    monkeypatch.setattr(lanes, "_AT_HAND", 1e6)
    return asked


async def test_one_file_after_the_other_the_pool_is_asked_once(connects: list[object]) -> None:
    store = Store()
    async with meeting(store) as fetch:
        for _ in range(3):
            assert (await fetch())[2] == BODY
    assert (len(connects), store.connections) == (1, 1)


async def test_whoever_must_connect_is_not_kept_from_it_by_connections_at_hand(
    connects: list[object],
) -> None:
    """One may be open at a time: the one at hand goes back to the pool, which closes it."""
    stores = Store(), Store()
    async with meeting(stores[0]) as _, meeting(stores[1]) as _:
        transport = FileTransport(trust_env=False, connections=1)
        with anyio.fail_after(20):
            for store in (*stores, *stores):
                async with transport.open_link(SignedUrl(store.url), headers={}) as response:
                    assert b"".join([chunk async for chunk in response.chunks()]) == BODY
        await transport.aclose()
    assert len(connects) == 4


@pytest.mark.parametrize("through", [None, "http://store.invalid/a"])
async def test_whoever_waits_in_the_pool_gets_the_next_connection(
    through: str | None, connects: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a session waits there."""
    first, second = Store(pauses=True), Store()
    async with meeting(first) as _, meeting(second) as _:
        monkeypatch.setenv("http_proxy", second.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        transport = FileTransport(connections=1, allow_http=True)

        async def fetch(url: str) -> None:
            async with transport.open_link(SignedUrl(url), headers={}) as response:
                assert b"".join([chunk async for chunk in response.chunks()]) == BODY

        with anyio.fail_after(20):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(fetch, first.url)
                while not first.sent:
                    await checkpoint()
                tasks.start_soon(fetch, through or second.url)
                while len(connects) < 2:
                    await checkpoint()
                first.taken.set()
        await transport.aclose()


async def test_a_store_that_is_forgotten_while_a_file_comes_keeps_no_connection(
    connects: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "_ORIGINS", 1)
    first, second = Store(pauses=True), Store()
    async with meeting(first) as _, meeting(second) as _:
        transport = FileTransport(trust_env=False)
        async with transport.open_link(SignedUrl(first.url), headers={}) as response:
            async with transport.open_link(SignedUrl(second.url), headers={}) as other:
                assert b"".join([chunk async for chunk in other.chunks()]) == BODY
            first.taken.set()
            assert b"".join([chunk async for chunk in response.chunks()]) == BODY
        found: Any = transport._line._lanes
        found._let_go(all_of_them=True)
        assert not found._connector._acquired
        await transport.aclose()
    assert len(connects) == 2


async def test_a_link_leads_to_the_store_that_it_names() -> None:
    """And not to one whose name begins alike, or through another proxy."""
    store = Store(pieces=[ANSWERS["empty"]])
    async with meeting(store) as _:
        transport = FileTransport(trust_env=False)
        async with transport.open_link(SignedUrl(store.url), headers={}):
            pass
        found: Any = transport._line._lanes
        assert found._latest.has(f"{store.url}/a", None)
        for other in ("0/a", "@store.invalid/a", ".invalid/a", "?a", ""):
            assert not found._latest.has(store.url + other, None)
        assert not found._latest.has(f"{store.url}/a", "http://proxy.invalid")
        await transport.aclose()


async def test_what_must_go_through_a_session_is_not_kept_from_it_either(
    connects: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As plain http through a proxy: the pool is the same."""
    store, proxy = Store(), Store()
    async with meeting(store) as _, meeting(proxy) as _:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        transport = FileTransport(connections=1, allow_http=True)
        with anyio.fail_after(20):
            for url in (store.url, "http://store.invalid/a", store.url, "http://store.invalid/a"):
                async with transport.open_link(SignedUrl(url), headers={}) as response:
                    assert b"".join([chunk async for chunk in response.chunks()]) == BODY
        await transport.aclose()
    assert [len(one.requests) for one in (store, proxy)] == [2, 2]


async def test_what_nobody_has_wanted_for_a_while_is_given_back(connects: list[object]) -> None:
    store = Store()
    async with meeting(store) as _:
        transport = FileTransport(trust_env=False)

        async def fetch_one() -> None:
            async with transport.open_link(SignedUrl(store.url), headers={}) as response:
                assert b"".join([chunk async for chunk in response.chunks()]) == BODY

        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(fetch_one)
        await fetch_one()  # while others were made it went back, and this one is at hand
        found: Any = transport._line._lanes
        used = len(connects)
        for _ in range(3):
            found._look()
            await fetch_one()
        assert len(connects) == used
        for _ in range(2):
            assert found._timer is not None
            found._timer.cancel()
            found._look()
        assert found._timer is None
        await fetch_one()
        assert (len(connects), store.connections) == (used + 1, 3)
        timer = found._timer
        await transport.aclose()
        assert timer.cancelled()


@pytest.mark.parametrize("length", [5, 500_000])
async def test_a_body_that_nobody_reads_is_not_kept_with_its_connection(
    length: int, made: list[lane.Lane]
) -> None:
    store = Store(pieces=[OK + b"Content-Length: %d\r\n\r\n" % length + BODY[:length]])
    async with meeting(store) as _:
        transport = FileTransport(trust_env=False)
        for _ in range(2):
            async with transport.open_link(SignedUrl(store.url), headers={}):
                pass
        assert store.connections == 1
        assert [(one._whole, one._basin) for one in made] == [(b"", None)] * 2
        await transport.aclose()


async def test_headers_that_change_are_sent_as_they_are_each_time() -> None:
    store = Store(pieces=[ANSWERS["empty"]])
    async with meeting(store) as fetch:
        for headers in ({}, {"Range": "bytes=5-"}, {"Range": "bytes=7-"}, {}):
            await fetch(**headers)
    asked = [re.findall(rb"Range: (.*)\r\n", request) for request in store.requests]
    assert asked == [[], [b"bytes=5-"], [b"bytes=7-"], []]


# -- when it goes wrong ----------------------------------------------------------------------------


async def test_a_connection_that_the_store_closed_meanwhile_is_asked_anew_once() -> None:
    store = Store(pieces=[ANSWERS["whole"]], closes=True)
    async with meeting(store) as fetch:
        for _ in range(3):
            assert (await fetch())[2] == b"hello"
    assert len(store.requests) == 3


@pytest.mark.parametrize("answer", ["last", "old"])
async def test_a_connection_that_shall_serve_no_more_does_not(answer: str) -> None:
    store = Store(pieces=[ANSWERS[answer]])
    async with meeting(store) as fetch:
        for _ in range(2):
            await fetch()
    assert store.connections == 2


async def test_a_body_that_breaks_off_is_the_error_that_it_always_was() -> None:
    store = Store(pieces=[HEAD, BODY[:500_000]], closes=True)
    async with meeting(store) as fetch:
        with pytest.raises(NetworkError, match="the body broke off"):
            await fetch()


async def test_an_error_keeps_nobody_looking_into_a_body_that_was_reset(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It holds the frames of the loop's own read, and with them what was lent to that."""
    dug: list[Basin] = []
    errors: list[Exception | None] = []

    class NotedBasin(Basin):
        __slots__ = ()

        def __init__(self, size: int) -> None:
            dug.append(self)
            super().__init__(size)

    class NotedLane(lane.Lane):
        def connection_lost(self, exc: Exception | None) -> None:
            errors.append(exc)
            super().connection_lost(exc)

    monkeypatch.setattr(lane, "Basin", NotedBasin)
    monkeypatch.setattr(lanes, "Lane", NotedLane)
    store = Store(pieces=[HEAD + BODY[:1000], b""], pauses=True, resets=True, closes=True)
    async with meeting(store) as fetch:
        with pytest.raises(NetworkError, match="the body broke off"):
            await fetch()
    assert [*map(type, errors)] == [ConnectionResetError]
    assert len(dug) == 2  # what was read, and what nothing came to
    for basin in dug:
        basin._kept.close()  # raises where somebody looks into it


@pytest.mark.parametrize("pieces", [[], [HEAD[:9]], [HEAD], [HEAD, BODY[:9]], [OK, b"\r\nhello"]])
async def test_whoever_falls_silent_is_the_error_that_he_always_was(pieces: list[bytes]) -> None:
    store = Store(pieces=pieces)
    async with meeting(store, read_timeout=0.1) as fetch:
        with pytest.raises(NetworkError, match="nothing came within the time allowed"):
            await fetch()
        await store.gone.wait()


@pytest.mark.parametrize("more", [b"H", ANSWERS["whole"]])
async def test_what_comes_later_than_a_body_is_nobodys_answer(more: bytes) -> None:
    """That connection is given up, and the next request gets its own bytes."""
    store = Store(pieces=[ANSWERS["whole"], more])
    async with meeting(store) as fetch:
        for number in range(2):
            assert (await fetch())[2] == b"hello"
            while store.sent < (number + 1) * len(b"".join(store.pieces)):
                await checkpoint()
            for _ in range(20):
                await checkpoint()  # what was sent reaches this side, and lies there
    assert store.connections == 2


@pytest.mark.parametrize(
    ("more", "length"),
    [
        *product(
            [b"H", ANSWERS["whole"], b"}", b"\r\n}", b"\n", b"\r}"],
            [5, AT_ONCE - 3, 100 * KIB, 320 * KIB, 640 * KIB],
        ),
        *product([b"}", b"\n"], [AT_ONCE - 1]),  # of two bytes the second would not be seen
    ],
)
async def test_a_body_with_more_behind_it_is_none(more: bytes, length: int) -> None:
    """Whoever counts wrong may have cut the file off; it is asked for again.

    No byte of it is handed out: all of them could pass for the file.
    """
    head = OK + b"Content-Length: %d\r\n\r\n" % length
    store = Store(pieces=[head + BODY[:length] + more])
    async with meeting(store) as _:
        transport = FileTransport(trust_env=False)
        for _ in range(2):
            async with transport.open_link(SignedUrl(store.url), headers={}) as response:
                chunks = response.chunks()
                with pytest.raises(NetworkError, match="what came is no HTTP answer"):
                    await anext(chunks)
        await transport.aclose()
    assert store.connections == 2


@pytest.mark.parametrize("more", [b"}", b"\r\n}"])
async def test_a_long_body_with_more_behind_it_does_not_come_to_its_end(more: bytes) -> None:
    """The pieces before the last one are out by then; that one is not handed out."""
    store = Store(pieces=[HEAD + BODY + more])
    got = b""
    async with meeting(store) as _:
        transport = FileTransport(trust_env=False)
        async with transport.open_link(SignedUrl(store.url), headers={}) as response:
            with pytest.raises(NetworkError, match="what came is no HTTP answer"):
                async for chunk in response.chunks():
                    got += chunk
        await transport.aclose()
    assert BODY.startswith(got)
    assert len(got) < len(BODY)


@pytest.mark.parametrize("cut_at", ["nowhere", "head", "body"])
@pytest.mark.parametrize(
    "length",
    [
        *(0, 5, 1000),
        *range(AT_ONCE - 3, AT_ONCE + 3),
        *(100 * KIB, 320 * KIB - 1, 320 * KIB, 320 * KIB + 1),
        *range(640 * KIB - 3, 640 * KIB + 3),
        *(960 * KIB, 960 * KIB + 1, 1024 * KIB),
    ],
)
async def test_an_empty_line_behind_a_body_of_any_length_means_what_it_means_to_a_session(
    length: int, cut_at: str, by_session: Callable[[], None]
) -> None:
    head = OK + b"Content-Length: %d\r\n\r\n" % length
    whole = head + BODY[:length] + b"\r\n"
    place = {"nowhere": 0, "head": len(head), "body": len(head) + length}[cut_at]

    async def outcome() -> Got:
        async with meeting(Store(pieces=cut(whole, [place]))) as fetch:
            return await fetch()

    straight = await outcome()
    assert straight[2] == BODY[:length]
    by_session()
    assert straight == await outcome()


async def test_no_answer_that_was_not_asked_for_is_ever_handed_out() -> None:
    """Also where the next request stands ready for the connection, and a body is long."""
    forged = HEAD + bytes(len(BODY))
    store = Store(pieces=[HEAD + BODY + forged])
    got: list[bytes] = []

    async def take() -> None:
        with suppress(NetworkError):
            got.append((await fetch())[2])

    async with meeting(store, connections=1) as fetch, anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(take)
    assert set(got) <= {BODY}


async def test_who_always_speaks_first_is_no_reason_to_connect_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[object] = []
    connect = TCPConnector.connect

    async def noisy(*arguments: Any, **named: Any) -> Any:
        connection = await connect(*arguments, **named)
        assert connection.protocol is not None
        connection.protocol.data_received(b"HTTP/1.1 503 busy\r\n\r\n")
        made.append(connection)
        return connection

    async with meeting(Store()) as fetch:
        monkeypatch.setattr(TCPConnector, "connect", noisy)
        with pytest.raises(NetworkError):
            await fetch()
    assert 0 < len(made) <= 2 * lanes._UNCLEAN


async def test_who_refuses_connections_is_asked_once(
    connects: list[object], by_session: Callable[[], None]
) -> None:
    """As through a session: "not sent" is certain, and whoever is above tries again."""
    store = Store()
    async with meeting(store):
        pass
    counts = []
    for _ in range(2):
        transport = FileTransport(trust_env=False)
        with pytest.raises(NetworkError, match="no connection could be made"):
            async with transport.open_link(SignedUrl(store.url), headers={}):
                pass
        await transport.aclose()
        counts.append(len(connects))
        connects.clear()
        by_session()
    assert counts == [1, 1]


def test_two_loops_in_two_threads_do_not_share_a_byte() -> None:
    async def run(letter: bytes) -> set[bytes]:
        body = letter * len(BODY)
        async with meeting(Store(pieces=[HEAD + body])) as fetch:
            return {(await fetch())[2] for _ in range(40)} ^ {body}

    with ThreadPoolExecutor() as pool:
        strange = pool.map(lambda letter: asyncio.run(run(letter)), [b"a", b"b"])
        assert [*strange] == [set(), set()]


async def test_a_reader_who_takes_his_time_holds_the_line_and_not_the_memory(
    made: list[lane.Lane], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits in memory is lost with the process, and fetched again."""
    monkeypatch.setattr(lane, "_MOMENT", 1e6)
    length = 64 * len(BODY)
    store = Store(pieces=[b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length, *[BODY] * 64])
    got = 0
    async with meeting(store) as _:
        transport = FileTransport(trust_env=False)
        async with transport.open_link(SignedUrl(store.url), headers={}) as response:
            chunks = response.chunks()
            got += len(await anext(chunks))
            for _ in range(2_000):
                await checkpoint()  # the server runs into the full line meanwhile
            assert store.sent < 32 * len(BODY)
            basin = made[0]._basin
            assert basin is not None
            assert basin.filled <= 384 * 1024
            with anyio.fail_after(60):
                async for chunk in chunks:
                    got += len(chunk)
        await transport.aclose()
    assert got == length


async def test_whoever_leaves_in_the_middle_closes_the_connection() -> None:
    store = Store(pieces=[HEAD, BODY[:500_000]])
    async with meeting(store) as _:
        transport = FileTransport(trust_env=False)
        async with transport.open_link(SignedUrl(store.url), headers={}) as response:
            await anext(response.chunks())
        await store.gone.wait()
        await transport.aclose()


@pytest.mark.parametrize("pieces", [[b"H"], [HEAD, BODY[:500_000]]])
async def test_cancelled_while_it_waits_it_leaves_no_connection_in_use(
    pieces: list[bytes], dogs: list[Watchdog]
) -> None:
    store = Store(pieces=pieces)
    async with meeting(store) as fetch:
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as group:
                group.start_soon(fetch)
                while not store.sent:
                    await checkpoint()
                for _ in range(20):
                    await checkpoint()
                scope.cancel()
        await store.gone.wait()
        assert not dogs[0]._watched


async def test_what_has_ended_is_watched_no_more(dogs: list[Watchdog]) -> None:
    async with meeting(Store()) as fetch:
        await fetch()
        assert not dogs[0]._watched


async def test_a_connection_that_takes_too_long_was_not_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def late(*_: object, **__: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(TCPConnector, "connect", late)
    async with meeting(Store()) as fetch:
        with pytest.raises(NetworkError, match="no connection was made within") as caught:
            await fetch()
    assert caught.value.sent is False
