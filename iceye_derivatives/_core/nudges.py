"""Who waits for a task, and is to be woken when something may have happened to it?

A nudge is a hint and nothing more: lost, doubled, late or wrong, it costs a request at most.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol
from weakref import WeakSet, WeakValueDictionary

__all__ = ["Bell", "Crowd", "Nudges"]


class Bell:
    """Rung for one task; it lives as long as any watch of that task keeps it.

    A ring is counted and not remembered for anybody: each watch compares `rings` with the number
    that it has heard, so that none is lost while it does something else than sleeping.
    """

    __slots__ = ("__weakref__", "rings", "sleepers")

    def __init__(self) -> None:
        self.rings = 0
        self.sleepers: set[Callable[[], None]] = set()
        """What wakes those who sleep just now; each takes its own out again."""

    def ring(self) -> None:
        """Wake all."""
        self.rings += 1
        for wake in tuple(self.sleepers):
            wake()


class Crowd(Protocol):
    """Who watches many tasks at once, as a fleet does, and finds the one that is meant itself."""

    def nudge(self, task_id: str) -> bool:
        """Look at it now; False where it is not one of these."""
        ...


class Nudges:
    """The registry of one client.

    It holds nobody alive: a watch that was abandoned in the middle of its loop leaves nothing here,
    and a nudge for it is one for a task that nobody knows.
    """

    def __init__(self) -> None:
        self._bells: WeakValueDictionary[str, Bell] = WeakValueDictionary()
        self._crowds: WeakSet[Crowd] = WeakSet()

    def bell(self, task_id: str) -> Bell:
        """The bell of that task; keep it for as long as you watch."""
        bell = self._bells.get(task_id)
        if bell is None:
            bell = self._bells[task_id] = Bell()
        return bell

    def join(self, crowd: Crowd) -> None:
        """Nudge these too from now on, until they are gone or `leave`."""
        self._crowds.add(crowd)

    def leave(self, crowd: Crowd) -> None:
        """Nudge these no more; harmless where they never joined."""
        self._crowds.discard(crowd)

    def nudge(self, task_id: str) -> bool:
        """Wake all who watch the task; whether there was anybody."""
        bell = self._bells.get(task_id)
        if bell is not None:
            bell.ring()
        in_crowds = [crowd.nudge(task_id) for crowd in tuple(self._crowds)]
        return bell is not None or any(in_crowds)
