"""Does each program in the how-tos of object stores and STAC run as shown?"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import anyio
import pytest
from s3_server import PLANTED_KEY, PLANTED_SECRET, S3Server, serving

from iceye_derivatives.simulator import RealClock, Simulator, TaskPlan

pytestmark = pytest.mark.anyio

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"
AT_ONCE = TaskPlan(
    accepted_after=0,
    imaged_after=0,
    fulfilled_after=0,
    derivative_delays={"DC_AIRCRAFT": 0, "DC_VEHICLES": 0, "DC_VESSELS": 0},
)


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (HOW_TO / page).read_text("utf-8"), re.DOTALL)


async def run(program: str, environ: dict[str, str], *arguments: str) -> str:
    done = await anyio.run_process(
        [sys.executable, "-W", "error", "-c", program, *arguments],
        env={**os.environ, **environ},
        stderr=subprocess.STDOUT,
        check=False,
    )
    printed = done.stdout.decode()
    assert done.returncode == 0, printed
    return printed


def of_the_store(s3: S3Server) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": s3.url,
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": PLANTED_KEY,
        "AWS_SECRET_ACCESS_KEY": PLANTED_SECRET,
    }


async def test_the_program_that_fills_a_bucket() -> None:
    [program] = blocks("object-stores.md")
    with serving() as s3:
        async with Simulator(clock=RealClock(), plan=AT_ONCE) as sim:
            task_id = sim.add_task(derivative_product_types=("DC_VESSELS",))
            place = "s3://detections/found"
            printed = await run(program, of_the_store(s3) | sim.environ, task_id, place)
        assert printed.startswith(f"{place}/{task_id}/DC_VESSELS_")
        assert len([key for key in s3.objects() if key.endswith(".geojson")]) == 1


async def test_the_programs_that_write_and_read_a_catalogue(tmp_path: Path) -> None:
    write, read = blocks("stac.md")
    async with Simulator(clock=RealClock(), plan=AT_ONCE) as sim:
        task_id = sim.add_task(derivative_product_types=("DC_VESSELS",))
        await run(write, sim.environ, task_id, str(tmp_path))
        printed = await run(read, {}, task_id, str(tmp_path))
    assert printed.startswith(f"{task_id} DC_VESSELS_")
    assert " 1220" in printed


async def test_the_program_that_prints_its_numbers(tmp_path: Path) -> None:
    [program] = blocks("telemetry.md")
    async with Simulator(clock=RealClock(), plan=AT_ONCE) as sim:
        task_id = sim.add_task(derivative_product_types=("DC_VESSELS",))
        printed = await run(program, sim.environ, task_id, str(tmp_path))
    assert "iceye.derivatives.ready_to_disk" in printed
    assert '"name": "iceye.transfer"' in printed
    assert "Signature" not in printed
