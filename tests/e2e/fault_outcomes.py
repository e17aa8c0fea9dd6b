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

from iceye_derivatives import (
    ClientCredentials,
    DerivativesClient,
    DownloadReport,
    IceyeError,
    TaskStatusReceived,
)
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
LASTING_HEAD = """
## When it lasts

The same of what outages are made of: it begins when the watch has seen the task, and strikes
forty requests in a row, which takes half an hour at least.

| fault | what the user sees | files kept | then |
| --- | --- | --- | --- |
"""
LASTING = (
    "cut_connection",
    "forbidden",
    "forgotten_task",
    "html_200",
    "html_404",
    "rate_limited",
    "server_error",
    "unauthorized",
)

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

    def short_row(self, name: str) -> str:
        """A line of the table of what lasts."""
        return f"| `{name}` | {self.seen} | {self.kept} | {self.then} |"


async def outcome_of(
    fault: Fault, folder: Path, patience: float = 0.1, *, lasting: bool = False
) -> Outcome:
    """Let the fault strike three requests of a run, or forty, then run again without it."""
    quick = TaskPlan(
        accepted_after=60,
        imaged_after=600,
        derivative_delays={"DC_VESSELS": 60, "DC_VEHICLES": 600, "DC_AIRCRAFT": 1200},
    )
    # The clock's own pause, too: a thread that is late must not be overtaken by virtual hours.
    clock = VirtualClock(pause=patience / 50)
    async with Simulator(clock=clock, seed=5, detections=20, plan=quick) as sim:
        task_id = sim.add_task(derivative_product_types=ALL_TYPES)
        if not lasting:
            sim.faults.add(fault.name, times=3)
        first = await run(sim, task_id, folder, patience, lasting=fault.name if lasting else None)
        kept = len(final_names(folder))
        sim.faults.clear()
        await sim.clock.sleep(3700)
        second = await run(sim, task_id, folder, patience)
        return Outcome(seen=told(first), kept=kept, then=told(second))


async def run(
    sim: Simulator, task_id: str, folder: Path, patience: float, *, lasting: str | None = None
) -> DownloadReport | IceyeError:
    """One program's life; `patience` in real seconds, after which silence is a stall.

    A `lasting` fault begins in the midst of it.
    """
    waiting = [] if lasting is None else [lasting]

    def hear(event: object) -> None:
        if isinstance(event, TaskStatusReceived) and waiting:
            sim.faults.add(waiting.pop(), times=40, side="api")

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
                task_id,
                folder,
                timeout=86_400,
                max_failures=8 if lasting is None else 60,
                concurrency=1,
                on_event=hear,
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
    page = HEAD + "\n".join(rows) + "\n" + LASTING_HEAD
    for name in LASTING:
        with tempfile.TemporaryDirectory() as folder:
            outcome = await outcome_of(KNOWN[name], Path(folder), PATIENT, lasting=True)
            page += outcome.short_row(name) + "\n"
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
