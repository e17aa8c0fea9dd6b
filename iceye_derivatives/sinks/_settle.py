"""How is a request to a store finished or dropped when somebody cancels meanwhile?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import anyio

from iceye_derivatives.sinks._finish import finish

__all__ = ["GRACE", "settle"]

T = TypeVar("T")

GRACE: Final = 5.0
"""Seconds: longer than a healthy store takes, and what a Ctrl-C may wait for one that hangs."""


async def settle(call: Callable[[], Awaitable[T]]) -> T:
    """Await a request; a cancellation lets it end within `GRACE` seconds, and then drops it.

    A request that was dropped may still have reached the store.  That breaks no promise: a store
    publishes an object whole or not at all, and what is sent is checked before it is.
    """
    scope = anyio.CancelScope()

    async def bounded() -> T:
        with scope:
            return await call()
        # Only after a cancellation, which is raised instead: nobody sees this.
        raise TimeoutError

    def hurry() -> None:
        scope.deadline = anyio.current_time() + GRACE

    return await finish(bounded, on_cancel=hurry)
