"""May the next request go now, or how long does it wait, and how fast may it be at all?

A token bucket, kept as one number: the moment at which the bucket is full again (GCRA, the
"generic cell rate algorithm").  The law: in any T seconds at most ``burst + rate * T`` requests go.
Nothing is reserved ahead, so a caller that is cancelled while it waits costs nobody a slot.

The rate that is set is the most there ever is.  A 429 halves it, once for all requests that were on
their way together; then it comes back by the same small step each second (additive increase,
multiplicative decrease: the rule by which TCP shares a line whose width nobody tells).
"""

from __future__ import annotations

from enum import Enum
from math import inf

from attrs import frozen

from iceye_derivatives.errors import ConfigurationError

__all__ = ["Pacer", "PacerState", "Urgency"]

# Seconds.  Unix time as a float has steps of a quarter of a microsecond, so a shorter wait might
# not move the clock at all and be asked for for ever.
_TOO_SHORT = 1e-6
_CUT = 0.5
_LOWEST = 1 / 64
"""The lowest rate, as a share of the one that is set: six refusals in a row lead there."""
_RECOVERY = 600.0
"""Seconds from nothing to the whole rate: slow, as each step may lead to the next refusal."""


class Urgency(Enum):
    """How long a request may let others go first, in seconds: earliest deadline first.

    So a link that is dying is renewed before a hundred waiting polls, those go in the order in
    which they came, and none waits for ever behind what is more urgent but came later.
    """

    RENEWAL = 0.0
    """A transfer stands still until its link is renewed."""
    CALL = 5.0
    """Somebody waits for the answer."""
    POLL = 30.0
    """One look of a watch that waits for hours anyway."""


@frozen(kw_only=True)
class PacerState:
    """How fast a client may go."""

    rate: float
    """Requests a second at this moment."""
    set_rate: float
    """Requests a second at best."""
    paused: float
    """Seconds of silence that the API has asked for and that are still to pass."""


class Pacer:
    """One rate for all calls of a client.

    Args:
        rate: requests a second, in the long run.  ICEYE publishes no number; five a second are
            far below what a person with a browser causes.
        burst: requests that may go at once after a rest.
    """

    def __init__(self, *, rate: float = 5.0, burst: int = 10) -> None:
        if not 0 < rate < inf or burst < 1:
            raise ConfigurationError(
                f"A pace of {rate} requests a second and {burst} at once cannot be kept; "
                "give a rate above 0 and a burst of at least 1"
            )
        self._set_rate = rate
        self._interval = 1 / rate
        self._depth = burst * self._interval
        self._full_at = -inf
        self._paused_until = -inf
        self._longest_pause = 0.0
        self._cut_at: float | None = None
        self._cut_to = rate

    def request(self, now: float) -> float:
        """Ask for a slot.

        Args:
            now: Unix seconds.

        Returns:
            0.0 where the slot is taken and the request goes now, else the seconds to wait before
            asking again.
        """
        interval = self._interval if self._cut_at is None else 1 / self.rate(now)
        # Clocks are set back.  Neither number can lie further ahead than this by itself, so what
        # does is left over from before: without the cap, an hour set back is an hour of silence.
        depth = max(self._depth, interval)
        self._paused_until = min(self._paused_until, now + self._longest_pause)
        self._full_at = min(self._full_at, max(now, self._paused_until) + depth)
        full_at = max(now, self._full_at)
        wait = max(self._paused_until - now, full_at + interval - depth - now)
        if wait > _TOO_SHORT:
            return wait
        self._full_at = full_at + interval
        return 0.0

    def rate(self, now: float) -> float:
        """Requests a second that may go now: the rate that was set, or less after a 429."""
        if self._cut_at is None:
            return self._set_rate
        since = max(0.0, now - self._cut_at)
        found = self._cut_to + self._set_rate * since / _RECOVERY
        if found < self._set_rate:
            return found
        self._cut_at = None
        return self._set_rate

    def lower(self, now: float, begun: float) -> bool:
        """A request that was begun then was answered with 429; whether that changed the rate.

        One that was on its way before the last cut says nothing of what the cut has done.
        """
        # Clocks are set back: a cut that lies ahead is none of the past.
        if self._cut_at is not None and begun <= self._cut_at <= now:
            return False
        self._cut_to = max(self.rate(now) * _CUT, self._set_rate * _LOWEST)
        self._cut_at = now
        return True

    def state(self, now: float) -> PacerState:
        """How fast it goes; asking changes nothing."""
        return PacerState(rate=self.rate(now), set_rate=self._set_rate, paused=self.paused_for(now))

    def paused_for(self, now: float) -> float:
        """Seconds of silence that are still to pass; asking takes no slot."""
        return max(0.0, min(self._paused_until - now, self._longest_pause))

    def pause(self, now: float, seconds: float, jitter: float) -> None:
        """Let nobody go for that long and a moment more: the API asked for silence.

        The moment more is drawn from the time in which a full burst would go, so that many
        clients that were sent away together do not come back together; and the bucket is emptied,
        so that this client's own callers come back one by one.

        Args:
            now: Unix seconds.
            seconds: of ``Retry-After``.
            jitter: 0 to 1.
        """
        length = seconds + jitter * self._depth
        self._longest_pause = max(self._longest_pause, length)
        self._paused_until = max(self._paused_until, now + length)
        interval = 1 / self.rate(now)
        empty = self._paused_until + max(self._depth, interval) - interval
        self._full_at = max(self._full_at, empty)
