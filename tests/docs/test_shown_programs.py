"""Does each program that README and examples show run as shown, against the simulator?"""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import anyio
import anyio.abc
import anyio.lowlevel
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream
from shown_runs import MODELS, environ, run

from iceye_derivatives import DerivativeProductType
from iceye_derivatives.simulator import Simulator

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
RUN: set[str] = set()
"""The examples that tests below run."""


def of_example(name: str) -> pytest.MarkDecorator:
    """Give a test the program, and note that it is run."""
    RUN.add(name)
    return pytest.mark.parametrize("example", [str(ROOT / "examples" / name)], ids=[name])


def ready_task(sim: Simulator) -> str:
    return sim.add_task(derivative_product_types=MODELS)


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


def test_the_readmes_test_as_somebody_pastes_it(tmp_path: Path) -> None:
    pasted = tmp_path / "test_pasted.py"
    pasted.write_text(BLOCKS[1])

    ended = subprocess.run(  # noqa: S603  our own text
        [sys.executable, "-m", "pytest", "-q", "--basetemp", str(tmp_path / "base"), str(pasted)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stdout
    assert "1 passed" in ended.stdout
    assert len(list(tmp_path.rglob("*.geojson"))) == 1


def test_the_readme_shows_no_program_that_is_not_run() -> None:
    assert len(BLOCKS) == 2


@of_example("download.py")
async def test_the_example_that_downloads(sim: Simulator, tmp_path: Path, example: str) -> None:
    printed = await run(sim, tmp_path, example, ready_task(sim), "found")

    assert printed.count("sha256") == 3
    assert len(list((tmp_path / "found").rglob("*.geojson"))) == 3


@of_example("watch_and_resume.py")
async def test_the_example_that_watches_and_resumes(
    sim: Simulator, tmp_path: Path, example: str
) -> None:
    task_id = ready_task(sim)

    first = await run(sim, tmp_path, example, task_id, "state.json")
    second = await run(sim, tmp_path, example, task_id, "state.json")

    assert len(first.splitlines()) == 3
    assert second == ""


@of_example("fleet.py")
async def test_the_example_that_downloads_a_fleet(
    sim: Simulator, tmp_path: Path, example: str
) -> None:
    ids = [ready_task(sim) for _ in range(3)]

    first = await run(sim, tmp_path, example, "found", "fleet.json", *ids)
    second = await run(sim, tmp_path, example, "found", "fleet.json")

    assert len(first.splitlines()) == len(list((tmp_path / "found").rglob("*.geojson"))) == 9
    assert second == ""


@of_example("order.py")
async def test_the_example_that_orders(sim: Simulator, tmp_path: Path, example: str) -> None:
    printed = await run(sim, tmp_path, example, sim.contract_id)

    assert [r.path for r in sim.requests if r.method == "POST" and r.side == "api"] == [
        "/api/tasking/v2/tasks"
    ]
    assert printed.strip()


@of_example("webhook.py")
async def test_the_example_that_is_called_back(
    sim: Simulator, tmp_path: Path, example: str
) -> None:
    settings = {"WEBHOOK_USER": "iceye", "WEBHOOK_PASSWORD": "secret", "PORT": "0"}

    printed = await run(sim, tmp_path, example, ready_task(sim), **settings)

    assert printed.count(".geojson") == 3


ORDER = {"lat": 51.95, "lon": 4.05, "reference": "harbour-1"}


@asynccontextmanager
async def serving(sim: Simulator, cwd: Path, example: str) -> AsyncIterator[tuple[str, Lines]]:
    """The service as a process of its own, ended as its host ends it: its address, its lines."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with await anyio.open_process(
        [sys.executable, "-u", example, "found", "state.json", str(port)],
        env=environ(sim),
        cwd=cwd,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout is not None
        lines = Lines(process.stdout)
        try:
            await lines.until("Running on")
            yield f"http://127.0.0.1:{port}", lines
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0, await lines.rest()
        finally:
            if process.returncode is None:
                process.kill()


class Lines:
    """What a process prints, line by line."""

    def __init__(self, stream: anyio.abc.ByteReceiveStream) -> None:
        self.stream = BufferedByteReceiveStream(stream)

    async def until(self, text: str) -> str:
        while True:
            line = (await self.stream.receive_until(b"\n", 10_000)).decode()
            if text in line:
                return line

    async def rest(self) -> str:
        return b"".join([part async for part in self.stream]).decode()


def files_in(folder: Path) -> list[Path]:
    return list(folder.rglob("*.geojson"))


@of_example("service.py")
async def test_the_example_of_a_service_loses_nothing_when_it_is_stopped(
    sim: Simulator, tmp_path: Path, example: str
) -> None:
    start = datetime.fromtimestamp(sim.clock.time(), UTC) + timedelta(hours=25)
    window = {"start": start.isoformat(), "end": (start + timedelta(days=2)).isoformat()}
    sim.faults.add("stalled_body", times=None, sent=100)
    async with serving(sim, tmp_path, example) as (url, _), aiohttp.ClientSession() as caller:
        wanted = {**ORDER, **window, "contract_id": sim.contract_id}
        async with caller.post(f"{url}/tasks", json=wanted) as answer:
            assert answer.status == 202, await answer.text()
            task_id = (await answer.json())["task_id"]
        async with caller.post(f"{url}/tasks", json={"lat": 51.95}) as answer:
            assert answer.status == 400
        # Stopped only now, when the fleet has handed all out and not one file has come home.
        with anyio.fail_after(60):
            while sum(r.side == "cdn" for r in sim.requests) < len(DerivativeProductType):
                await anyio.lowlevel.checkpoint()
    assert files_in(tmp_path) == []

    sim.faults.clear()
    async with serving(sim, tmp_path, example) as (_, lines):
        for _ in DerivativeProductType:
            await lines.until(task_id)
    assert len(files_in(tmp_path / "found" / task_id)) == 3
    assert [r.method for r in sim.requests if r.path == "/api/tasking/v2/tasks"].count("POST") == 1


def test_every_example_is_run_here_and_told_of_on_their_page() -> None:
    shown = {path.name for path in (ROOT / "examples").glob("*.py")}
    page = (ROOT / "examples" / "README.md").read_text("utf-8")

    assert shown == RUN == set(re.findall(r"^\* \[`(.+?)`\]\(\1\): .+\.$", page, re.MULTILINE))
