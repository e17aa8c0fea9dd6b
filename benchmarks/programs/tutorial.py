"""The loop of a hundred tutorials: aiohttp, aiofiles, a semaphore; no check but of the status."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiofiles
import aiohttp
from job import Job, run

CHUNK = 64 * 1024


async def main(job: Job) -> None:
    """A task a file, all at once, held back by the semaphore."""
    turns = asyncio.Semaphore(job.connections)
    connector = aiohttp.TCPConnector(limit=job.connections)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def fetch(link: str, path: Path) -> None:
            async with turns, session.get(link) as response:
                response.raise_for_status()
                async with aiofiles.open(path, "wb") as file:
                    async for chunk in response.content.iter_chunked(CHUNK):
                        await file.write(chunk)

        fetches = [fetch(link, job.folder / name) for name, link in job.links.items()]
        await asyncio.gather(*fetches)  # noqa: TID251 - as the tutorials do


if __name__ == "__main__":
    run(main)
