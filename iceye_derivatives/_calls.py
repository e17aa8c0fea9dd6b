"""What does each operation of the API take and give: one call each, no second try."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from iceye_derivatives._core import requests, responses
from iceye_derivatives._core.requests import ApiRequest
from iceye_derivatives._core.responses import ApiResponse, SnapshotPage, TaskPage
from iceye_derivatives.errors import UnexpectedResponseError
from iceye_derivatives.models import Snapshot, Task, TaskRequest
from iceye_derivatives.protocols import Clock

__all__ = ["Calls", "Sender", "looping_cursor"]


class Sender(Protocol):
    """Who carries a request to the API (`iceye_derivatives._transport.ApiTransport`)."""

    async def send(self, request: ApiRequest) -> ApiResponse:
        """One call; whatever status comes is handed on."""
        ...


class Calls:
    """The operations of the Tasking API, as far as this library needs them."""

    def __init__(self, sender: Sender, clock: Clock) -> None:
        self._sender = sender
        self._clock = clock

    async def create_task(self, request: TaskRequest) -> Task:
        """Order; the one call that must not be made twice."""
        answer = await self._sender.send(requests.create_task(request))
        return responses.read_task(answer, self._clock.time(), operation="createTask")

    async def look_at_task(self, task_id: str) -> Task:
        """The task as it is."""
        answer = await self._sender.send(requests.get_task(task_id))
        return responses.read_task(answer, self._clock.time(), task_id=task_id)

    async def cancel_task(self, task_id: str) -> Task:
        """Cancel; doing so twice does what doing it once does."""
        answer = await self._sender.send(requests.cancel_task(task_id))
        return responses.read_task(
            answer, self._clock.time(), operation="cancelTask", task_id=task_id
        )

    async def task_page(
        self,
        *,
        cursor: str | None,
        contract_id: str | None,
        created_after: datetime | None,
        created_before: datetime | None,
    ) -> TaskPage:
        """One page of the listing."""
        answer = await self._sender.send(
            requests.list_tasks(
                cursor=cursor,
                contract_id=contract_id,
                created_after=created_after,
                created_before=created_before,
            )
        )
        return responses.read_task_page(answer, self._clock.time())

    async def look_at_derivatives(self, task_id: str) -> Snapshot:
        """One look; other lists have pages, so a ``cursor`` is followed if there is one."""
        pages: list[SnapshotPage] = []
        followed: set[str] = set()
        cursor: str | None = None
        while True:
            answer = await self._sender.send(requests.list_derivatives(task_id, cursor=cursor))
            pages.append(responses.read_snapshot(task_id, answer, self._clock.time()))
            cursor = pages[-1].cursor
            if cursor is None:
                return responses.join_pages(pages)
            if cursor in followed:
                raise looping_cursor("derivatives", answer.status, task_id)
            followed.add(cursor)


def looping_cursor(operation: str, status: int, task_id: str | None) -> UnexpectedResponseError:
    """The error of a listing that would never end."""
    return UnexpectedResponseError(
        f"The listing of {operation} gave a cursor that it had given before, which would go on "
        "for ever: report it to ICEYE if it lasts",
        status=status,
        task_id=task_id,
    )
