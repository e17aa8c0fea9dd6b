"""Cancelled at any turn of the event loop, what is left: no task, socket, or half a file?

Every await of every task (the watch, the workers, the token's fetch, the disk) lies between two
turns of the loop, so cancelling at the n-th turn for each n reaches all of them.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from functools import partial
from pathlib import Path

import pytest
from helpers import ALL_TYPES, files_in, open_below, sockets

from iceye_derivatives import DerivativesClient, Watch
from iceye_derivatives.simulator import Simulator, TaskPlan, VirtualClock

pytestmark = pytest.mark.anyio

SAMPLES = 60
"""How many turns of a run are tried; they are spread evenly, with each of the first few."""


def plan() -> TaskPlan:
    return TaskPlan(
        accepted_after=0,
        imaged_after=0,
        fulfilled_after=0,
        derivative_delays={"DC_VESSELS": 3, "DC_VEHICLES": 6, "DC_AIRCRAFT": 9},
    )


async def cancelled_at(turn: int | None, run: Callable[[], Awaitable[object]]) -> tuple[bool, int]:
    """Run it and cancel at the n-th turn of the loop: (was it cancelled, turns that passed)."""
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(run())  # noqa: TID251  awaited below; a group would cancel us too
    turns = 0

    def count() -> None:
        nonlocal turns
        if task.done():
            return
        turns += 1
        if turns == turn:
            task.cancel()
        loop.call_soon(count)

    loop.call_soon(count)
    await asyncio.wait([task])
    if task.cancelled():
        return True, turns
    task.result()
    return False, turns


async def nothing_left(before: set[asyncio.Task[object]]) -> set[asyncio.Task[object]]:
    """Tasks that are there and were not before: those of the server end within a few turns."""
    for _ in range(50):
        await asyncio.sleep(0)
    return {task for task in asyncio.all_tasks() - before if "web_protocol" not in repr(task)}


async def turns_to_try(run: Callable[[], Awaitable[object]]) -> list[int]:
    cancelled, whole = await cancelled_at(None, run)
    assert not cancelled
    step = max(1, whole // SAMPLES)
    return sorted({*range(1, min(20, whole)), *range(1, whole, step)})


async def test_a_cancelled_download_leaves_nothing_behind_and_can_be_run_again(
    tmp_path: Path,
) -> None:
    """Trap (stac-asset, cancellation): clean-up catches `Exception`, and a cancellation is none.

    Complaint 21 (sentinelsat/sentinelsat #481): downloads in a notebook cannot be interrupted.
    """
    async with Simulator(clock=VirtualClock(), seed=3, detections=2000) as sim:
        task_id = sim.add_task(plan=plan(), derivative_product_types=ALL_TYPES)
        await sim.clock.sleep(2)

        async def run(folder: Path, watch: Watch | None = None) -> None:
            async with DerivativesClient.from_env(sim.environ, clock=sim.clock) as client:
                await client.download_task(task_id, folder, watch=watch)

        await run(tmp_path / "whole")
        expected = files_in(tmp_path / "whole")
        for turn in await turns_to_try(lambda: run(tmp_path / "count")):
            folder, watch = tmp_path / str(turn), Watch(task_id)
            before, listening = asyncio.all_tasks(), sockets()

            await cancelled_at(turn, partial(run, folder, watch))

            assert await nothing_left(before) == set(), turn
            assert sockets() <= listening, turn  # those of the run before may close meanwhile
            assert open_below(folder) == [], turn
            for name, body in files_in(folder).items():
                assert name.endswith(".part") or body == expected[name], (turn, name)
            # The same watch goes on: what it handed out but nobody brought home comes again.
            await run(folder, Watch.from_json(watch.to_json()))
            assert files_in(folder) == expected, turn
            gc.collect()


async def test_a_cancelled_watch_loses_nothing_and_repeats_nothing() -> None:
    async with Simulator(clock=VirtualClock(), seed=3) as sim:

        async def run(watch: Watch, got: list[str]) -> None:
            async with (
                DerivativesClient.from_env(sim.environ, clock=sim.clock) as client,
                aclosing(client.watch_task(watch.task_id, watch=watch)) as derivatives,
            ):
                async for derivative in derivatives:
                    got.append(derivative.id)  # noqa: PERF401  kept when cancelled

        def ordered() -> str:
            return sim.add_task(plan=plan(), derivative_product_types=ALL_TYPES)

        for turn in await turns_to_try(lambda: run(Watch(ordered()), [])):
            watch, got = Watch(ordered()), list[str]()
            before, listening = asyncio.all_tasks(), sockets()

            await cancelled_at(turn, partial(run, watch, got))

            assert await nothing_left(before) == set(), turn
            assert sockets() <= listening, turn  # those of the run before may close meanwhile
            await run(watch, got)

            assert len(got) == len(set(got)) == 3, turn
