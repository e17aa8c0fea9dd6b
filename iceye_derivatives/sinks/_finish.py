"""How is a call to a thread finished, whatever is cancelled meanwhile?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

__all__ = ["finish"]

T = TypeVar("T")


def _nothing() -> None:
    pass


async def finish(
    call: Callable[[], Awaitable[T]], *, on_cancel: Callable[[], object] = _nothing
) -> T:
    """Await `call()` to its end; a cancellation waits for that and only then goes on.

    A thread cannot be cancelled: awaiting it the plain way would return at once while it went on
    writing behind our back.  A shielded scope alone does not do: it holds off anyio's
    cancellations, but not the plain ones of asyncio (``task.cancel()``, ``asyncio.timeout``).  So
    the call runs in a task of its own, which nobody cancels, and a task group waits for it.  One
    thing still does: `asyncio.run` cancels every task that is left when its own has ended.  Then
    the thread goes on alone, and whoever closes what it works on waits for it there.

    Args:
        call: What to run; it keeps its own result where losing it would lose a handle.
        on_cancel: Called when a cancellation comes while the call runs, e.g. to tell it to hurry.
    """
    results: list[T] = []
    errors: list[Exception] = []
    done = anyio.Event()

    async def run() -> None:
        try:
            with anyio.CancelScope(shield=True):
                results.append(await call())
        except Exception as error:  # noqa: BLE001 - raised again below, free of the task group
            errors.append(error)
        finally:
            done.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run)
        try:
            await done.wait()
        except BaseException:
            on_cancel()
            raise
    if errors:
        raise errors[0]
    return results[0]
