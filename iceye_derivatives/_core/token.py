"""When is a token to be renewed?"""

from __future__ import annotations

from math import isfinite

from attrs import evolve, field, frozen

__all__ = ["HeldToken", "hold", "renew_at"]

EARLY = 300.0
"""Seconds.  The how-to on tokens: renew with a buffer of five minutes."""
AGAIN = 30.0
"""Seconds between two tries to renew a token that still lives."""
UNKNOWN_LIFE = 3600.0
"""Seconds.  "typically up to 1 hour", and ``expires_in`` in the docs' example is 3600."""


def renew_at(fetched_at: float, expires_in: float | None) -> float:
    """Unix seconds from which on the token is not used any more.

    Args:
        fetched_at: when the token was *asked for*: its life may have begun any time since.
        expires_in: its life in seconds; None, or no number, counts as an hour.
    """
    life = _life(expires_in)
    # Half its life where that is less, as ICEYE's example code does it: a token of four minutes
    # would otherwise be renewed at every call.
    return fetched_at + life - min(EARLY, life / 2)


def _life(expires_in: float | None) -> float:
    if expires_in is None or not isfinite(expires_in):
        return UNKNOWN_LIFE
    return max(expires_in, 0.0)


def hold(value: str, fetched_at: float, expires_in: float | None) -> HeldToken:
    """A token as it came; the arguments are those of `renew_at`."""
    return HeldToken(
        value=value,
        renew_at=renew_at(fetched_at, expires_in),
        dies_at=fetched_at + _life(expires_in),
    )


@frozen(kw_only=True)
class HeldToken:
    """The current token, from when on another one is asked for, and when it dies."""

    value: str = field(repr=False)
    renew_at: float
    dies_at: float

    def is_good(self, now: float) -> bool:
        """Whether it may be used at that moment without asking for another one."""
        return now < self.renew_at

    def outlive(self, now: float, retry_after: float | None) -> HeldToken | None:
        """The token to go on with after a renewal failed; None where it is dead by now.

        The renewal is tried again in a while, not at each call: an endpoint that fails is not
        helped by being asked more often.
        """
        if now >= self.dies_at:
            return None
        return evolve(self, renew_at=min(now + max(AGAIN, retry_after or 0.0), self.dies_at))
