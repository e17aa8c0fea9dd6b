"""obstore's `HTTPStore`: Rust below Python; on links without a query, which it cannot send."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

from job import Job, run
from obstore.store import HTTPStore


async def main(job: Job) -> None:
    """A task a file, held back by a semaphore."""
    turns = asyncio.Semaphore(job.connections)
    first = urlsplit(next(iter(job.links.values())))
    # It has no option for an authority of one's own, so it trusts whatever is shown to it.
    store = HTTPStore(
        f"{first.scheme}://{first.netloc}",
        client_options={"allow_invalid_certificates": True, "allow_http": True},
    )

    async def fetch(link: str, path: Path) -> None:
        async with turns:
            result = await store.get_async(urlsplit(link).path.removeprefix("/"))
            with path.open("wb") as file:  # noqa: ASYNC230 - its own manual writes like that
                async for chunk in result.stream():
                    file.write(chunk)

    fetches = [fetch(link, job.folder / name) for name, link in job.links.items()]
    await asyncio.gather(*fetches)  # noqa: TID251 - as its own manual does


if __name__ == "__main__":
    run(main)
