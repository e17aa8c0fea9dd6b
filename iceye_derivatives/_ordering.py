"""How is a task ordered once, and only once, over a line that may break?"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection
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


# After one of these nobody knows whether a task was made: no answer came, or only a gateway's, or
# a success that could not be used, as it was unreadable or above a ceiling of `Limits`.
_LOST = (NetworkError, ServerError, UnexpectedResponseError, LimitExceededError)


async def order_once(
    calls: Calls,
    request: TaskRequest,
    *,
    list_tasks: ListTasks,
    known: Collection[str],
    retry: RetryPolicy,
    clock: Clock,
    jitter: Callable[[], float],
) -> Task:
    """Send createTask; resend it only where it is certain that it was not carried out.

    No idempotency key is documented, and a task costs money: where the answer is lost, the task is
    looked up by its ``reference`` instead.  `known` are ids that earlier orders were answered with.
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
        elif isinstance(failure, _LOST) and failure.sent:
            return await _look_up(request, begun, failure, list_tasks, known)
        else:
            raise failure


async def _look_up(
    request: TaskRequest,
    begun: datetime,
    failure: IceyeError,
    list_tasks: ListTasks,
    known: Collection[str],
) -> Task:
    if request.reference is None:
        raise _uncertain(request, failure, "its request has no reference to look it up by")
    tasks = list_tasks(contract_id=request.contract_id, created_after=begun - CLOCK_SLACK)
    try:
        async with aclosing(tasks):
            found = [
                task
                async for task in tasks
                if task.reference == request.reference and task.id not in known
            ]
    except IceyeError as error:
        # An error of the look-up says nothing of the order: above all not that nothing was sent.
        raise _uncertain(request, failure, f"looking it up failed too ({error})") from failure
    if len(found) != 1:
        several = f"{len(found)} tasks carry its reference" if found else "it is not listed yet"
        raise _uncertain(request, failure, several) from failure
    return found[0]


def _uncertain(request: TaskRequest, failure: IceyeError, why: str) -> TaskCreationUncertainError:
    named = f" with the reference {request.reference!r}" if request.reference is not None else ""
    return TaskCreationUncertainError(
        f"The answer to createTask{named} was lost ({failure}), the task may exist, and {why}: "
        "list your tasks in a minute (at a shell: iceye-derivatives tasks), and order again only "
        "if it is not among them",
        reference=request.reference,
    )
