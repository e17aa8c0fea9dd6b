"""What time is it for a client: the machine's time, or a simulator's that runs fast?

A client of a simulator whose days pass in seconds has to wait in the same time.  Else it would
sleep for real hours until a window opens that opened a second ago.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from urllib.parse import urlsplit

import anyio

from iceye_derivatives._clock import SystemClock
from iceye_derivatives._core.addresses import is_loopback
from iceye_derivatives.errors import ConfigurationError
from iceye_derivatives.protocols import Clock

__all__ = ["VARIABLE", "TimeLapse", "clock_from", "leads_here", "spell_clock"]

VARIABLE = "ICEYE_SIMULATED_CLOCK"
"""Set by ``iceye-derivatives simulate``: ``SPEED MOMENT WALL``, all numbers, where the simulated
time was MOMENT (Unix seconds) when the machine's clock showed WALL."""


class TimeLapse:
    """Time that runs fast, and slower from one moment on: days pass, then there is much to see.

    It is a clock of the library and of the simulator alike.

    Args:
        fast: Simulated seconds in a real one, at first.
        slow: The same from `slow_from` on.
        slow_from: A simulated moment, in Unix seconds.
        start: The simulated moment at `zero`; None starts now.
        zero: What `real` shows then; None: what it shows now.
        real: The seconds that pass by themselves.
    """

    def __init__(
        self,
        *,
        fast: float,
        slow: float | None = None,
        slow_from: float = math.inf,
        start: float | None = None,
        zero: float | None = None,
        real: Callable[[], float] | None = None,
    ) -> None:
        self._real = SystemClock().time if real is None else real
        self._zero = self._real() if zero is None else zero
        self._start = self._zero if start is None else start
        self._fast = fast
        self._slow = fast if slow is None else slow
        # Where the two speeds meet, on both scales.
        self._bend = max(slow_from, self._start)
        self._bend_real = (self._bend - self._start) / self._fast

    @property
    def speed(self) -> float:
        """Simulated seconds in a real one, now."""
        return self._fast if self.time() < self._bend else self._slow

    def time(self) -> float:
        """Simulated Unix seconds."""
        passed = self._real() - self._zero
        if passed < self._bend_real:
            return self._start + passed * self._fast
        return self._bend + (passed - self._bend_real) * self._slow

    async def sleep(self, seconds: float, /) -> None:
        """Return when that many simulated seconds have passed; cancellable at any moment."""
        passed = self._real() - self._zero
        await anyio.sleep(max(0.0, self._passed_at(self.time() + seconds) - passed))

    def hold(self) -> AbstractContextManager[None]:
        """Do nothing: this time cannot be stopped (a simulator asks for it before it works)."""
        return nullcontext()

    def _passed_at(self, moment: float) -> float:
        if moment < self._bend:
            return (moment - self._start) / self._fast
        return self._bend_real + (moment - self._bend) / self._slow


def spell_clock(*, speed: float, moment: float, wall: float) -> str:
    """The value of `VARIABLE`: simulated time was `moment` when the machine's was `wall`."""
    return f"{speed:g} {moment:.3f} {wall:.3f}"


def clock_from(environ: Mapping[str, str]) -> Clock:
    """The machine's clock, or the simulated one that the environment describes.

    Raises:
        ConfigurationError: the variable cannot be read, or the API is not on this machine: with an
            hour in each second, ICEYE would be asked thousands of times more often than is polite.
    """
    text = environ.get(VARIABLE, "").strip()
    if not text:
        return SystemClock()
    if not leads_here(environ.get("ICEYE_API_BASE_URL", "")):
        raise ConfigurationError(
            f"{VARIABLE} is set, but ICEYE_API_BASE_URL leads to no simulator on this machine: "
            f"unset {VARIABLE}"
        )
    try:
        speed, moment, wall = (float(part) for part in text.split())
    except ValueError:
        speed = moment = wall = math.nan
    if not (0 < speed < math.inf and math.isfinite(moment) and math.isfinite(wall)):
        raise ConfigurationError(
            f"{VARIABLE} cannot be read: take it as `iceye-derivatives simulate` printed it"
        )
    return TimeLapse(fast=speed, start=moment, zero=wall)


def leads_here(url: str) -> bool:
    """Whether the URL is one of this machine's; as strict as the rule for plain http."""
    try:
        host = urlsplit(url.strip()).hostname or ""
    except ValueError:
        return False
    return is_loopback(host)
