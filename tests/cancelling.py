"""How is a task cancelled in both ways: by asyncio itself, and by a scope of anyio's?"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import anyio


def begun(
    work: Callable[[], Awaitable[object]], *, plainly: bool
) -> tuple[asyncio.Task[None], Callable[[], object]]:
    """A task, and what cancels it: `task.cancel()`, which no shield holds off, or its scope."""
    scope = anyio.CancelScope()

    async def run() -> None:
        with scope:
            await work()

    task = asyncio.get_running_loop().create_task(run())
    return task, task.cancel if plainly else scope.cancel
