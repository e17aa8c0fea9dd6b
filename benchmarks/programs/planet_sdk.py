"""Planet's SDK: its own session and its own body writer, without its limit of ten a second.

The limit is taken out, as it is the API's and says nothing about the code.  Ten at a time: its HTTP
library gets slower with each connection that it keeps.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path

import planet
from job import Job, run
from planet.models import StreamingBody

AT_A_TIME = 10


async def main(job: Job) -> None:
    """A task a file, held back by a semaphore."""
    turns = asyncio.Semaphore(AT_A_TIME)
    free: AbstractAsyncContextManager[None] = nullcontext()
    async with planet.Session(auth=planet.Auth.from_key("unused")) as session:
        session._limiter = free  # noqa: SLF001 - there is no other way to take it out

        async def fetch(link: str, path: Path) -> None:
            async with turns, session.stream(method="GET", url=link) as response:
                await StreamingBody(response).write(path, overwrite=True, progress_bar=False)

        fetches = [fetch(link, job.folder / name) for name, link in job.links.items()]
        await asyncio.gather(*fetches)  # noqa: TID251 - as its own manual does


if __name__ == "__main__":
    run(main)
