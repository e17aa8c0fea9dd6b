"""Does it pay that the loop's thread waits while the disk's thread works?

It does while that thread is busy: both would only fight for the interpreter.  It does not where
that thread mostly waits itself, for a slow disk: the loop has better things to do meanwhile.
"""

from __future__ import annotations

from typing import Final

from attrs import define

__all__ = ["AdaptiveWait"]

_WEIGHT: Final = 0.125
"""How much the latest turn counts in the mean."""
_TOO_IDLE: Final = 0.15
_LEFT_OUT: Final = 32
"""Turns after which a disk that was too slow is tried again: it may be quick by now."""


@define
class AdaptiveWait:
    """Decides from the last few turns of the disk's thread."""

    _idle: float = 0.0
    _left_out: int = 0

    def pays(self) -> bool:
        """Whether to wait in the next turn; each no counts as a turn left out."""
        if self._idle > _TOO_IDLE and self._left_out < _LEFT_OUT:
            self._left_out += 1
            return False
        return True

    def saw(self, idle: float) -> None:
        """A turn has ended, in which the thread was idle for this share of the time (0 to 1)."""
        self._left_out = 0
        self._idle += (idle - self._idle) * _WEIGHT
