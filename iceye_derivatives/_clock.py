"""What time is it, and how does one wait, by this machine's clock?"""

from __future__ import annotations

import time
from typing import Final

import anyio

__all__ = ["SystemClock"]

_STEP: Final = 60.0
"""Seconds between two looks at the time of day during a long wait."""


class SystemClock:
    """The machine's own clock; implements `iceye_derivatives.protocols.Clock`."""

    time = staticmethod(time.time)
    """Unix seconds."""

    async def sleep(self, seconds: float, /) -> None:
        """Return when that many seconds have passed; cancellable at any moment.

        A long wait ends as well, within a minute, when the time of day says that they have: what
        the event loop counts stands still on Linux while the machine is suspended.  Where the clock
        is set back, it takes no longer than was asked for.
        """
        due, ends = self.time() + seconds, anyio.current_time() + seconds
        while (left := ends - anyio.current_time()) > _STEP:
            await anyio.sleep(_STEP)
            if self.time() >= due:
                return
        await anyio.sleep(left)
