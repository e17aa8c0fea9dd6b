"""Why does a watch fail: each end as an error that says what came and what to do next?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from iceye_derivatives._core.decisions import Failed
from iceye_derivatives._core.rhythm import spell
from iceye_derivatives._core.unread import spell as spell_faults
from iceye_derivatives.errors import (
    IceyeError,
    NoDerivativesRequestedError,
    PollBudgetError,
    TaskEndedError,
    TaskNotFoundError,
    UnreadableDerivativesError,
    WatchTimeoutError,
)

if TYPE_CHECKING:
    from iceye_derivatives._core.watch import Watch

__all__ = [
    "failed_budget",
    "failed_ended",
    "failed_timeout",
    "failed_unknown",
    "failed_unreadable",
    "failed_unrequested",
]


def failed_ended(watch: Watch) -> Failed:
    """The task is REJECTED, FAILED or CANCELED."""
    return Failed(
        TaskEndedError(
            f"Task {watch.task_id} is {watch.status}: derivatives that are not ready will not "
            "come; order a new task if you still need them",
            watch=watch,
            status=watch.status,
        )
    )


def failed_unrequested(watch: Watch) -> Failed:
    """The task lists no derivative types."""
    return Failed(
        NoDerivativesRequestedError(
            f"Task {watch.task_id} lists no derivativeProductTypes, so no derivatives will come; "
            "if you know better, pass Watch(task_id, requested=[...]) as watch=",
            watch=watch,
            status=watch.status,
        )
    )


def failed_unknown(watch: Watch) -> Failed:
    """Neither endpoint knows the task."""
    if watch.was_seen:
        said = (
            f"The API has shown task {watch.task_id} before, but does not know it any more, "
            f"{watch.failures} failed polls in a row: ask ICEYE what became of it, and check"
        )
    else:
        said = f"The API does not know task {watch.task_id}: check the id, and"
    return Failed(
        TaskNotFoundError(
            f"{said} that these credentials belong to the contract it was ordered on",
            status=404,
            task_id=watch.task_id,
        )
    )


def failed_budget(watch: Watch, last: IceyeError) -> Failed:
    """Too many polls failed in a row."""
    return Failed(
        PollBudgetError(
            f"Gave up on task {watch.task_id} after {watch.failures} failed polls in a row; go on "
            f"with watch=error.watch when the API is back; the last failure was: {last}",
            watch=watch,
            status=watch.status,
        ),
        last,
    )


def failed_unreadable(watch: Watch) -> Failed:
    """All else has come, and the API lists this and nothing better."""
    return Failed(
        UnreadableDerivativesError(
            f"All that can be read of task {watch.task_id} came, {len(watch.delivered)} "
            f"derivative(s), and what is left could not be read {watch.failure_budget} times in a "
            f"row: {spell_faults(watch.unreadable)}; report it to ICEYE, and go on with "
            "watch=error.watch when it is mended",
            watch=watch,
            status=watch.status,
        )
    )


def failed_timeout(watch: Watch, timeout: float) -> Failed:
    """The patience is used up."""
    came, missing = len(watch.delivered), ", ".join(watch.missing) or "all"
    unread = f" (cannot be read: {spell_faults(watch.unreadable)})" if watch.unreadable else ""
    return Failed(
        WatchTimeoutError(
            f"Task {watch.task_id} was not complete after {spell(timeout)}: {came} derivative(s) "
            f"came, missing: {missing}{unread}; go on with watch=error.watch",
            watch=watch,
            status=watch.status,
        )
    )
