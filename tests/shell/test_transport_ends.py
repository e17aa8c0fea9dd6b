"""Who opens a session and who closes it, and is nothing in use once it was left?"""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import anyio
import pytest
from aiohttp import web
from anyio.lowlevel import checkpoint
from loopback import serving
from transports import TASK, api, fetch, files

from iceye_derivatives._core.pace import Pacer
from iceye_derivatives._transport import session
from iceye_derivatives._transport.watchdog import SilenceError, Watchdog

pytestmark = pytest.mark.anyio


async def test_a_borrowed_session_is_used_and_left_open() -> None:
    """Ours to use, not ours to close."""
    async with serving(web.Response()) as server, aiohttp.ClientSession() as borrowed:
        async with api(server.url, session=borrowed) as sender, files(session=borrowed) as opener:
            await sender.send(TASK)
            await fetch(opener, server.url)
        assert not borrowed.closed
        assert (await borrowed.get(server.url)).status == 200

    assert len(server.seen) == 3


async def test_all_who_begin_at_once_load_the_http_client_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loads: list[None] = []
    load = session._import
    monkeypatch.setattr(session, "_LOADED", dict[str, Any]())
    monkeypatch.setattr(session, "_import", lambda: (loads.append(None), load()))
    async with (
        serving(web.Response()) as server,
        files() as opener,
        anyio.create_task_group() as tasks,
    ):
        for _ in range(3):
            tasks.start_soon(fetch, opener, server.url)
    assert loads == [None]


async def test_after_closing_nothing_is_sent() -> None:
    """A session opened by a late call would never be closed."""
    async with serving(web.Response()) as server:
        async with api(server.url) as sender, files() as opener:
            await sender.send(TASK)
        with pytest.raises(RuntimeError, match="closed"):
            await sender.send(TASK)
        with pytest.raises(RuntimeError, match="closed"):
            await fetch(opener, server.url)

    assert len(server.seen) == 1


async def test_closing_takes_no_patience_from_calls_that_are_under_way() -> None:
    """In a borrowed session they go on: what is silent must still end, and its timer then."""
    dog = Watchdog(total=None, silence=0.02)
    with anyio.fail_after(10), pytest.raises(SilenceError), dog.watch():
        dog.stop()
        await anyio.sleep_forever()
    assert dog._timer is None


async def test_closing_works_while_being_cancelled() -> None:
    """The connection is gone when the cancelled scope is left."""
    async with serving(web.Response()) as server, api(server.url) as sender:
        await sender.send(TASK)
        opened = sender._session._session
        with anyio.CancelScope() as scope:
            scope.cancel()
            await sender.aclose()
        assert opened is not None
        assert opened.closed


@pytest.mark.parametrize("what", ["api", "files"])
async def test_cancelling_anywhere_leaves_no_connection_in_use(what: str) -> None:
    """One exchange, cancelled after each number of turns of the loop that it takes.

    Trap (aiohttp_retry, responses): one that will be retried is not released.
    """

    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "6"})
        await response.prepare(request)
        for _ in range(3):
            await response.write(b"ab")
            await asyncio.sleep(0)
        return response

    finished = turns = 0
    async with (
        serving(slow) as server,
        api(server.url, pacer=Pacer(rate=1e6)) as sender,
        files() as opener,
    ):

        async def run(scope: anyio.CancelScope) -> None:
            nonlocal finished
            with scope:
                await (sender.send(TASK) if what == "api" else fetch(opener, server.url))
                finished += 1

        line = sender._session if what == "api" else opener._session
        while finished < 3:
            turns += 1
            scope = anyio.CancelScope()
            async with anyio.create_task_group() as group:
                group.start_soon(run, scope)
                for _ in range(turns):
                    await checkpoint()
                scope.cancel()
            if line._lanes is not None:
                line._lanes._let_go(all_of_them=True)  # what is at hand is in nobody's use
            if line._session is not None and line._session.connector is not None:
                assert not line._session.connector._acquired

    assert turns > 5, "an exchange that is over at once shows nothing"
