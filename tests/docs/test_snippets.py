"""Is each snippet of each page run, or marked with the reason why not?"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from anyio.abc import Process
from shown import ROOT, Block, blocks, pages, typed

from iceye_derivatives.simulator import RealClock, Simulator, VirtualClock

pytestmark = pytest.mark.anyio

ELSEWHERE = {
    "README.md": "tests/docs/test_shown_programs.py",
    "docs/testing.md": "tests/simulator/test_sim_pytest_plugin.py",
    "docs/how-to/detections.md": "tests/extras/test_shown_geo.py",
    "docs/how-to/map.md": "tests/extras/test_shown_geo.py",
}
"""Pages whose snippets are run by tests of their own; a new page says so by a mark."""
REASONS = {
    "CONTRIBUTING.md": "it sets up a checkout, and what CI runs is that",
    "benchmarks/README.md": "each takes minutes, and wants a machine that does nothing else",
}
"""Pages whose snippets no test runs."""


def here(page: str) -> list[Block]:
    """The snippets that are run in this file."""
    if page in ELSEWHERE or page in REASONS:
        return []
    return [b for b in blocks(page) if b.mark("not run") is None and b.mark("run by") is None]


HERE = [page for page in pages() if here(page)]


class Shell:
    """A shell that is typed into, so that one step knows the variables of those before it."""

    END = "-- the end of a step --"

    def __init__(self, process: Process) -> None:
        self._process = process
        self._rest = ""

    async def type(self, command: str) -> str:
        """What the command printed; `AssertionError` with it where it failed."""
        assert self._process.stdin is not None
        ends = f'echo "{self.END}$?"'
        await self._process.stdin.send(f"{command}\n{ends}\n".encode())
        printed, code = await self._read()
        assert code == "0", f"{command}\n{printed}"
        return printed

    async def _read(self) -> tuple[str, str]:
        assert self._process.stdout is not None
        while self.END not in self._rest or not self._rest.endswith("\n"):
            self._rest += (await self._process.stdout.receive()).decode()
        printed, _, code = self._rest.partition(self.END)
        self._rest = ""
        return printed, code.strip()


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    """A simulator whose time stands still but where a page lets it pass."""
    clock = VirtualClock(start=RealClock().time(), auto=False)
    async with Simulator(clock=clock, detections=5) as simulator:
        yield simulator


@pytest.mark.parametrize("page", HERE)
async def test_each_step_prints_what_the_page_says(
    page: str, sim: Simulator, tmp_path: Path
) -> None:
    environ = {k: v for k, v in os.environ.items() if k not in {"PYTHONDEVMODE", "ICEYE_TASK"}}
    beside = Path(sys.executable).parent
    environ |= sim.environ | {"PATH": f"{beside}:{os.environ['PATH']}", "TERM": "dumb"}
    if not any(block.mark("the task") for block in here(page)):
        environ["TASK"] = sim.add_task()
        sim.clock.advance(30 * 3600)
    async with await anyio.open_process(
        ["bash"], env=environ, cwd=tmp_path, stderr=subprocess.STDOUT
    ) as process:
        shell = Shell(process)
        for block in here(page):
            await play(block, shell, sim)
        assert process.stdin is not None
        await process.stdin.aclose()


async def play(block: Block, shell: Shell, sim: Simulator) -> None:
    if (name := block.mark("the task")) is not None:
        await shell.type(f"export {name}={sim.add_task()}")
    if (passes := block.mark("time passes")) is not None:
        sim.clock.advance(float(passes.removesuffix(" seconds")))
    for command, expected in typed(block):
        printed = await shell.type(command)
        where = f"{block.page}:{block.line}"
        assert not expected or printed == expected, where


@pytest.mark.parametrize("page", pages())
def test_no_snippet_is_forgotten(page: str) -> None:
    """What runs elsewhere is named there, what runs nowhere says why; the rest runs here."""
    for block in blocks(page):
        where = f"{page}:{block.line}"
        reason = block.mark("not run") or REASONS.get(page)
        assert reason is None or len(reason) > 15, f"{where}: say why it cannot be run"
        by = (block.mark("run by") or ELSEWHERE.get(page, "")).partition(",")[0]
        if by and reason is None:
            assert (ROOT / by).is_file(), f"{where}: there is no {by}"
            assert Path(page).name in (ROOT / by).read_text("utf-8"), f"{where}: {by} reads it not"


def test_a_block_that_nobody_runs_would_be_found() -> None:
    """The walk sees blocks in every language that we run, whatever stands around them."""
    counted = sum(
        len(
            re.findall(
                r"^```(?:console|python|sh)\b", (ROOT / page).read_text("utf-8"), re.MULTILINE
            )
        )
        for page in pages()
    )
    assert counted == sum(len(blocks(page)) for page in pages()) > 20
