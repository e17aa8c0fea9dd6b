"""Ours as a fleet uses it: derivatives come one by one, events are looked at and let go.

Nobody keeps a list, so what is at its peak is what the library itself keeps.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from pathlib import Path

from job import Job, run
from ours import derivative, loop

from iceye_derivatives import (
    Derivative,
    DerivativesClient,
    DirectorySink,
    Downloader,
    StaticToken,
    TransferFailed,
)


async def derivatives() -> AsyncGenerator[Derivative, None]:
    """As a watch hands them out: each is made when it is asked for."""
    with Path(sys.argv[1]).with_name("links.txt").open() as lines:  # noqa: ASYNC230 - a line of it
        for line in lines:
            name, _, link = line.strip().partition(" ")
            yield derivative(name, link)


async def main(job: Job) -> None:
    """Bring them home, and keep nothing of it."""
    async with DerivativesClient(
        base_url="https://127.0.0.1", auth=StaticToken("unused")
    ) as client:
        downloader = Downloader(client, DirectorySink(job.folder), concurrency=job.connections)
        async with downloader.transfers(derivatives()) as events:
            async for event in events:
                if isinstance(event, TransferFailed):
                    raise SystemExit(f"{event.record.asset}: {event.record.error}")


if __name__ == "__main__":
    run(main, loop=loop())
