"""May the next request go now, or how long does it wait?

A token bucket, kept as one number: the moment at which the bucket is full again (GCRA, the
"generic cell rate algorithm").  The law: in any T seconds at most ``burst + rate * T`` requests go.
Nothing is reserved ahead, so a caller that is cancelled while it waits costs nobody a slot.
"""

from __future__ import annotations

from iceye_derivatives.errors import ConfigurationError

__all__ = ["Pacer"]

# Seconds.  Unix time as a float has steps of a quarter of a microsecond, so a shorter wait might
# not move the clock at all and be asked for for ever.
_TOO_SHORT = 1e-6


class Pacer:
    """One rate for all calls of a client.

    Args:
        rate: requests a second, in the long run.  ICEYE publishes no number; five a second are
            far below what a person with a browser causes.
        burst: requests that may go at once after a rest.
    """

    def __init__(self, *, rate: float = 5.0, burst: int = 10) -> None:
        if not 0 < rate < float("inf") or burst < 1:
            raise ConfigurationError(
                f"A pace of {rate} requests a second and {burst} at once cannot be kept; "
                "give a rate above 0 and a burst of at least 1"
            )
        self._interval = 1 / rate
        self._depth = burst * self._interval
        self._full_at = float("-inf")
        self._paused_until = float("-inf")
        self._longest_pause = 0.0

    def request(self, now: float) -> float:
        """Ask for a slot.

        Args:
            now: Unix seconds.

        Returns:
            0.0 where the slot is taken and the request goes now, else the seconds to wait before
            asking again.
        """
        # Clocks are set back.  Neither number can lie further ahead than this by itself, so what
        # does is left over from before: without the cap, an hour set back is an hour of silence.
        self._paused_until = min(self._paused_until, now + self._longest_pause)
        self._full_at = min(self._full_at, max(now, self._paused_until) + self._depth)
        full_at = max(now, self._full_at)
        wait = max(self._paused_until - now, full_at + self._interval - self._depth - now)
        if wait > _TOO_SHORT:
            return wait
        self._full_at = full_at + self._interval
        return 0.0

    def paused_for(self, now: float) -> float:
        """Seconds for which the API has asked for silence yet; asking takes no slot."""
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
        self._full_at = max(self._full_at, self._paused_until + self._depth - self._interval)
