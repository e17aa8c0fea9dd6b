"""What is a client told, and how does it tell its time?

All programs of this folder run alike: read the job, bring its files home, print two numbers.  The
interpreter's start and the imports lie before the watch is started.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Job", "run"]


@dataclass(frozen=True, kw_only=True)
class Job:
    """Files to bring home."""

    links: dict[str, str]
    """By the name that each file shall get."""
    folder: Path
    """Where to: it is there, and empty."""
    connections: int
    """At a time, for a client that takes a number."""


def run(
    main: Callable[[Job], Awaitable[object]],
    *,
    loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> None:
    """Do the job whose file is named on the command line; print the seconds and the CPU's."""
    told = json.loads(Path(sys.argv[1]).read_text())
    job = Job(links=told["links"], folder=Path(told["folder"]), connections=told["connections"])

    async def work() -> None:
        await main(job)

    begun, worked = time.perf_counter(), time.process_time()
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(work())
    seconds, cpu = time.perf_counter() - begun, time.process_time() - worked
    print(json.dumps({"seconds": seconds, "cpu": cpu} | _peak()))


def _peak() -> dict[str, int]:
    """Bytes at our peak: ours alone, where `getrusage` begins with those of who started us."""
    told = Path("/proc/self/status")
    lines = told.read_text().splitlines() if told.exists() else []
    peaks = [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")]
    return {"rss": peaks[0]} if peaks else {}
