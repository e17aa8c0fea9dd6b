"""The queue between one feeder and many workers: bounded, urgent first, and nobody forgotten."""

from __future__ import annotations

import asyncio

import anyio
import pytest
from anyio.lowlevel import checkpoint

from iceye_derivatives import Asset, AssetRef, Derivative, SignedUrl
from iceye_derivatives._queue import AssetQueue

pytestmark = pytest.mark.anyio


def thing(name: str, expires: float | None = None) -> tuple[AssetRef, Asset, Derivative]:
    asset = Asset(type="geojson", url=SignedUrl("https://cdn.example/a", expires=expires))
    derivative = Derivative(id=name, task_id="t", product_type="DC_VESSELS", assets=(asset,))
    return derivative.asset_refs()[0], asset, derivative


async def taken(queue: AssetQueue) -> list[str]:
    return [ref.derivative_id async for ref, _ in queue]


async def test_the_link_that_dies_soonest_goes_first_and_the_rest_in_their_order() -> None:
    queue = AssetQueue()
    for name, expires in (("a", None), ("b", 9.0), ("c", 5.0), ("d", None)):
        await queue.put(*thing(name, expires))
    queue.close()
    assert await taken(queue) == ["c", "b", "a", "d"]


async def test_all_workers_end_when_no_more_will_come() -> None:
    queue = AssetQueue()
    found: list[list[str]] = []

    async def work() -> None:
        found.append(await taken(queue))

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(work)
        await anyio.wait_all_tasks_blocked()
        await queue.put(*thing("a"))
        queue.close()
        queue.close()
    assert sorted(found) == [[], [], [], [], ["a"]]


async def test_who_puts_waits_while_too_many_do() -> None:
    queue = AssetQueue(limit=2)
    put: list[str] = []

    async def feed() -> None:
        for name in "abcd":
            await queue.put(*thing(name))
            put.append(name)
        queue.close()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(feed)
        await anyio.wait_all_tasks_blocked()
        assert put == ["a", "b"]
        await anext(queue)
        await anyio.wait_all_tasks_blocked()
        assert put == ["a", "b", "c"]
        assert await taken(queue) == ["b", "c", "d"]


async def test_who_puts_is_let_go_when_the_last_worker_has_gone() -> None:
    queue = AssetQueue(limit=1)

    async def feed() -> None:
        for name in "abcd":
            await queue.put(*thing(name))

    async with anyio.create_task_group() as tasks:
        for _ in range(2):
            tasks.start_soon(feed)
        await anyio.wait_all_tasks_blocked()
        queue.abandon()
    assert len(queue) == 1


async def test_a_worker_that_is_cancelled_takes_nothing_away() -> None:
    queue = AssetQueue()
    worker = asyncio.ensure_future(anext(queue))  # noqa: TID251 - plain asyncio cancels it
    await anyio.wait_all_tasks_blocked()
    await queue.put(*thing("a"))
    worker.cancel()  # its turn has come, but it has not run yet
    await asyncio.wait([worker])
    assert worker.cancelled()
    queue.close()
    assert await taken(queue) == ["a"]


async def test_who_puts_many_gives_others_their_turn() -> None:
    queue = AssetQueue()
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await checkpoint()
            turns += 1

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(others)
        await checkpoint()
        before = turns
        for number in range(1000):
            await queue.put(*thing(f"{number}"))
        assert turns - before >= 10
        tasks.cancel_scope.cancel()
