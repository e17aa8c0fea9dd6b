"""How does a program make single calls: order, ask, list, cancel?"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Final

from iceye_derivatives._client_base import ClientBase
from iceye_derivatives._core.task_check import check_task_request
from iceye_derivatives._ordering import order_once
from iceye_derivatives.errors import InvalidTaskRequestError
from iceye_derivatives.models import Scene, Snapshot, Task, TaskRequest

__all__ = ["ApiClient"]

_REMEMBERED: Final = 10_000
"""Orders whose product types are remembered: a run of weeks must not collect them all."""


class ApiClient(ClientBase):
    """The single calls of a client: each waits for nothing but its answer."""

    # -- tasks -------------------------------------------------------------------------------------

    async def create_task(self, request: TaskRequest, *, check: bool = True) -> Task:
        """Order a task; it is sent once, and never resent where it may have been carried out.

        If this call is cancelled while it waits for the answer, the task may have been ordered, and
        is billed, all the same: look among `list_tasks()` for its ``reference``.

        Args:
            request: What to order.  Give it a ``reference`` of its own: when the answer is lost,
                the task is looked up by it instead of being ordered again.
            check: Check ICEYE's documented rules first.  The server has the last word either way;
                switch the check off where your contract differs.

        Raises:
            InvalidTaskRequestError: the request breaks documented rules; nothing was sent.
            TaskCreationUncertainError: the answer was lost and the task was not found (yet).
            ApiError: the API refused, e.g. ``ERR_INSUFFICIENT_FUNDS`` as ``.code``.
            NetworkError: the API could not be reached; nothing was ordered.

        Example::

            task = await client.create_task(
                TaskRequest(
                    contract_id=contract_id,
                    point_of_interest=PointOfInterest(lat=51.95, lon=4.05),
                    acquisition_window=AcquisitionWindow(start=start, end=start + two_days),
                    imaging_mode=ImagingMode.SPOTLIGHT_FINE,
                    product_types=("GRD",),
                    derivative_product_types=(DerivativeProductType.VESSELS,),
                    reference=f"harbour-{uuid4()}",
                )
            )
            await client.download_task(task.id, "detections")
        """
        if check:
            faults = check_task_request(request, datetime.fromtimestamp(self._clock.time(), UTC))
            if faults:
                raise InvalidTaskRequestError(faults)
        task = await order_once(
            self._calls,
            request,
            list_tasks=self.list_tasks,
            known=self._ordered.keys(),
            retry=self._retry,
            clock=self._clock,
            jitter=self._jitter,
        )
        self._remember(task, request)
        return task

    async def get_task(self, task_id: str) -> Task:
        """The task as it is now; it only reads, so cancelling it does no harm.

        Raises:
            TaskNotFoundError: the API does not know it.
            ApiError: any other refusal.
            NetworkError: no answer, after the retries.

        Example::

            task = await client.get_task(task_id)
            print(task.status, task.acquisition_window)
        """
        return await self._persistent.get_task(task_id)

    async def get_scene(self, task_id: str) -> Scene:
        """When and how the image is planned to be taken, or was.

        There is a scene while the task is ACTIVE, FULFILLED or DONE; its values move until the
        image is taken, and are fixed then.  It only reads, so cancelling it does no harm.

        Raises:
            TaskNotFoundError: there is no scene (yet), or no such task.
            ApiError: any other refusal.
            NetworkError: no answer, after the retries.

        Example::

            scene = await client.get_scene(task_id)
            print(scene.imaging_time.start.isoformat())
        """
        return await self._persistent.get_scene(task_id)

    def list_tasks(
        self,
        *,
        contract_id: str | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
    ) -> AsyncGenerator[Task, None]:
        """All tasks, page after page; nothing is held open between two of them.

        It only reads, so it may be left or cancelled at any task; close it then (`aclosing`).

        Args:
            contract_id: Only tasks of this contract.
            created_after: Created after this moment; with a UTC offset.
            created_before: Created before this one.

        Raises:
            UnexpectedResponseError: a cursor that repeats, which would never end.
            ApiError: any refusal.
            NetworkError: no answer, after the retries.

        Example::

            async with aclosing(client.list_tasks(created_after=yesterday)) as tasks:
                async for task in tasks:
                    if task.reference == reference:
                        break
        """
        return self._persistent.list_tasks(
            contract_id=contract_id, created_after=created_after, created_before=created_before
        )

    async def cancel_task(self, task_id: str) -> Task:
        """Cancel a task that is RECEIVED or ACTIVE; ICEYE bills by its cancellation policy.

        If this call itself is cancelled, the task may still be cancelled: `get_task()` tells.

        Raises:
            ApiError: e.g. the task is past cancelling.
            NetworkError: no answer, after the retries.

        Example::

            task = await client.cancel_task(task_id)
            assert task.status == TaskStatus.CANCELED
        """
        return await self._persistent.cancel_task(task_id)

    # -- derivatives -------------------------------------------------------------------------------

    async def get_derivatives(self, task_id: str) -> Snapshot:
        """One look: 404, 206 and 200 are values (`Availability`), not errors.

        It only reads, so cancelling it does no harm.  The links in it die within the hour.  What
        cannot be read of the listing is named in `Snapshot.unreadable`, beside what can.

        Raises:
            UnexpectedResponseError: among others, a 404 of a gateway's, which tells of no task.
            ApiError: any other refusal, after the retries where they make sense.
            NetworkError: no answer, after the retries.

        Example::

            snapshot = await client.get_derivatives(task_id)
            if snapshot.availability is Availability.COMPLETE:
                print([derivative.id for derivative in snapshot.derivatives])
        """
        return await self._persistent.get_derivatives(task_id)

    # -- what watcher and downloader know of a client ----------------------------------------------

    async def look_at_derivatives(self, task_id: str) -> Snapshot:
        """`get_derivatives` without a second try, for callers that keep a budget of their own.

        Downloads renew their links by it, so it goes before calls and polls that wait their turn.
        """
        return await self._renewals.look_at_derivatives(task_id)

    async def look_at_task(self, task_id: str) -> Task:
        """`get_task` without a second try."""
        return await self._calls.look_at_task(task_id)

    async def look_at_scene(self, task_id: str) -> Scene:
        """`get_scene` without a second try."""
        return await self._calls.look_at_scene(task_id)

    def _remember(self, task: Task, request: TaskRequest) -> None:
        self._ordered[task.id] = request.derivative_product_types or ()
        if len(self._ordered) > _REMEMBERED:
            del self._ordered[next(iter(self._ordered))]
