"""Which calls are made again when they fail in a way that may pass?"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import TypeVar

from iceye_derivatives._calls import Calls, Paging
from iceye_derivatives._core.retry import RetryPolicy
from iceye_derivatives.errors import BadRequestError, IceyeError
from iceye_derivatives.models import Scene, Snapshot, Task, TaskStatus
from iceye_derivatives.protocols import Clock

__all__ = ["PersistentCalls"]

T = TypeVar("T")


class PersistentCalls:
    """`Calls` with a small budget of retries each; createTask is not here on purpose."""

    def __init__(
        self, calls: Calls, *, retry: RetryPolicy, clock: Clock, jitter: Callable[[], float]
    ) -> None:
        self._calls = calls
        self._retry = retry
        self._clock = clock
        self._jitter = jitter

    async def get_task(self, task_id: str) -> Task:
        """The task as it is."""
        return await self._persist(partial(self._calls.look_at_task, task_id))

    async def get_scene(self, task_id: str) -> Scene:
        """The scene as it is planned."""
        return await self._persist(partial(self._calls.look_at_scene, task_id))

    async def cancel_task(self, task_id: str) -> Task:
        """Cancel; a second try does no harm."""
        try:
            return await self._persist(partial(self._calls.cancel_task, task_id))
        except BadRequestError as error:
            refusal = error
        # "Allowed in RECEIVED and ACTIVE only": so the second try after a lost answer is refused
        # just because the first one worked.
        task = await self.get_task(task_id)
        if task.status == TaskStatus.CANCELED:
            return task
        raise refusal

    async def get_derivatives(self, task_id: str) -> Snapshot:
        """One look that was answered."""
        return await self._persist(partial(self._calls.look_at_derivatives, task_id))

    async def list_tasks(
        self,
        *,
        contract_id: str | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
    ) -> AsyncGenerator[Task, None]:
        """All tasks, page after page; "the last page has no cursor field", a null one or ``""``."""
        paging = Paging("tasks", self._calls.limits)
        cursor: str | None = None
        while True:
            page = await self._persist(
                partial(
                    self._calls.task_page,
                    cursor=cursor,
                    contract_id=contract_id,
                    created_after=created_after,
                    created_before=created_before,
                )
            )
            for task in page.tasks:
                yield task
            cursor = paging.follow(page.cursor)
            if cursor is None:
                return

    async def _persist(self, call: Callable[[], Awaitable[T]]) -> T:
        attempt = 0
        while True:
            attempt += 1
            try:
                return await call()
            except IceyeError as error:
                delay = self._retry.delay(error, attempt, self._jitter())
                if delay is None:
                    raise
            await self._clock.sleep(delay)
