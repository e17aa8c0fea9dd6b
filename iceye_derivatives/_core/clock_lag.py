"""How far is this machine's clock behind the API's?

Scenes are planned by the API's clock, whose ``Date`` comes with every answer.  Only that ours is
behind is learned: a clock that is ahead makes a watch ask earlier than it need, and the same goes
for a ``Date`` that lies.  So it may cost requests, and never makes a derivative late.
"""

from __future__ import annotations

from attrs import define

__all__ = ["ClockLag"]

LEAST = 30.0
"""Seconds: what is less is the resolution of a ``Date`` and the way of an answer."""
WORTH_TELLING = 60.0


@define
class ClockLag:
    """One for all watches of a client, as each of its answers tells the same."""

    seconds: float = 0.0
    """As the last answer had it; never negative."""
    _is_told: bool = False

    def learn(self, server_time: float | None, now: float) -> bool:
        """An answer was dated so; whether its reader should be told, once, that it is a minute."""
        if server_time is None:
            return False
        behind = server_time - now
        self.seconds = behind if behind >= LEAST else 0.0
        if self._is_told or self.seconds < WORTH_TELLING:
            return False
        self._is_told = True
        return True
