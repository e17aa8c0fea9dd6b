"""Does a body bring enough, or is it a trickle that would last for days?"""

from __future__ import annotations

__all__ = ["Flow"]

_LONGEST_GAP = 0.25
"""Of the window: what one gap counts for at most.  Silence is the transport's business; a gap of
an hour means that this machine slept, or that its clock was set."""


class Flow:
    """Measures one body, window after window.

    Args:
        slowest: Bytes a second that must come; 0 takes anything.
        window: Seconds over which that is judged.
    """

    def __init__(self, *, slowest: float, window: float) -> None:
        self._slowest = slowest
        self._window = window
        self._bytes = 0
        self._seconds = 0.0

    def came(self, size: int, waited: float) -> bool:
        """Bytes came after so many seconds of waiting for them; False when they are too few."""
        self._bytes += size
        self._seconds += min(max(waited, 0.0), self._window * _LONGEST_GAP)
        if self._seconds < self._window:
            return True
        enough = self._bytes >= self._slowest * self._seconds
        self._bytes, self._seconds = 0, 0.0
        return enough

    @property
    def complaint(self) -> str:
        """What is wrong when too few came."""
        return f"it brought less than {self._slowest:.0f} bytes a second for {self._window:.0f} s"
