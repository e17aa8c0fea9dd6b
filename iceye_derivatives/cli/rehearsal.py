"""How is the simulator set up so that a task of days makes a demo of twenty seconds?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random

from iceye_derivatives._lapse import TimeLapse
from iceye_derivatives.simulator import Simulator, TaskPlan

__all__ = ["Rehearsal"]

HOUR, MINUTE = 3600.0, 60.0
FAST, SLOW = 6 * HOUR, 100.0
"""Six hours in a second until there is something to see, then a minute and forty seconds."""
AHEAD = timedelta(hours=36)
LINK_SECONDS = 10.0
"""Real seconds that a link lives at least."""
CURTAIN = 4 * MINUTE
"""How long before the first derivative the time slows down."""

# Once a window is open, a watch may look an hour and a half apart: the first derivative comes later
# than that after FULFILLED, so that the watch is there when it does.
PLAN = TaskPlan(
    imaged_into_window=2 * HOUR,
    fulfilled_after=10 * MINUTE,
    done_after=2 * HOUR,
    derivative_delays={
        "DC_VESSELS": 100 * MINUTE,
        "DC_VEHICLES": 108 * MINUTE,
        "DC_AIRCRAFT": 117 * MINUTE,
    },
)


class Rehearsal:
    """A simulator, its clock, and the window to order for.

    Args:
        speed: One speed for all of it; None runs fast first and slow then.
        seed: What ids, detections and pauses follow from.
        detections: How many each file holds.
    """

    def __init__(self, *, speed: float | None, seed: int, detections: int) -> None:
        now = TimeLapse(fast=1.0).time()
        hour = datetime.fromtimestamp(now, UTC).replace(minute=0, second=0, microsecond=0)
        self.window_start = hour + AHEAD
        first_news = (
            self.window_start.timestamp()
            + PLAN.imaged_into_window
            + PLAN.fulfilled_after
            + min(PLAN.derivative_delays.values())
        )
        if speed is None:
            self.clock = TimeLapse(fast=FAST, slow=SLOW, slow_from=first_news - CURTAIN, start=now)
        else:
            self.clock = TimeLapse(fast=speed, start=now)
        self.jitter: Callable[[], float] = Random(seed).random  # noqa: S311  spreads polls
        self.simulator = Simulator(
            seed=seed,
            clock=self.clock,
            plan=PLAN,
            detections=detections,
            # ICEYE's hour is over in a moment where hours pass in one: before a request arrives.
            token_lifetime=14 * 24 * HOUR,
            link_lifetime=HOUR if speed is None else max(HOUR, LINK_SECONDS * speed),
        )

    def say_time(self) -> str:
        """The simulated time of day, and how fast it passes."""
        then = datetime.fromtimestamp(self.clock.time(), UTC)
        return f"simulated time {then:%a %d %b %H:%M} UTC, {pace(self.clock.speed)}"


def pace(speed: float) -> str:
    """How fast time passes, for people."""
    if speed >= HOUR:
        return f"{speed / HOUR:.3g} h a second"
    return f"{speed:.3g} times as fast as life"
