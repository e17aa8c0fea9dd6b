"""What time is it, and how does one wait: the real clock."""

from __future__ import annotations

import time

import anyio


class SystemClock:
    """The machine's own clock; implements `iceye_derivatives.protocols.Clock`."""

    time = staticmethod(time.time)
    """Unix seconds."""

    async def sleep(self, seconds: float, /) -> None:
        """Return when that many seconds have passed; cancellable at any moment."""
        await anyio.sleep(seconds)
