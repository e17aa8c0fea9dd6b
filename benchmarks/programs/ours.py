"""Ours: the public `Downloader` with its defaults, so with all checks, over a client.

It runs as a plain install does, even where more is installed; ``--speed`` is the extra of that name
and needs it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

# Ours imports these late; the others' watches start after their imports.
import aiohttp  # noqa: F401
import anyio._backends._asyncio  # noqa: F401
from job import Job, run

import iceye_derivatives._transport.lanes  # noqa: F401
from iceye_derivatives import (
    Asset,
    Derivative,
    DerivativesClient,
    DirectorySink,
    Downloader,
    StaticToken,
)
from iceye_derivatives._core.signed_url import read_signed_url

TASK = "7fb95g75-6828-5673-c4gd-3d074g77bgb7"


def derivative(name: str, link: str) -> Derivative:
    """One of the task, as a look would show it."""
    return Derivative(
        id=name.partition(".")[0],
        task_id=TASK,
        product_type="DC_VESSELS",
        assets=(Asset(type=name.rpartition(".")[2], url=read_signed_url(link)),),
    )


async def main(job: Job) -> None:
    """Bring them home; the API is never asked, since no link dies on the way."""
    async with DerivativesClient(
        base_url="https://127.0.0.1", auth=StaticToken("unused")
    ) as client:
        downloader = Downloader(client, DirectorySink(job.folder), concurrency=job.connections)
        report = await downloader.download([derivative(*link) for link in job.links.items()])
    report.raise_for_failures()


def loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Python's own, or uvloop's; without the extra, no other parser is there either."""
    if "--speed" not in sys.argv:
        for name in ("msgspec", "orjson"):
            sys.modules[name] = None  # type: ignore[assignment] # Python's way to say: not there
        return None
    import msgspec  # noqa: F401, PLC0415 - the library falls back quietly, a benchmark must not
    import orjson  # noqa: F401, PLC0415 - the library falls back quietly, a benchmark must not
    import uvloop  # noqa: PLC0415 - the extra

    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


if __name__ == "__main__":
    run(main, loop=loop())
