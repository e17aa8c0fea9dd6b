"""Do the programs of the how-tos on fleets and webhooks run as shown?"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import aiohttp
import anyio
import pytest
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream
from shown_runs import MODELS, environ, run

from iceye_derivatives.simulator import RealClock, Simulator, VirtualClock

pytestmark = pytest.mark.anyio

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"


def programs(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (HOW_TO / page).read_text("utf-8"), re.DOTALL)


WATCH, COME_AND_GO, RESTART = programs("fleets.md")
ORDER, DOOR, NUDGE = programs("webhooks.md")


async def lines_of(sim: Simulator, program: str, *arguments: str) -> list[str]:
    """The lines that it printed."""
    return (await run(sim, None, "-c", program, *arguments)).splitlines()


async def test_the_fleet_that_is_watched(sim: Simulator) -> None:
    found = sim.add_task(derivative_product_types=MODELS)
    plain = sim.add_task(derivative_product_types=())

    lines = await lines_of(sim, WATCH, found, plain)

    of_plain = [line for line in lines if line.startswith(plain)]
    assert "failed: " in of_plain[-1]
    assert sorted(set(lines) - set(of_plain)) == sorted(
        [*(f"{found} {one}" for one in MODELS), f"{found} has come whole"]
    )


async def test_tasks_that_come_and_go(sim: Simulator) -> None:
    first, second, unwanted = (sim.add_task(derivative_product_types=MODELS) for _ in range(3))

    lines = await lines_of(sim, COME_AND_GO, first, second, unwanted)

    assert lines == [f"{first} WatchFinished", f"{second} WatchFinished"]


async def test_a_fleet_that_goes_on_hands_nothing_out_twice(sim: Simulator, tmp_path: Path) -> None:
    state = str(tmp_path / "fleet.json")
    tasks = [sim.add_task(derivative_product_types=MODELS) for _ in range(2)]

    assert len(set(await lines_of(sim, RESTART, state, *tasks))) == 6
    assert await lines_of(sim, RESTART, state) == []


async def test_the_order_that_names_its_webhook(sim: Simulator) -> None:
    """And a reference of its own, by which a lost order is found."""
    ids = [(await lines_of(sim, ORDER, sim.contract_id, "hook-1"))[0] for _ in range(2)]

    sent = [each for each in sim.requests if each.method == "POST" and each.side == "api"]
    assert [each.path for each in sent] == ["/api/tasking/v2/tasks"] * 2
    assert all(sim.world.ready_times(task_id) for task_id in ids)
    now = sim.clock.time()
    assert len({sim.world.get_task(task_id, now=now)["reference"] for task_id in ids}) == 2


async def test_the_watch_looks_when_somebody_calls_who_may() -> None:
    """The safety poll is half a day away: nothing but the callback brings the derivatives."""
    clock = VirtualClock(start=RealClock().time(), auto=False)
    async with Simulator(clock=clock) as sim:
        await call_back(sim, sim.add_task(derivative_product_types=MODELS))


async def call_back(sim: Simulator, task_id: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = environ(sim) | {"WEBHOOK_USER": "iceye", "WEBHOOK_PASSWORD": "a long password"}
    async with await anyio.open_process(
        [sys.executable, "-c", DOOR, f"{port}", task_id], env=settings, stderr=subprocess.STDOUT
    ) as process:
        try:
            printed = await told_after_the_call(sim, process, port, task_id)
        finally:
            if process.returncode is None:
                process.kill()
    assert sorted(printed.split()) == sorted(MODELS)


async def told_after_the_call(sim: Simulator, process: Process, port: int, task_id: str) -> str:
    assert process.stdout is not None
    lines = BufferedByteReceiveStream(process.stdout)
    assert await lines.receive_until(b"\n", 100_000) == b"listening"
    while not any(each.path.endswith(task_id) for each in sim.requests):  # noqa: ASYNC110  another process asks
        await anyio.sleep(0.01)
    sim.clock.advance(5 * 24 * 3600)
    url, body = f"http://127.0.0.1:{port}/iceye", json.dumps({"taskID": task_id})
    good = {"Authorization": f"Basic {b64encode(b'iceye:a long password').decode()}"}
    async with aiohttp.ClientSession() as session:
        for headers, status in (({}, 401), (good, 204)):
            async with session.post(url, data=body, headers=headers) as answer:
                assert answer.status == status
    printed = b"".join([part async for part in lines]).decode()
    assert await process.wait() == 0, printed
    return printed


async def test_a_nudge_of_ones_own(sim: Simulator) -> None:
    lines = await lines_of(sim, NUDGE, sim.add_task(derivative_product_types=MODELS))

    assert lines[:2] == ["watched: False", "watched: True"]
    assert sorted(lines[2:]) == sorted(MODELS)
