"""Bytes that nobody asked for: is none of them ever taken for a file?"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import product
from typing import Any

import anyio
import pytest
from aiohttp import TCPConnector
from anyio.lowlevel import checkpoint
from lane_store import ANSWERS, AT_ONCE, BODY, HEAD, KIB, OK, Got, Store, cut, meeting
from transports import files

from iceye_derivatives._transport import lanes
from iceye_derivatives.errors import NetworkError
from iceye_derivatives.models import SignedUrl

pytestmark = pytest.mark.anyio


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
    async with meeting(store) as _, files() as transport:
        for _ in range(2):
            async with transport.open_link(SignedUrl(store.url), headers={}) as response:
                chunks = response.chunks()
                with pytest.raises(NetworkError, match="what came is no HTTP answer"):
                    await anext(chunks)
    assert store.connections == 2


@pytest.mark.parametrize("more", [b"}", b"\r\n}"])
async def test_a_long_body_with_more_behind_it_does_not_come_to_its_end(more: bytes) -> None:
    """The pieces before the last one are out by then; that one is not handed out."""
    store = Store(pieces=[HEAD + BODY + more])
    got = b""
    async with (
        meeting(store) as _,
        files() as transport,
        transport.open_link(SignedUrl(store.url), headers={}) as response,
    ):
        with pytest.raises(NetworkError, match="what came is no HTTP answer"):
            async for chunk in response.chunks():
                got += chunk
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
