"""Is a failed call made again, and when?"""

from __future__ import annotations

from attrs import frozen

from iceye_derivatives.errors import IceyeError


@frozen(kw_only=True)
class RetryPolicy:
    """How direct calls are retried: exponential with full jitter."""

    attempts: int = 4
    initial: float = 0.5
    maximum: float = 20.0

    def delay(self, error: IceyeError, attempt: int, jitter: float) -> float | None:
        """Seconds until the next try after try number `attempt` (from 1) failed; None: give up."""
        raise NotImplementedError

    def creation_delay(self, error: IceyeError, attempt: int, jitter: float) -> float | None:
        """The same for createTask: only where `certainly_not_carried_out(error)`."""
        raise NotImplementedError


def certainly_not_carried_out(error: IceyeError) -> bool:
    """Whether a createTask that failed so cannot have made a task, so that it may be resent."""
    raise NotImplementedError
