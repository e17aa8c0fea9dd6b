"""How long until the next look?

The rhythm is geometric with *full jitter*: a wait is drawn evenly from zero to a ceiling, and the
ceiling grows with each look that brings nothing new.  Full jitter (rather than "the ceiling plus or
minus a bit") is what keeps a thousand watchers, started by one deployment, from looking in step.
The draw itself is an argument: this file knows no randomness.
"""

from __future__ import annotations

import math

from attrs import field, frozen

from iceye_derivatives.errors import ConfigurationError

__all__ = ["Backoff"]

SHORTEST = 1.0
"""Seconds: however the jitter falls, two looks are not closer (unless the ceiling itself is)."""


@frozen(kw_only=True)
class Backoff:
    """The rhythm of looking, in seconds.

    The n-th look without news waits up to ``min(maximum, initial * factor ** n)``.  `maximum` is
    the scale of a watch's patience too: while nothing can have happened (the task is not imaged
    yet) a watch looks at multiples of it, see `iceye_derivatives.Watch`.

    Raises:
        ConfigurationError: unless ``0 < initial <= maximum`` and ``factor >= 1``, all finite.

    Example:
        >>> Backoff(initial=5.0, factor=1.5, maximum=60.0).ceiling(2)
        11.25
    """

    initial: float = 5.0
    factor: float = 1.5
    maximum: float = 60.0
    _steps: float = field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        finite = all(math.isfinite(v) for v in (self.initial, self.factor, self.maximum))
        if not finite or not 0 < self.initial <= self.maximum or self.factor < 1:
            raise ConfigurationError(
                f"Backoff(initial={self.initial}, factor={self.factor}, maximum={self.maximum}) "
                "cannot be used: give 0 < initial <= maximum (seconds) and a factor of at least 1"
            )

    @_steps.default
    def _count_steps(self) -> float:
        # From this step on the ceiling is the maximum: `factor ** n` would overflow for the
        # thousands of looks that a long wait takes.
        if not (self.factor > 1 and 0 < self.initial <= self.maximum < math.inf):
            return math.inf
        return math.log(self.maximum / self.initial, self.factor) if self.factor < math.inf else 0.0

    def ceiling(self, step: int) -> float:
        """The longest wait after `step` looks without news: never falls as `step` grows."""
        if step >= self._steps:
            return self.maximum
        return min(self.maximum, self.initial * self.factor**step)

    def delay(self, step: int, jitter: float) -> float:
        """Seconds to wait; `jitter` is a draw from [0, 1)."""
        return jittered(self.ceiling(step), jitter)


def jittered(ceiling: float, jitter: float) -> float:
    """Full jitter below a ceiling, but never a hot loop."""
    return max(min(SHORTEST, ceiling), ceiling * jitter)
