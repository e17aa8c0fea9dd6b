"""What outlives a fault: links that die, what a cache keeps, how much was asked of late."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    from iceye_derivatives.simulator.messages import Answer


@define(kw_only=True)
class Memory:
    """What faults leave behind, for the requests that come after.

    Attributes:
        deaths: For a link's target, the moment from which it is refused, in Unix seconds.
        cached: For a path at the CDN, an answer and the moment until which it is given.
        arrivals: The moments of the requests that a throttle counts, oldest first.
    """

    deaths: dict[str, float] = field(factory=dict)
    cached: dict[str, tuple[float, Answer]] = field(factory=dict)
    arrivals: deque[float] = field(factory=deque)

    def is_dead(self, target: str, *, now: float) -> bool:
        """Say whether a link is dead, whatever it states of its own expiry."""
        return self.deaths.get(target, float("inf")) <= now

    def kept(self, path: str, *, now: float) -> Answer | None:
        """Give what a cache still answers for a path, whatever is there by now."""
        until, answer = self.cached.get(path, (now, None))
        return answer if now < until else None
