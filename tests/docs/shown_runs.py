"""How is a program that a page shows run, as a user would, before a simulator?"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import anyio

from iceye_derivatives.simulator import Simulator

__all__ = ["MODELS", "environ", "run"]

MODELS = ("DC_AIRCRAFT", "DC_VEHICLES", "DC_VESSELS")


def environ(sim: Simulator) -> dict[str, str]:
    """Without the development mode of the tests, which prints what a user does not see."""
    return {k: v for k, v in os.environ.items() if k != "PYTHONDEVMODE"} | sim.environ


async def run(sim: Simulator, cwd: Path | None, *arguments: str, **settings: str) -> str:
    """What Python printed that was started with these arguments; its own error is the test's."""
    done = await anyio.run_process(
        [sys.executable, *arguments],
        env=environ(sim) | settings,
        cwd=cwd,
        stderr=subprocess.STDOUT,
        check=False,
    )
    printed = done.stdout.decode()
    assert done.returncode == 0, printed
    return printed
