"""Which value, or which error, does an answer of the API mean?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Any, TypeVar

from attrs import evolve, field, frozen

from iceye_derivatives._core.answer import (
    ApiResponse,
    error_for,
    over_limit,
    read_times,
    unreadable,
)
from iceye_derivatives._core.ceilings import OverLimit, check_tree
from iceye_derivatives._core.json_body import cursor_of, data_of, read_object, read_quickly
from iceye_derivatives._core.limits import DEFAULT_LIMITS, Limits
from iceye_derivatives._core.problem import LARGEST_PROBLEM, is_foreign
from iceye_derivatives._core.unread import spell
from iceye_derivatives._core.wire import (
    Listed,
    WireError,
    parse_derivatives,
    parse_scene,
    parse_task,
    parse_tasks,
)
from iceye_derivatives.errors import ApiError
from iceye_derivatives.models import (
    NO_EXTRA,
    Availability,
    Derivative,
    Scene,
    Snapshot,
    Task,
    Unreadable,
)

__all__ = [
    "ApiResponse",
    "SnapshotPage",
    "TaskPage",
    "error_for",
    "join_pages",
    "longest_body",
    "read_scene",
    "read_snapshot",
    "read_task",
    "read_task_page",
]

T = TypeVar("T")

_OK, _CREATED, _PARTIAL, _NOT_FOUND, _ERRORS = 200, 201, 206, 404, 400
_LISTING = "listTaskDerivatives"


@frozen(kw_only=True)
class SnapshotPage:
    """One page of a look at the derivatives."""

    snapshot: Snapshot
    """What this page alone says."""
    status: int
    items: int = 0
    """How many it lists, whether they can be read or not."""
    cursor: str | None = field(default=None, repr=False)
    """Of the next page; None where there is none."""


@frozen(kw_only=True)
class TaskPage:
    """One page of listTasks."""

    tasks: tuple[Task, ...]
    cursor: str | None = field(default=None, repr=False)
    """Of the next page; None where there is none (missing, null or empty)."""


def longest_body(status: int, limits: Limits) -> int:
    """Bytes: how much of the body of an answer is worth reading; one more tells that it has more.

    Of an error's body only the beginning is ever looked at.
    """
    return limits.json_bytes if status < _ERRORS else min(LARGEST_PROBLEM, limits.json_bytes)


def read_task(
    response: ApiResponse,
    now: float,
    *,
    operation: str = "getTask",
    task_id: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Task:
    """The task of a 200 or 201.

    Raises:
        LimitExceededError: it is above one of `limits`.
        ApiError: any other answer, by `error_for`.
    """
    if response.status not in {_OK, _CREATED}:
        raise error_for(response, now, operation=operation, task_id=task_id, limits=limits)

    def read() -> Task:
        return parse_task(_read_tree(response, limits))

    return _decoded(read, response, operation, task_id)


def read_scene(
    response: ApiResponse, now: float, *, task_id: str, limits: Limits = DEFAULT_LIMITS
) -> Scene:
    """The scene of a 200.

    Raises:
        LimitExceededError: it is above one of `limits`.
        ApiError: any other answer, by `error_for`.
    """
    operation = "getTaskScene"
    if response.status != _OK:
        raise error_for(response, now, operation=operation, task_id=task_id, limits=limits)

    def read() -> Scene:
        return parse_scene(_read_tree(response, limits))

    return _decoded(read, response, operation, task_id)


def read_task_page(
    response: ApiResponse, now: float, *, limits: Limits = DEFAULT_LIMITS
) -> TaskPage:
    """One page of listTasks.

    Raises:
        LimitExceededError: it is above one of `limits`.
        ApiError: anything but a 200, by `error_for`.
    """
    operation = "listTasks"
    if response.status != _OK:
        raise error_for(response, now, operation=operation, limits=limits)

    def read() -> TaskPage:
        raw = _read_tree(response, limits)
        return TaskPage(tasks=parse_tasks(data_of(raw)), cursor=cursor_of(raw))

    return _decoded(read, response, operation, None)


def read_snapshot(
    task_id: str,
    response: ApiResponse,
    now: float,
    *,
    first: int = 0,
    limits: Limits = DEFAULT_LIMITS,
) -> SnapshotPage:
    """404, 206 and 200 as they are: none of the three is an error of the look itself.

    A 404 of somebody else's is one: believed, it would end the watch of a task that has just been
    CANCELED before what became ready until then was seen.

    This 206 is not a range answer (RFC 9110): the page means "Some, but not all, derivatives have
    products available" by it.  `first` is how many items the pages before this one had.

    Raises:
        LimitExceededError: it is above one of `limits`.
        ApiError: any other answer, by `error_for`.
    """
    foreign = response.status == _NOT_FOUND and is_foreign(response.body)
    if foreign or response.status not in {_OK, _PARTIAL, _NOT_FOUND}:
        raise error_for(response, now, operation=_LISTING, task_id=task_id, limits=limits)

    listed, cursor = _decoded(
        partial(_read_listing, task_id, response, first, limits), response, _LISTING, task_id
    )
    server_time, retry_after = read_times(response, now, limits)
    snapshot = Snapshot(
        task_id=task_id,
        availability=_availability({response.status}, listed.derivatives, listed.unreadable),
        derivatives=listed.derivatives,
        unreadable=listed.unreadable,
        claims_all=response.status == _OK,
        server_time=server_time,
        retry_after=retry_after,
    )
    return SnapshotPage(
        snapshot=snapshot, status=response.status, items=listed.items, cursor=cursor
    )


def _decoded(
    read: Callable[[], T], response: ApiResponse, operation: str, task_id: str | None
) -> T:
    error: ApiError
    try:
        return read()
    except OverLimit as finding:
        error = over_limit(response, finding, operation=operation, task_id=task_id)
    except WireError as fault:
        error = unreadable(response.status, f"{fault}", operation=operation, task_id=task_id)
    # Out here, so that the error has no context: one sentence tells all of it.
    raise error


def join_pages(pages: Iterable[SnapshotPage]) -> Snapshot:
    """The pages of one look (at least one) as one snapshot.

    It is complete only where every page came with 200, and every derivative on them can be read and
    has assets.

    Raises:
        UnexpectedResponseError: they list something, and nothing of it can be read.
    """
    every = list(pages)
    look = every[0].snapshot if len(every) == 1 else _joined(every)
    if look.unreadable and not look.derivatives:
        raise unreadable(
            every[0].status, spell(look.unreadable), operation=_LISTING, task_id=look.task_id
        )
    return look


def _joined(pages: Collection[SnapshotPage]) -> Snapshot:
    snapshots = [page.snapshot for page in pages]
    statuses = {page.status for page in pages}
    derivatives = tuple(found for each in snapshots for found in each.derivatives)
    faults = tuple(fault for each in snapshots for fault in each.unreadable)
    waits = [each.retry_after for each in snapshots if each.retry_after is not None]
    return evolve(
        snapshots[0],
        availability=_availability(statuses, derivatives, faults),
        derivatives=derivatives,
        unreadable=faults,
        claims_all=statuses == {_OK},
        retry_after=max(waits, default=None),
    )


def _read_listing(
    task_id: str, response: ApiResponse, first: int, limits: Limits
) -> tuple[Listed, str | None]:
    if response.status == _NOT_FOUND:
        return Listed(), None
    raw = read_quickly(response, limits)
    if raw is not None:
        listed, cursor = _read_page(task_id, raw, first, limits)
        for found in listed.derivatives:
            if found.extra is not NO_EXTRA:
                break
        else:
            return listed, cursor
        # It holds what we do not know, and that is kept as it came, down to the last digit.
    return _read_page(task_id, read_object(response, limits), first, limits)


def _read_page(
    task_id: str, raw: dict[str, Any], first: int, limits: Limits
) -> tuple[Listed, str | None]:
    # Not looked through as a tree, which costs as much as parsing it: what is known has its shape
    # checked anyway, and what is not known is looked through where it stands.
    cursor = cursor_of(raw)
    if len(raw) > 1:
        check_tree({name: value for name, value in raw.items() if name != "data"}, limits)
    return parse_derivatives(data_of(raw), task_id, first=first, limits=limits), cursor


def _read_tree(response: ApiResponse, limits: Limits) -> dict[str, Any]:
    raw = read_object(response, limits)
    check_tree(raw, limits)
    return raw


def _availability(
    statuses: AbstractSet[int],
    derivatives: tuple[Derivative, ...],
    unreadable: tuple[Unreadable, ...],
) -> Availability:
    if statuses == {_NOT_FOUND}:
        return Availability.NONE
    # A 200 that still lists "assets": [], or what cannot be read, or nothing at all, is no end: the
    # status and the body disagree, and believing the status would lose what is still to come.
    claimed = statuses == {_OK} and derivatives and not unreadable
    done = claimed and all(found.assets for found in derivatives)
    return Availability.COMPLETE if done else Availability.PARTIAL
