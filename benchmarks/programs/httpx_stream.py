"""httpx, a semaphore and plain files; ten at a time, at which it is quickest."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx  # noqa: ASYNC127 - raced against as people have it
from job import Job, run

AT_A_TIME = 10


async def main(job: Job) -> None:
    """A task a file, held back by a semaphore."""
    turns = asyncio.Semaphore(AT_A_TIME)
    async with httpx.AsyncClient(timeout=60) as client:

        async def fetch(link: str, path: Path) -> None:
            async with turns, client.stream("GET", link) as response:
                response.raise_for_status()
                with path.open("wb") as file:  # noqa: ASYNC230 - blocking, as httpx's manual does
                    async for chunk in response.aiter_bytes():
                        file.write(chunk)

        fetches = [fetch(link, job.folder / name) for name, link in job.links.items()]
        await asyncio.gather(*fetches)  # noqa: TID251 - as everybody does with it


if __name__ == "__main__":
    run(main)
