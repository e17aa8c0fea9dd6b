"""How do all triggers of one triggerer share a client: one rate limit, one token, one pool?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

import anyio
from attrs import define, field

from iceye_derivatives import DerivativesClient
from iceye_derivatives.airflow.hook import IceyeHook

__all__ = ["shared_client"]


@define
class _Shared:
    """A client and how many triggers use it."""

    opening: anyio.Lock = field(factory=anyio.Lock)
    client: DerivativesClient | None = None
    users: int = 0


# By event loop: sockets belong to the loop that opened them, and tests have many.
_shared: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, _Shared]] = WeakKeyDictionary()


@asynccontextmanager
async def shared_client(iceye_conn_id: str) -> AsyncGenerator[DerivativesClient, None]:
    """The client of a connection; the last one to leave closes it.

    A connection that is changed while triggers use it is read anew when all of them have ended, or
    when the triggerer is restarted.
    """
    known = _shared.setdefault(asyncio.get_running_loop(), {})
    shared = known.setdefault(iceye_conn_id, _Shared())
    shared.users += 1
    try:
        async with shared.opening:
            if shared.client is None:
                shared.client = await IceyeHook(iceye_conn_id).aget_client()
        yield shared.client
    finally:
        shared.users -= 1
        if not shared.users:
            del known[iceye_conn_id]
            if shared.client is not None:
                await shared.client.aclose()
