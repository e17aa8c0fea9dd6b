"""A line breaks, falls silent or is left: is the error as it always was, and nothing in use?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import pytest
from aiohttp import TCPConnector
from anyio.lowlevel import checkpoint
from lane_store import ANSWERS, BODY, HEAD, OK, Store, meeting
from transports import files

from iceye_derivatives._transport import lane, lanes, session
from iceye_derivatives._transport.basin import Basin
from iceye_derivatives._transport.watchdog import Watchdog
from iceye_derivatives.errors import NetworkError
from iceye_derivatives.models import SignedUrl

pytestmark = pytest.mark.anyio


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


async def test_who_refuses_connections_is_asked_once(
    connects: list[object], by_session: Callable[[], None]
) -> None:
    """As through a session: "not sent" is certain, and whoever is above tries again."""
    store = Store()
    async with meeting(store):
        pass
    counts = []
    for _ in range(2):
        async with files() as transport:
            with pytest.raises(NetworkError, match="no connection could be made"):
                async with transport.open_link(SignedUrl(store.url), headers={}):
                    pass
        counts.append(len(connects))
        connects.clear()
        by_session()
    assert counts == [1, 1]


async def test_whoever_leaves_in_the_middle_closes_the_connection() -> None:
    store = Store(pieces=[HEAD, BODY[:500_000]])
    async with meeting(store) as _, files() as transport:
        async with transport.open_link(SignedUrl(store.url), headers={}) as response:
            await anext(response.chunks())
        await store.gone.wait()


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
