"""What does a user see of each fault, and what is kept: the rows of ``docs/faults.md``.

``python tests/e2e/fault_outcomes.py`` writes the page anew; `test_fault_table.py` sees that it is
what the library does.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from attrs import frozen
from helpers import ALL_TYPES, final_names

from iceye_derivatives import ClientCredentials, DerivativesClient, DownloadReport, IceyeError
from iceye_derivatives.simulator import FAULTS, LIES, Fault, Simulator, TaskPlan, VirtualClock

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
KNOWN = FAULTS | LIES
HEAD = """# Faults

What a user of `download_task()` sees of each fault of the simulator, and what is kept.
Made by `tests/e2e/fault_outcomes.py`, and checked in CI.
Each fault strikes the first three requests that it can strike, on a task with three derivatives.
"Then" is the next run, after the fault has passed.

| fault | where | what goes wrong | what the user sees | files kept | then |
| --- | --- | --- | --- | --- | --- |
"""


PATIENT = 1.0
"""Real seconds in which even a busy machine goes on; a silent server takes all of them."""


@frozen(kw_only=True)
class Outcome:
    """How a run under one fault ended, and the next one without it."""

    seen: str
    kept: int
    then: str

    def row(self, fault: Fault) -> str:
        """A line of the table."""
        what = fault.description.replace("|", "\\|")
        side = fault.sides[0]
        return f"| `{fault.name}` | {side} | {what} | {self.seen} | {self.kept} | {self.then} |"


async def outcome_of(fault: Fault, folder: Path, patience: float = 0.1) -> Outcome:
    """Let the fault strike three requests of a run, then run again without it."""
    quick = TaskPlan(
        accepted_after=60,
        imaged_after=600,
        derivative_delays={"DC_VESSELS": 60, "DC_VEHICLES": 600, "DC_AIRCRAFT": 1200},
    )
    # The clock's own pause, too: a thread that is late must not be overtaken by virtual hours.
    clock = VirtualClock(pause=patience / 50)
    async with Simulator(clock=clock, seed=5, detections=20, plan=quick) as sim:
        task_id = sim.add_task(derivative_product_types=ALL_TYPES)
        sim.faults.add(fault.name, times=3)
        first = await run(sim, task_id, folder, patience)
        kept = len(final_names(folder))
        sim.faults.clear()
        await sim.clock.sleep(3700)
        second = await run(sim, task_id, folder, patience)
        return Outcome(seen=told(first), kept=kept, then=told(second))


async def run(
    sim: Simulator, task_id: str, folder: Path, patience: float
) -> DownloadReport | IceyeError:
    """One program's life; `patience` in real seconds, after which silence is a stall."""
    auth = ClientCredentials(
        sim.token_url, sim.client_id, sim.client_secret, timeout=patience, clock=sim.clock
    )
    async with DerivativesClient(
        base_url=sim.api_base_url,
        auth=auth,
        clock=sim.clock,
        jitter=lambda: 0.5,
        answer_timeout=patience,
        read_timeout=patience,
    ) as client:
        try:
            return await client.download_task(
                task_id, folder, timeout=86_400, max_failures=8, concurrency=1
            )
        except IceyeError as error:
            return error


def told(end: DownloadReport | IceyeError) -> str:
    """One end in a few words."""
    if isinstance(end, IceyeError):
        return f"`{type(end).__name__}`"
    failures = [f"`{type(record.error).__name__}`" for record in end.failures]
    if failures:
        kinds = ", ".join(sorted(set(failures)))
        return f"{kinds} for {len(failures)} of {len(end.files)} files"
    return f"nothing: {len(end.files)} files are whole"


async def main() -> None:
    """Write the page."""
    rows = []
    for name in sorted(KNOWN):
        with tempfile.TemporaryDirectory() as folder:
            rows.append((await outcome_of(KNOWN[name], Path(folder), PATIENT)).row(KNOWN[name]))
    PAGE.write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
