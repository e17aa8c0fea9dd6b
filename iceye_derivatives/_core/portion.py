"""How many long bodies are taken into one round, so that neither line nor disk stands still?

A round ends for all of them at once, with what it syncs.  Where it takes all that wait, those are
soon all that are being fetched: nothing is read while they are stored, nothing is stored while the
next ones are read, and all of them are in memory.  Where it takes one, each pays for a sync.
"""

from __future__ import annotations

from math import ceil
from typing import Final

from attrs import define

__all__ = ["Portion"]

_LEAST: Final = 2
_WORK: Final = 2
"""How much longer work may take than the sync behind it: a third of the time is the disk's."""


@define
class Portion:
    """Few where a sync is quick, and enough to be worth one where it is slow."""

    size: int = _LEAST

    def saw(self, bodies: int, worked: float, synced: float) -> None:
        """How many were taken into a round, and the seconds of work and of the sync in it."""
        fair = _WORK * bodies * synced / worked if worked > 0 else self.size
        # Twice as many at most: that sync may have had other things to write.
        self.size = max(_LEAST, ceil(min(fair, 2 * self.size)))
