"""In which pieces is a body handed out, and how much of it waits in memory?"""

from __future__ import annotations

import anyio
import pytest
from anyio.lowlevel import checkpoint
from lane_store import BODY, HEAD, KIB, OK, Store, meeting
from transports import files

from iceye_derivatives._transport import lane, reading
from iceye_derivatives.models import SignedUrl

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("edge", [0, 64 * KIB - len(HEAD), 320 * KIB, 640 * KIB, 960 * KIB])
@pytest.mark.parametrize("more", [0, 1, 2])
async def test_a_body_that_is_held_in_memory_comes_in_one_piece_and_a_longer_one_in_equal_ones(
    edge: int, more: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_MOMENT", 1e6)
    body = BODY[: edge + more]
    store = Store(pieces=[b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body])
    async with meeting(store) as _, files() as transport:
        step = 640 * KIB if len(body) <= 640 * KIB else 320 * KIB
        equal = [min(step, len(body) - start) for start in range(0, len(body), step)]
        for _ in range(2):
            with anyio.fail_after(20):
                async with transport.open_link(SignedUrl(store.url), headers={}) as response:
                    pieces = [chunk async for chunk in response.chunks()]
            assert b"".join(pieces) == body
            assert [*map(len, pieces)] == equal
        assert store.connections == 1


async def test_a_head_without_a_body_is_not_kept_until_that_comes() -> None:
    store = Store(pieces=[HEAD, BODY], pauses=True)
    async with meeting(store) as _, files() as transport:
        with anyio.fail_after(20):
            async with transport.open_link(SignedUrl(store.url), headers={}) as response:
                assert response.status == 200
                store.taken.set()
                assert b"".join([chunk async for chunk in response.chunks()]) == BODY


async def test_bytes_that_came_while_nobody_asked_are_not_kept_until_more_come() -> None:
    """The line is slow, or has stopped."""
    store = Store(pieces=[HEAD + BODY[:1000], BODY[1000:2000]], pauses=True)
    async with (
        meeting(store) as _,
        files() as transport,
        transport.open_link(SignedUrl(store.url), headers={}) as response,
    ):
        chunks = response.chunks()
        with anyio.fail_after(20):
            assert await anext(chunks) == BODY[:1000]
            store.taken.set()
            while store.sent < len(HEAD) + 2000:
                await checkpoint()
            for _ in range(20):
                await checkpoint()
            assert await anext(chunks) == BODY[1000:2000]


@pytest.mark.parametrize("length", [5, 500_000])
async def test_a_body_that_nobody_reads_is_not_kept_with_its_connection(
    length: int, made: list[lane.Lane]
) -> None:
    store = Store(pieces=[OK + b"Content-Length: %d\r\n\r\n" % length + BODY[:length]])
    async with meeting(store) as _, files() as transport:
        for _ in range(2):
            async with transport.open_link(SignedUrl(store.url), headers={}):
                pass
        assert store.connections == 1
        assert [(one._whole, one._basin) for one in made] == [(b"", None)] * 2


async def test_a_reader_who_takes_his_time_holds_the_line_and_not_the_memory(
    made: list[lane.Lane], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits in memory is lost with the process, and fetched again."""
    monkeypatch.setattr(reading, "_MOMENT", 1e6)
    length = 64 * len(BODY)
    store = Store(pieces=[b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length, *[BODY] * 64])
    got = 0
    async with (
        meeting(store) as _,
        files() as transport,
        transport.open_link(SignedUrl(store.url), headers={}) as response,
    ):
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
    assert got == length
