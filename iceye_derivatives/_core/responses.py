"""What does an answer mean: (status, headers, body) to a value or an error."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NoReturn

from attrs import evolve, field, frozen

from iceye_derivatives._core.answer import ApiResponse, error_for, read_times, unreadable
from iceye_derivatives._core.wire import WireError, parse_derivatives, parse_task, parse_tasks
from iceye_derivatives.models import Availability, Derivative, Snapshot, Task

__all__ = [
    "LARGEST_BODY",
    "ApiResponse",
    "SnapshotPage",
    "TaskPage",
    "error_for",
    "join_pages",
    "read_object",
    "read_snapshot",
    "read_task",
    "read_task_page",
]

LARGEST_BODY = 64 << 20
"""Bytes.  A listing of ten thousand derivatives has about ten million; more is an accident."""

_OK, _CREATED, _PARTIAL, _NOT_FOUND = 200, 201, 206, 404


@frozen(kw_only=True)
class SnapshotPage:
    """One page of a look at the derivatives."""

    snapshot: Snapshot
    """What this page alone says."""
    status: int
    cursor: str | None = field(default=None, repr=False)
    """Of the next page; None where there is none."""


@frozen(kw_only=True)
class TaskPage:
    """One page of listTasks."""

    tasks: tuple[Task, ...]
    cursor: str | None = field(default=None, repr=False)
    """Of the next page; None where there is none (missing, null or empty)."""


def read_task(
    response: ApiResponse, now: float, *, operation: str = "getTask", task_id: str | None = None
) -> Task:
    """The task of a 200 or 201.

    Raises:
        ApiError: any other answer, by `error_for`.
    """
    if response.status not in {_OK, _CREATED}:
        raise error_for(response, now, operation=operation, task_id=task_id)
    try:
        return parse_task(read_object(response))
    except WireError as error:
        reason = f"{error}"
    # Out here, so that the error has no context: one sentence tells all of it.
    raise unreadable(response, reason, operation=operation, task_id=task_id)


def read_task_page(response: ApiResponse, now: float) -> TaskPage:
    """One page of listTasks.

    Raises:
        ApiError: anything but a 200, by `error_for`.
    """
    operation = "listTasks"
    if response.status != _OK:
        raise error_for(response, now, operation=operation)
    try:
        raw = read_object(response)
        return TaskPage(tasks=parse_tasks(_data(raw)), cursor=_cursor(raw))
    except WireError as error:
        reason = f"{error}"
    raise unreadable(response, reason, operation=operation)


def read_snapshot(task_id: str, response: ApiResponse, now: float) -> SnapshotPage:
    """404, 206 and 200 as they are: none of the three is an error of the look itself.

    This 206 is not a range answer (RFC 9110): the page means "Some, but not all, derivatives have
    products available" by it.

    Raises:
        ApiError: any other answer, by `error_for`.
    """
    operation = "listTaskDerivatives"
    if response.status not in {_OK, _PARTIAL, _NOT_FOUND}:
        raise error_for(response, now, operation=operation, task_id=task_id)
    try:
        derivatives, cursor = _read_listing(task_id, response)
    except WireError as error:
        reason = f"{error}"
    else:
        server_time, retry_after = read_times(response, now)
        snapshot = Snapshot(
            task_id=task_id,
            availability=_availability((response.status,), derivatives),
            derivatives=derivatives,
            server_time=server_time,
            retry_after=retry_after,
        )
        return SnapshotPage(snapshot=snapshot, status=response.status, cursor=cursor)
    raise unreadable(response, reason, operation=operation, task_id=task_id)


def join_pages(pages: Iterable[SnapshotPage]) -> Snapshot:
    """The pages of one look (at least one) as one snapshot.

    It is complete only where every page came with 200 and every derivative on them has assets.
    """
    first, *others = pages
    if not others:
        return first.snapshot
    every = [first, *others]
    derivatives = tuple(found for page in every for found in page.snapshot.derivatives)
    waits = [page.snapshot.retry_after for page in every if page.snapshot.retry_after is not None]
    return evolve(
        first.snapshot,
        availability=_availability([page.status for page in every], derivatives),
        derivatives=derivatives,
        retry_after=max(waits, default=None),
    )


def _read_listing(task_id: str, response: ApiResponse) -> tuple[tuple[Derivative, ...], str | None]:
    if response.status == _NOT_FOUND:
        return (), None
    raw = read_object(response)
    return parse_derivatives(_data(raw), task_id), _cursor(raw)


def _availability(statuses: Iterable[int], derivatives: tuple[Derivative, ...]) -> Availability:
    statuses = set(statuses)
    if statuses == {_NOT_FOUND}:
        return Availability.NONE
    # A 200 that still lists "assets": [], or lists nothing at all, is no end: the status and the
    # body disagree, and believing the status would lose what is still being made.
    done = statuses == {_OK} and derivatives and all(found.is_ready for found in derivatives)
    return Availability.COMPLETE if done else Availability.PARTIAL


def read_object(response: ApiResponse) -> dict[str, Any]:
    """The JSON object of a body, whatever its ``Content-Type`` claims.

    Raises:
        WireError: it is too large, too deep, no JSON, or no object.
    """
    if len(response.body) > LARGEST_BODY:
        raise WireError.of(f"is larger than {LARGEST_BODY >> 20} MiB")
    try:
        raw = _DECODER.decode(str(response.body, "utf-8").removeprefix("\ufeff"))
    except RecursionError:
        reason = "is nested too deeply"
    except ValueError:  # also of `str()` and of `int()` for numbers of thousands of digits
        reason = "is no JSON" if response.body.strip() else "is empty"
    else:
        if isinstance(raw, dict):
            return raw
        reason = "is not an object"
    raise WireError.of(reason)


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and the infinities, which Python's decoder would let through


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def _data(raw: dict[str, Any]) -> object:
    if "data" not in raw:
        raise WireError.of("is missing", "data")
    return raw["data"]


def _cursor(raw: dict[str, Any]) -> str | None:
    """Of the next page.  The last one has "no `cursor`" by the docs, "" in their example."""
    cursor = raw.get("cursor")
    if not isinstance(cursor, str | None):
        raise WireError.of("is not a string", "cursor")
    return cursor or None
