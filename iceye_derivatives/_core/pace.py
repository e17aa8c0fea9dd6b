"""May the next request go now, or how long does it wait?"""

from __future__ import annotations


class Pacer:
    """One rate for all calls of a client: `rate` a second, after at most `burst` at once."""

    def __init__(self, *, rate: float = 5.0, burst: int = 10) -> None:
        raise NotImplementedError

    def request(self, now: float) -> float:
        """0.0: go, the slot is taken.  Else the seconds to wait before asking again."""
        raise NotImplementedError

    def pause(self, now: float, seconds: float, jitter: float) -> None:
        """Let nobody go for that long, and a jittered moment more (`jitter` from 0 to 1)."""
        raise NotImplementedError
