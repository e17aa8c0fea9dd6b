"""Does what is said of a scene go wrong as each fault promises?"""

from __future__ import annotations

from typing import Any

import pytest
from sim_caller import TASKS, Caller

from iceye_derivatives.simulator.notation import parse_rfc3339

pytestmark = pytest.mark.anyio


async def scene(caller: Caller, name: str = "", **settings: Any) -> Any:
    """Give the answer for the scene of a task that is done, with a fault on."""
    task_id = caller.a_whole_task()
    if name:
        caller.sim.faults.add(name, **settings)
    return await caller.api("GET", f"{TASKS}/{task_id}/scene")


@pytest.mark.parametrize("status", [404, 403, 500])
async def test_no_scene_refuses(caller: Caller, status: int) -> None:
    assert (await scene(caller, "no_scene", status=status)).status == status


async def test_odd_scene_of_each_shape(caller: Caller) -> None:
    true = (await scene(caller)).json
    found = {
        shape: (await scene(caller, "odd_scene", shape=shape)).json
        for shape in ("no_imaging_time", "naive", "backwards", "number", "list")
    }
    assert "imagingTime" not in found["no_imaging_time"]
    assert not found["naive"]["imagingTime"]["start"].endswith("Z")
    time = found["backwards"]["imagingTime"]
    assert parse_rfc3339(time["start"]) > parse_rfc3339(time["end"])
    assert isinstance(found["number"]["incidenceAngle"], float)
    assert found["list"][0].keys() == true.keys()


async def test_moving_scene_is_always_ahead(caller: Caller) -> None:
    reply = await scene(caller, "moving_scene", seconds=120)
    start = parse_rfc3339(reply.json["imagingTime"]["start"])
    assert start == pytest.approx(caller.clock.time() + 120)


async def test_lying_scene_is_off_by_what_was_set(caller: Caller) -> None:
    task_id = caller.a_whole_task()
    starts = []
    for _ in range(2):
        reply = await caller.api("GET", f"{TASKS}/{task_id}/scene")
        starts.append(parse_rfc3339(reply.json["imagingTime"]["start"]))
        caller.sim.faults.add("lying_scene", by=-500.0)
    assert starts[1] == pytest.approx(starts[0] - 500)


async def test_wrong_promise_is_in_the_task(caller: Caller) -> None:
    task_id = caller.a_whole_task()
    caller.sim.faults.add("wrong_promise", seconds=7)
    reply = await caller.api("GET", f"{TASKS}/{task_id}")
    assert reply.json["productsAvailableInSeconds"] == 7
