"""Which connections are kept at hand, for whom, and when are they given back to aiohttp?"""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint
from lane_store import ANSWERS, BODY, Store, meeting
from transports import files

from iceye_derivatives._transport import lanes
from iceye_derivatives.models import SignedUrl

pytestmark = pytest.mark.anyio


async def test_of_many_stores_few_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """And connections that are at hand to the others are aiohttp's again."""
    monkeypatch.setattr(lanes, "_ORIGINS", 1)
    stores = Store(pieces=[ANSWERS["whole"]]), Store(pieces=[ANSWERS["whole"]])
    async with meeting(stores[0]) as _, meeting(stores[1]) as _, files() as transport:
        for store in (*stores, *stores):
            async with transport.open_link(SignedUrl(store.url), headers={}):
                pass
        assert [store.connections for store in stores] == [1, 1]
        found: Any = transport._session._lanes
        assert [*found._origins] == [(stores[1].url, None)]


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
    async with meeting(stores[0]) as _, meeting(stores[1]) as _, files(connections=1) as transport:
        with anyio.fail_after(20):
            for store in (*stores, *stores):
                async with transport.open_link(SignedUrl(store.url), headers={}) as response:
                    assert b"".join([chunk async for chunk in response.chunks()]) == BODY
    assert len(connects) == 4


@pytest.mark.parametrize("through", [None, "http://store.invalid/a"])
async def test_whoever_waits_in_the_pool_gets_the_next_connection(
    through: str | None, connects: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a session waits there."""
    first, second = Store(pauses=True), Store()
    proxied = files(trust_env=True, connections=1, allow_http=True)
    async with meeting(first) as _, meeting(second) as _, proxied as transport:
        monkeypatch.setenv("http_proxy", second.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")

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


async def test_a_store_that_is_forgotten_while_a_file_comes_keeps_no_connection(
    connects: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "_ORIGINS", 1)
    first, second = Store(pauses=True), Store()
    async with meeting(first) as _, meeting(second) as _, files() as transport:
        async with transport.open_link(SignedUrl(first.url), headers={}) as response:
            async with transport.open_link(SignedUrl(second.url), headers={}) as other:
                assert b"".join([chunk async for chunk in other.chunks()]) == BODY
            first.taken.set()
            assert b"".join([chunk async for chunk in response.chunks()]) == BODY
        found: Any = transport._session._lanes
        found._let_go(all_of_them=True)
        assert not found._connector._acquired
    assert len(connects) == 2


async def test_a_link_leads_to_the_store_that_it_names() -> None:
    """And not to one whose name begins alike, or through another proxy."""
    store = Store(pieces=[ANSWERS["empty"]])
    async with meeting(store) as _, files() as transport:
        async with transport.open_link(SignedUrl(store.url), headers={}):
            pass
        found: Any = transport._session._lanes
        assert found._latest.has(f"{store.url}/a", None)
        for other in ("0/a", "@store.invalid/a", ".invalid/a", "?a", ""):
            assert not found._latest.has(store.url + other, None)
        assert not found._latest.has(f"{store.url}/a", "http://proxy.invalid")


async def test_what_must_go_through_a_session_is_not_kept_from_it_either(
    connects: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As plain http through a proxy: the pool is the same."""
    store, proxy = Store(), Store()
    proxied = files(trust_env=True, connections=1, allow_http=True)
    async with meeting(store) as _, meeting(proxy) as _, proxied as transport:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        with anyio.fail_after(20):
            for url in (store.url, "http://store.invalid/a", store.url, "http://store.invalid/a"):
                async with transport.open_link(SignedUrl(url), headers={}) as response:
                    assert b"".join([chunk async for chunk in response.chunks()]) == BODY
    assert [len(one.requests) for one in (store, proxy)] == [2, 2]


async def test_what_nobody_has_wanted_for_a_while_is_given_back(connects: list[object]) -> None:
    store = Store()
    async with meeting(store) as _, files() as transport:

        async def fetch_one() -> None:
            async with transport.open_link(SignedUrl(store.url), headers={}) as response:
                assert b"".join([chunk async for chunk in response.chunks()]) == BODY

        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(fetch_one)
        await fetch_one()  # while others were made it went back, and this one is at hand
        found: Any = transport._session._lanes
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
    assert timer.cancelled()
