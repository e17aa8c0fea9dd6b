"""What does one poke of the sensor make of each task, in virtual time?"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator

import pytest
from attrs import evolve

from iceye_derivatives import DerivativesClient
from iceye_derivatives.airflow.payload import Failure, Ready
from iceye_derivatives.airflow.sensors import _look
from iceye_derivatives.simulator import Simulator, TaskPlan, VirtualClock

pytestmark = pytest.mark.anyio

AT_ONCE = TaskPlan(
    accepted_after=0.0, imaged_after=0.0, fulfilled_after=0.0, derivative_delays={"DC_VESSELS": 0.0}
)
VESSELS = ("DC_VESSELS",)


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(clock=VirtualClock()) as simulator:
        yield simulator


async def poke(sim: Simulator, *task_ids: str) -> tuple[list[Ready], list[Failure], int]:
    client = DerivativesClient.from_env(sim.environ, clock=sim.clock)
    return await _look(client, [*task_ids])


async def test_a_task_that_does_not_exist_fails_within_one_poke(sim: Simulator) -> None:
    begun = sim.clock.time()

    ready, failed, waiting = await poke(sim, "no-such-task")

    assert (ready, waiting) == ([], 0)
    assert [(each.task_id, each.kind, each.retryable) for each in failed] == [
        ("no-such-task", "TaskNotFoundError", False)
    ]
    assert 120 <= sim.clock.time() - begun < 240


async def test_a_task_that_becomes_known_meanwhile_is_waited_for(sim: Simulator) -> None:
    sim.faults.add("fresh_404", times=None, seconds=60)

    assert await poke(sim, sim.add_task(derivative_product_types=VESSELS)) == ([], [], 1)


async def test_a_task_that_waits_is_looked_at_once(sim: Simulator) -> None:
    task_id = sim.add_task(derivative_product_types=VESSELS)

    assert await poke(sim, task_id) == ([], [], 1)
    assert [r.path.endswith("/derivatives") for r in sim.requests].count(True) == 1


async def test_a_task_that_is_half_done_is_looked_at_once(sim: Simulator) -> None:
    """Its listing tells that it is known: nobody asks for the task."""
    half = evolve(AT_ONCE, derivative_delays={"DC_VESSELS": 0.0, "DC_AIRCRAFT": math.inf})
    task_id = sim.add_task(plan=half, derivative_product_types=("DC_VESSELS", "DC_AIRCRAFT"))

    ready, failed, waiting = await poke(sim, task_id)

    assert ([each.product_type for each in ready], failed, waiting) == (["DC_VESSELS"], [], 1)
    assert [r.path.endswith("/derivatives") for r in sim.requests].count(True) == 1


@pytest.mark.parametrize("fault", ["html_404", "server_error", "cut_connection"])
async def test_a_look_that_fails_is_left_to_the_next_poke(sim: Simulator, fault: str) -> None:
    task_id = sim.add_task(derivative_product_types=VESSELS)
    sim.faults.add(fault, times=None, side="api")
    begun = sim.clock.time()

    assert await poke(sim, task_id, "no-such-task") == ([], [], 2)
    assert sim.clock.time() - begun < 60


async def test_who_is_not_known_holds_back_nobody(sim: Simulator) -> None:
    done = sim.add_task(plan=AT_ONCE, derivative_product_types=VESSELS)
    waits = sim.add_task(derivative_product_types=VESSELS)

    ready, failed, waiting = await poke(sim, "no-such-task", done, waits)

    assert [each.task_id for each in ready] == [done]
    assert [each.task_id for each in failed] == ["no-such-task"]
    assert waiting == 1
