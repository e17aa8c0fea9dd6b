"""How is a task ordered once, and only once, over a line that may break?"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

from iceye_derivatives._calls import Calls
from iceye_derivatives._core.retry import RetryPolicy
from iceye_derivatives.errors import (
    IceyeError,
    LimitExceededError,
    NetworkError,
    ServerError,
    TaskCreationUncertainError,
    UnexpectedResponseError,
)
from iceye_derivatives.models import Task, TaskRequest
from iceye_derivatives.protocols import Clock

__all__ = ["ListTasks", "order_once"]

ListTasks = Callable[..., AsyncGenerator[Task, None]]

CLOCK_SLACK = timedelta(minutes=10)
"""How far the API's clock and ours may be apart when a lost task is looked up by its time."""


# The task may have been made, and we do not know its id.
_LOST = (NetworkError, ServerError, UnexpectedResponseError, LimitExceededError)


async def order_once(
    calls: Calls,
    request: TaskRequest,
    *,
    list_tasks: ListTasks,
    retry: RetryPolicy,
    clock: Clock,
    jitter: Callable[[], float],
) -> Task:
    """Send createTask; resend it only where it is certain that it was not carried out.

    No idempotency key is documented, and a task costs money: where the answer is lost, the task is
    looked up by its ``reference`` instead.
    """
    attempt = 0
    begun = datetime.fromtimestamp(clock.time(), UTC)
    while True:
        attempt += 1
        try:
            return await calls.create_task(request)
        except IceyeError as error:
            failure = error
        delay = retry.creation_delay(failure, attempt, jitter())
        if delay is not None:
            await clock.sleep(delay)
        elif not isinstance(failure, _LOST) or (
            isinstance(failure, NetworkError) and not failure.sent
        ):
            raise failure
        else:
            return await _look_up(request, begun, failure, list_tasks)


async def _look_up(
    request: TaskRequest, begun: datetime, failure: IceyeError, list_tasks: ListTasks
) -> Task:
    if request.reference is None:
        raise TaskCreationUncertainError(
            f"The answer to createTask was lost ({failure}); the task may exist, and as its "
            "request has no reference it cannot be looked up: list your tasks first",
            reference=None,
        ) from failure
    tasks = list_tasks(contract_id=request.contract_id, created_after=begun - CLOCK_SLACK)
    async with aclosing(tasks):
        async for task in tasks:
            if task.reference == request.reference:
                return task
    raise TaskCreationUncertainError(
        f"The answer to createTask was lost ({failure}) and no task with the reference "
        f"{request.reference!r} is listed yet: look again in a minute before ordering again",
        reference=request.reference,
    ) from failure
