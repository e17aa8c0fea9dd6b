"""Records the pages' pictures of the terminal: the real program, before the simulator.

``nox -s pictures``, or ``python docs/draw_terminal.py`` where the package has its extra cli.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random

import anyio

from iceye_derivatives._clock import SystemClock
from iceye_derivatives._lapse import VARIABLE, TimeLapse, spell_clock
from iceye_derivatives.simulator import Simulator, TaskPlan

HERE = Path(__file__).parent
PROGRAM = (sys.executable, "-m", "iceye_derivatives")
HOUR, MINUTE = 3600.0, 60.0
TASKS, REFUSED = 200, 41
"""How many there are, and which of them, counted round, the provider rejects."""
SPEED = HOUR


def plans() -> list[TaskPlan]:
    """Images over a day, and derivatives within two hours of each."""
    chance = Random(7)  # noqa: S311  nothing is secret about it
    return [
        TaskPlan(
            accepted_after=chance.uniform(2, 30) * MINUTE,
            imaged_after=chance.uniform(1, 20) * HOUR,
            fulfilled_after=chance.uniform(10, 60) * MINUTE,
            derivative_delays={
                name: chance.uniform(15, 120) * MINUTE
                for name in ("DC_VESSELS", "DC_VEHICLES", "DC_AIRCRAFT")
            },
            outcome="REJECTED" if number % REFUSED == 1 else "DONE",
        )
        for number in range(TASKS)
    ]


async def many(folder: Path) -> None:
    """Two hundred tasks, a day of them in half a minute."""
    clock = TimeLapse(fast=SPEED)
    simulator = Simulator(
        clock=clock, detections=40, token_lifetime=MINUTE * SPEED, link_lifetime=MINUTE * SPEED
    )
    async with simulator as sim:
        ids = [sim.add_task(plan=plan) for plan in plans()]
        (folder / "tasks.txt").write_text("\n".join(ids))
        now = {VARIABLE: spell_clock(speed=SPEED, moment=clock.time(), wall=SystemClock().time())}
        command = ("download", "--ids-from", "tasks.txt", "--to", "detections")
        await anyio.run_process(
            (*PROGRAM, *command, "--record", str(HERE / "many.svg")),
            cwd=folder,
            env={**os.environ, **sim.environ, **now},
            check=False,  # some tasks are rejected, and that is an exit code of its own
        )


def main() -> None:
    """Draw both."""
    with tempfile.TemporaryDirectory() as name:
        subprocess.run(  # noqa: S603  our own program
            (*PROGRAM, "demo", "--simulator", "--record", str(HERE / "demo.svg")),
            cwd=name,
            check=True,
        )
        anyio.run(many, Path(name))


if __name__ == "__main__":
    main()
