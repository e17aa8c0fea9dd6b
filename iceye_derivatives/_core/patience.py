"""Is it worth while that the loop's thread waits while the disk's thread works?

Where the disk keeps its thread busy, both would only fight for the interpreter.  Where that thread
itself mostly waits, for a disk, the loop has better things to do than to wait with it.
"""

from __future__ import annotations

from typing import Final

from attrs import define

__all__ = ["Patience"]

_WEIGHT: Final = 0.125
"""Of the latest turn in the mean."""
_TOO_IDLE: Final = 0.15
_LEFT_OUT: Final = 32
"""Turns after which a disk that kept its thread waiting is tried again: it may be better now."""


@define
class Patience:
    """What came of the last few turns."""

    _idle: float = 0.0
    _left_out: int = 0

    def waits(self) -> bool:
        """Whether to wait for the next one; a no is one turn left out."""
        if self._idle > _TOO_IDLE and self._left_out < _LEFT_OUT:
            self._left_out += 1
            return False
        return True

    def saw(self, idle: float) -> None:
        """The share of a turn in which the thread did nothing: from 0 to 1."""
        self._left_out = 0
        self._idle += (idle - self._idle) * _WEIGHT
