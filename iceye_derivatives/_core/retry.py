"""Is a failed call made again, and when?"""

from __future__ import annotations

from attrs import field, frozen

from iceye_derivatives.errors import (
    ApiError,
    ConfigurationError,
    IceyeError,
    RateLimitedError,
)

__all__ = ["RetryPolicy", "certainly_not_carried_out"]

_SERVICE_UNAVAILABLE = 503


def _positive(_: object, attribute: object, value: float) -> None:
    if not 0 < value < float("inf"):
        raise ConfigurationError(
            f"`{getattr(attribute, 'name', 'setting')}` of a retry policy is {value}; "
            "give a number above 0"
        )


@frozen(kw_only=True)
class RetryPolicy:
    """How direct calls (getTask, listTasks, cancelTask, the token) are made again.

    The wait before try n + 1 is drawn from 0 to ``min(maximum, initial * 2 ** (n - 1))``: full
    jitter, so that many callers that failed together do not try again together.
    """

    attempts: int = field(default=4, validator=_positive)
    """Tries in all, the first included."""
    initial: float = field(default=0.5, validator=_positive)
    """Seconds."""
    maximum: float = field(default=20.0, validator=_positive)
    """Seconds."""

    def delay(self, error: IceyeError, attempt: int, jitter: float) -> float | None:
        """How long to wait after try number `attempt` (from 1) failed.

        Args:
            error: how it failed.
            attempt: number of the try that failed.
            jitter: 0 to 1.

        Returns:
            Seconds, never fewer than ``Retry-After`` asked for; None to give up.
        """
        if not error.retryable or attempt >= self.attempts:
            return None
        # The exponent is bounded, as 2.0 ** 1024 is an error and no infinity.
        bound = min(self.maximum, self.initial * 2.0 ** min(attempt - 1, 64))
        return max(jitter * bound, _asked(error) or 0.0)

    def creation_delay(self, error: IceyeError, attempt: int, jitter: float) -> float | None:
        """The same for createTask: only where no task can have come of the failed try."""
        return self.delay(error, attempt, jitter) if certainly_not_carried_out(error) else None


def certainly_not_carried_out(error: IceyeError) -> bool:
    """Whether a createTask that failed so cannot have made a task, so that it may be resent.

    A 429 refuses ("the user has sent too many requests", RFC 6585), and ICEYE declares no header
    for it; so does a 503 with ``Retry-After``, which was written by someone who says: come again.
    One without it, and any other 5xx, may come from a gateway that lost the answer of a task well
    made.
    """
    if not error.sent or isinstance(error, RateLimitedError):
        return True
    unavailable = isinstance(error, ApiError) and error.status == _SERVICE_UNAVAILABLE
    return unavailable and _asked(error) is not None


def _asked(error: IceyeError) -> float | None:
    return error.retry_after if isinstance(error, ApiError) else None
