"""When is a token to be renewed, and when is one asked for again that was not to be had?"""

from __future__ import annotations

from copy import copy
from math import isfinite

from attrs import evolve, field, frozen

from iceye_derivatives.errors import ApiError, IceyeError

__all__ = ["FailedFetch", "HeldToken", "hold", "renew_at"]

EARLY = 300.0
"""Seconds.  The how-to on tokens: renew with a buffer of five minutes."""
AGAIN = 30.0
"""Seconds between two tries to renew a token that still lives; without one, the longest there are
where the endpoint asks for none."""
SOON_AGAIN = 1.0
"""Seconds after the first failure; twice as many after each further one in a row."""
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


@frozen(kw_only=True)
class FailedFetch:
    """The last token that was not to be had, and from when on the endpoint may be asked again."""

    error: IceyeError
    at: float
    """Unix seconds."""
    in_a_row: int
    """How many have failed since a token came, with this one."""

    @classmethod
    def after(cls, before: FailedFetch | None, error: IceyeError, now: float) -> FailedFetch:
        """The next one; it keeps a copy of the error, which is about to be raised."""
        in_a_row = 1 if before is None else before.in_a_row + 1
        return cls(error=copy(error), at=now, in_a_row=in_a_row)

    @property
    def _asked(self) -> float | None:
        return self.error.retry_after if isinstance(self.error, ApiError) else None

    @property
    def is_last_word(self) -> bool:
        """Whether waiting a moment is no use: the endpoint has said when to come, or not to."""
        return not self.error.retryable or bool(self._asked)

    def wait(self, now: float) -> float:
        """Seconds until the endpoint may be asked again, by anybody."""
        # The exponent is bounded, as 2.0 ** 1024 is an error and no infinity.
        wait = min(AGAIN, SOON_AGAIN * 2.0 ** min(self.in_a_row - 1, 64))
        # Clocks are set back: it is never longer than it was meant to be.
        return max(0.0, max(wait, self._asked or 0.0) - max(0.0, now - self.at))

    def again(self, now: float) -> IceyeError:
        """The error once more, with what is left of its ``Retry-After``.

        A copy, as an exception collects the traceback of everyone who raises it.
        """
        error = copy(self.error)
        if isinstance(error, ApiError) and error.retry_after is not None:
            error.retry_after = min(error.retry_after, self.wait(now))
        return error
