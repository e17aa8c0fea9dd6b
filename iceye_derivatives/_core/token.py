"""When is a token to be renewed?"""

from __future__ import annotations

from math import isfinite

from attrs import field, frozen

__all__ = ["HeldToken", "renew_at"]

EARLY = 300.0
"""Seconds.  The how-to on tokens: renew with a buffer of five minutes."""
UNKNOWN_LIFE = 3600.0
"""Seconds.  "typically up to 1 hour", and ``expires_in`` in the docs' example is 3600."""


def renew_at(fetched_at: float, expires_in: float | None) -> float:
    """Unix seconds from which on the token is not used any more.

    Args:
        fetched_at: when the token was *asked for*: its life may have begun any time since.
        expires_in: its life in seconds; None, or no number, counts as an hour.
    """
    life = UNKNOWN_LIFE if expires_in is None or not isfinite(expires_in) else max(expires_in, 0.0)
    # Half its life where that is less, as ICEYE's example code does it: a token of four minutes
    # would otherwise be renewed at every call.
    return fetched_at + life - min(EARLY, life / 2)


@frozen(kw_only=True)
class HeldToken:
    """The current token, and until when it is used."""

    value: str = field(repr=False)
    renew_at: float

    def is_good(self, now: float) -> bool:
        """Whether it may be used at that moment."""
        return now < self.renew_at
