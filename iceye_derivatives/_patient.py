"""How does a watch with a deadline hear that its client is paused for longer than that?"""

from __future__ import annotations

from iceye_derivatives._core.pace import Pacer
from iceye_derivatives.errors import RateLimitedError
from iceye_derivatives.models import Scene, Snapshot, Task
from iceye_derivatives.protocols import Clock
from iceye_derivatives.watcher import WatchSource

__all__ = ["PatientSource"]


class PatientSource:
    """A source for one watch with a deadline.

    ``Retry-After`` stops the whole client, so a look would wait in the client's queue, perhaps for
    an hour; a watch whose patience ends before that is told at once, and decides for itself.
    """

    def __init__(self, source: WatchSource, *, pacer: Pacer, clock: Clock, timeout: float) -> None:
        self._source = source
        self._pacer = pacer
        self._clock = clock
        self._timeout = timeout
        self._deadline: float | None = None

    async def look_at_derivatives(self, task_id: str) -> Snapshot:
        """One look, unless the client is paused beyond the deadline."""
        self._check(task_id)
        return await self._source.look_at_derivatives(task_id)

    async def look_at_task(self, task_id: str) -> Task:
        """One question for the task, unless the client is paused beyond the deadline."""
        self._check(task_id)
        return await self._source.look_at_task(task_id)

    async def look_at_scene(self, task_id: str) -> Scene:
        """One question for the scene, unless the client is paused beyond the deadline."""
        self._check(task_id)
        return await self._source.look_at_scene(task_id)

    def _check(self, task_id: str) -> None:
        now = self._clock.time()
        if self._deadline is None:
            self._deadline = now + self._timeout
        pause = self._pacer.paused_for(now)
        if pause and now + pause > self._deadline:
            raise RateLimitedError(
                f"Task {task_id} was not looked at, as the API asked this client to be silent for "
                f"{pause:.0f} s more: have more patience, or try again then",
                status=429,
                task_id=task_id,
                retry_after=pause,
            )
