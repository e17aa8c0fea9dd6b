"""How is a task cancelled: in both ways that there are, and at a chosen turn of the loop?"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

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


async def cut_short(job: Any, turn: int | None) -> None:
    """Run a coroutine function; cancel it at the n-th turn of the loop."""
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(job())  # noqa: TID251  awaited here; a group would die with it
    turns = 0

    def count() -> None:
        nonlocal turns
        turns += 1
        if turns == turn:
            task.cancel()
        elif not task.done():
            loop.call_soon(count)

    if turn is not None:
        loop.call_soon(count)
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()
