"""What does each operation of the API take and give, in one call without a second try?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Protocol, TypeVar

from anyio import to_thread

from iceye_derivatives._core import requests, responses
from iceye_derivatives._core.ceilings import OverLimit, check_count
from iceye_derivatives._core.limits import DEFAULT_LIMITS, Limits
from iceye_derivatives._core.pace import Urgency
from iceye_derivatives._core.requests import ApiRequest
from iceye_derivatives._core.responses import ApiResponse, SnapshotPage, TaskPage
from iceye_derivatives.errors import LimitExceededError, UnexpectedResponseError
from iceye_derivatives.models import Scene, Snapshot, Task, TaskRequest
from iceye_derivatives.protocols import Clock

__all__ = ["Calls", "Paging", "Sender"]

T = TypeVar("T")

_LONG = 128 * 1024
"""Bytes that are decoded within a millisecond; a longer answer is left to a thread."""


class Sender(Protocol):
    """Who carries a request to the API (`iceye_derivatives._transport.ApiTransport`)."""

    async def send(self, request: ApiRequest, urgency: Urgency) -> ApiResponse:
        """One call; whatever status comes is handed on."""
        ...


class Calls:
    """The operations of the Tasking API, as far as this library needs them.

    All of one object are equally urgent.
    """

    def __init__(
        self,
        sender: Sender,
        clock: Clock,
        *,
        limits: Limits = DEFAULT_LIMITS,
        urgency: Urgency = Urgency.CALL,
    ) -> None:
        self._sender = sender
        self._urgency = urgency
        self._clock = clock
        self.limits = limits

    async def create_task(self, request: TaskRequest) -> Task:
        """Order; the one call that must not be made twice."""
        answer = await self._send(requests.create_task(request))
        return responses.read_task(
            answer, self._clock.time(), operation="createTask", limits=self.limits
        )

    async def look_at_task(self, task_id: str) -> Task:
        """The task as it is."""
        answer = await self._send(requests.get_task(task_id))
        return responses.read_task(answer, self._clock.time(), task_id=task_id, limits=self.limits)

    async def look_at_scene(self, task_id: str) -> Scene:
        """The scene as it is planned; there is none before ACTIVE, nor after a cancellation."""
        answer = await self._send(requests.get_scene(task_id))
        return responses.read_scene(answer, self._clock.time(), task_id=task_id, limits=self.limits)

    async def cancel_task(self, task_id: str) -> Task:
        """Cancel; doing so twice does what doing it once does."""
        answer = await self._send(requests.cancel_task(task_id))
        return responses.read_task(
            answer,
            self._clock.time(),
            operation="cancelTask",
            task_id=task_id,
            limits=self.limits,
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
        answer = await self._send(
            requests.list_tasks(
                cursor=cursor,
                contract_id=contract_id,
                created_after=created_after,
                created_before=created_before,
            )
        )
        return await _decode(
            answer, partial(responses.read_task_page, now=self._clock.time(), limits=self.limits)
        )

    async def look_at_derivatives(self, task_id: str) -> Snapshot:
        """One look; a ``cursor`` is followed where there is one, as in ICEYE's other listings."""
        pages = [await self._snapshot_page(task_id, None)]
        paging = Paging("derivatives", self.limits, task_id)
        while (cursor := paging.follow(pages[-1].cursor, pages[-1].status)) is not None:
            listed = sum(page.items for page in pages)
            pages.append(await self._snapshot_page(task_id, cursor, listed))
            paging.check_sum(listed + pages[-1].items, pages[-1].status)
        return responses.join_pages(pages)

    async def _snapshot_page(
        self, task_id: str, cursor: str | None, first: int = 0
    ) -> SnapshotPage:
        answer = await self._send(requests.list_derivatives(task_id, cursor=cursor))
        read = partial(
            responses.read_snapshot,
            task_id,
            now=self._clock.time(),
            first=first,
            limits=self.limits,
        )
        return await _decode(answer, read)

    def _send(self, request: ApiRequest) -> Awaitable[ApiResponse]:
        return self._sender.send(request, self._urgency)


async def _decode(answer: ApiResponse, read: Callable[[ApiResponse], T]) -> T:
    """Read an answer; a long one in a thread, since it would hold up the loop."""
    if len(answer.body) > _LONG:
        return await to_thread.run_sync(read, answer)
    return read(answer)


class Paging:
    """Follows the cursors of one listing, within its limits."""

    def __init__(self, what: str, limits: Limits, task_id: str | None = None) -> None:
        self._what = what
        self._limits = limits
        self._task_id = task_id
        self._followed: set[str] = set()

    def follow(self, cursor: str | None, status: int = 200) -> str | None:
        """The cursor of the next page, None at the end.

        Raises:
            UnexpectedResponseError: it was followed before.
            LimitExceededError: there are more pages than ``pages_per_listing``.
        """
        if cursor is None:
            return None
        if cursor in self._followed:
            raise UnexpectedResponseError(
                f"The listing of {self._what} gave a cursor that it had given before, which would "
                "go on for ever: report it to ICEYE if it lasts",
                status=status,
                task_id=self._task_id,
            )
        self._followed.add(cursor)
        self._check(len(self._followed) + 1, "pages", "pages_per_listing", status)
        return cursor

    def check_sum(self, derivatives: int, status: int) -> None:
        """Raise `LimitExceededError` where all pages together hold too many."""
        self._check(derivatives, "derivatives", "derivatives_per_task", status)

    def _check(self, count: int, what: str, limit: str, status: int) -> None:
        try:
            check_count(count, what, limit, self._limits)
        except OverLimit as found:
            text, allowed = f"{found}", found.allowed
        else:
            return
        raise LimitExceededError(
            f"The listing of {self._what} was left: it {text}",
            status=status,
            task_id=self._task_id,
            limit=limit,
            allowed=allowed,
        )
