"""Do many tasks over a day come whole, each once, at a fraction of the requests?"""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from helpers import ALL_TYPES, files_in

from iceye_derivatives import (
    DerivativeReady,
    DerivativesClient,
    DirectorySink,
    Downloader,
    FleetState,
    WatchFailed,
    WatchFinished,
)
from iceye_derivatives.simulator import Simulator, TaskPlan

pytestmark = pytest.mark.anyio


def fates(sim: Simulator, number: int) -> list[str]:
    """Tasks that are imaged within a day, one model after the other; a tenth end badly."""
    draw = random.Random(5)
    made = []
    for turn in range(number):
        outcome = "FAILED" if turn % 10 == 9 else "DONE"
        delays = {name: draw.uniform(60, 7200) for name in ALL_TYPES}
        plan = TaskPlan(
            imaged_after=draw.uniform(3600, 86_400), outcome=outcome, derivative_delays=delays
        )
        made.append(sim.add_task(plan=plan, derivative_product_types=ALL_TYPES))
    return made


async def test_tasks_of_a_day_killed_again_and_again(
    sim: Simulator,
) -> None:
    """Each process reads some events, saves after each, and is gone in the middle of its looks."""
    ids, draw = fates(sim, 12), random.Random(6)
    got: Counter[tuple[str, str]] = Counter()
    ended: dict[str, type] = {}
    text: str | None = None

    while text is None or len(FleetState.from_json(text)):
        async with (
            DerivativesClient.from_env(
                sim.environ, clock=sim.clock, jitter=draw.random, rate=100.0
            ) as client,
            client.watch_tasks(
                ids if text is None else (),
                state=None if text is None else FleetState.from_json(text),
            ) as fleet,
        ):
            left = draw.randrange(5, 40)
            async for event in fleet:
                match event:
                    case DerivativeReady(task_id=task_id, derivative=derivative):
                        got[task_id, derivative.id] += 1
                    case WatchFinished() | WatchFailed():
                        ended[event.task_id] = type(event)
                left -= 1
                if not left:
                    break
            text = await fleet.to_json()

    ready = {(task, one) for task in ids for one in sim.world.ready_times(task)}
    assert set(got) <= ready
    assert {task for task, _ in got} >= {task for task in ids if ended[task] is WatchFinished}
    assert Counter(task for task, _ in got) == Counter(
        {task: 3 for task in ids if ended[task] is WatchFinished}
    )
    assert set(got.values()) == {1}
    assert Counter(ended.values()) == {WatchFinished: 11, WatchFailed: 1}
    assert "Signature" not in text
    assert len(sim.requests) < 400 * len(ids)


async def test_a_fleet_feeds_a_downloader(
    sim: Simulator, client: DerivativesClient, tmp_path: Path
) -> None:
    ids = [sim.add_task(derivative_product_types=ALL_TYPES) for _ in range(8)]

    async with client.watch_tasks(ids) as fleet:
        downloader = Downloader(client, DirectorySink(tmp_path), clock=sim.clock)
        report = await downloader.download(fleet.derivatives())

    report.raise_for_failures()
    assert len(files_in(tmp_path)) == 24
