"""What goes straight over the line, what is left to aiohttp, and what is sent by neither?"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import TCPConnector
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import HttpResponseParser
from lane_store import ANSWERS, BODY, Store, meeting
from transports import files

from iceye_derivatives._transport import connection, lane, lanes, reading
from iceye_derivatives.errors import NetworkError

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("answer", ["whole", "part", "empty"])
async def test_a_plain_body_passes_no_parser(answer: str, made: list[lane.Lane]) -> None:
    async with meeting(Store(pieces=[ANSWERS[answer]])) as fetch:
        await fetch()
    assert [one._content for one in made] == [None]


@pytest.mark.parametrize("name", connection._OF_PROTOCOLS)
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

    monkeypatch.setattr(connection, "getattr", without, raising=False)
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
        (reading, "HttpResponseParser", lambda *_: None),
        (reading, "HttpResponseParser", OtherParser),
        (TCPConnector, "connect", OtherConnector.connect),
    ],
)
def test_an_aiohttp_that_is_not_as_it_is_known_is_asked_as_ever(
    where: Any, name: str, other: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def verdict() -> bool:
        async with TCPConnector() as connector:
            ours: Any = reading.Reading(watchdog=None, ahead=1, header_bytes=100)  # type: ignore[arg-type]
            return lanes._fits(connector, ours)

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
    async with meeting(store) as _, files() as transport:
        with pytest.raises(ValueError, match="end of a line"):
            await transport._session.get(
                f"{store.url}/a HTTP/1.1\r\nX: y", proxy=None, headers={}, ahead=1
            )
    assert not store.requests
