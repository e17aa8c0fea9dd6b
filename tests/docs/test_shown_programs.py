"""Does each program that README and examples show run as shown, against the simulator?"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from iceye_derivatives.simulator import RealClock, Simulator, TaskPlan

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    """A simulator in real time, whose tasks are done as soon as they are ordered."""
    at_once = TaskPlan(
        accepted_after=0,
        imaged_after=0,
        fulfilled_after=0,
        derivative_delays={"DC_AIRCRAFT": 0, "DC_VEHICLES": 0, "DC_VESSELS": 0},
    )
    async with Simulator(clock=RealClock(), plan=at_once) as simulator:
        yield simulator


async def run(sim: Simulator, cwd: Path, *arguments: str, **settings: str) -> str:
    """What the program printed; its own error is the test's."""
    done = await anyio.run_process(
        [sys.executable, *arguments],
        # Without the development mode of the tests, which prints what a user does not see.
        env={k: v for k, v in os.environ.items() if k != "PYTHONDEVMODE"} | sim.environ | settings,
        cwd=cwd,
        stderr=subprocess.STDOUT,
        check=False,
    )
    printed = done.stdout.decode()
    assert done.returncode == 0, printed
    return printed


def ready_task(sim: Simulator) -> str:
    return sim.add_task(derivative_product_types=("DC_AIRCRAFT", "DC_VEHICLES", "DC_VESSELS"))


async def test_the_readmes_ten_lines(sim: Simulator, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(BLOCKS[0].replace("YOUR-TASK-ID", ready_task(sim)))

    printed = await run(sim, tmp_path, str(program))

    assert sorted(line.split()[0] for line in printed.splitlines()) == [
        "DC_AIRCRAFT",
        "DC_VEHICLES",
        "DC_VESSELS",
    ]
    assert len(list((tmp_path / "detections").rglob("*.geojson"))) == 3


async def test_the_readmes_pipeline_test(tmp_path: Path) -> None:
    names: dict[str, object] = {}
    exec(compile(BLOCKS[1], "README.md", "exec"), names)  # noqa: S102  it is our own text

    await names["test_my_pipeline"](tmp_path)  # type: ignore[operator]

    assert len(list(tmp_path.rglob("*.geojson"))) == 1


def test_the_readme_shows_no_program_that_is_not_run() -> None:
    assert len(BLOCKS) == 2


async def test_the_example_that_downloads(sim: Simulator, tmp_path: Path) -> None:
    example = ROOT / "examples" / "download.py"

    printed = await run(sim, tmp_path, str(example), ready_task(sim), "found")

    assert printed.count("sha256") == 3
    assert len(list((tmp_path / "found").rglob("*.geojson"))) == 3


async def test_the_example_that_watches_and_resumes(sim: Simulator, tmp_path: Path) -> None:
    example = str(ROOT / "examples" / "watch_and_resume.py")
    task_id = ready_task(sim)

    first = await run(sim, tmp_path, example, task_id, "state.json")
    second = await run(sim, tmp_path, example, task_id, "state.json")

    assert len(first.splitlines()) == 3
    assert second == ""


async def test_the_example_that_downloads_a_fleet(sim: Simulator, tmp_path: Path) -> None:
    example = str(ROOT / "examples" / "fleet.py")
    ids = [ready_task(sim) for _ in range(3)]

    first = await run(sim, tmp_path, example, "found", "fleet.json", *ids)
    second = await run(sim, tmp_path, example, "found", "fleet.json")

    assert len(first.splitlines()) == len(list((tmp_path / "found").rglob("*.geojson"))) == 9
    assert second == ""


async def test_the_example_that_orders(sim: Simulator, tmp_path: Path) -> None:
    example = ROOT / "examples" / "order.py"

    printed = await run(sim, tmp_path, str(example), sim.contract_id)

    assert [r.path for r in sim.requests if r.method == "POST" and r.side == "api"] == [
        "/api/tasking/v2/tasks"
    ]
    assert printed.strip()


async def test_the_example_that_is_called_back(sim: Simulator, tmp_path: Path) -> None:
    example = ROOT / "examples" / "webhook.py"
    settings = {"WEBHOOK_USER": "iceye", "WEBHOOK_PASSWORD": "secret", "PORT": "0"}

    printed = await run(sim, tmp_path, str(example), ready_task(sim), **settings)

    assert printed.count(".geojson") == 3


def test_every_example_is_run_here() -> None:
    shown = {path.name for path in (ROOT / "examples").glob("*.py")}

    assert shown == {
        "download.py",
        "fleet.py",
        "order.py",
        "watch_and_resume.py",
        "webhook.py",
    }
