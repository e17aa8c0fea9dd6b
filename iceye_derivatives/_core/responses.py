"""What does an answer mean: (status, headers, body) to a value or an error."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NoReturn, TypeVar

from attrs import evolve, field, frozen

from iceye_derivatives._core.answer import (
    ApiResponse,
    error_for,
    over_limit,
    read_times,
    unreadable,
)
from iceye_derivatives._core.ceilings import OverLimit, check_tree
from iceye_derivatives._core.limits import DEFAULT_LIMITS, Limits
from iceye_derivatives._core.problem import LARGEST_PROBLEM
from iceye_derivatives._core.quick_json import quick_json
from iceye_derivatives._core.wire import (
    WireError,
    parse_derivatives,
    parse_scene,
    parse_task,
    parse_tasks,
)
from iceye_derivatives.errors import ApiError
from iceye_derivatives.models import NO_EXTRA, Availability, Derivative, Scene, Snapshot, Task

__all__ = [
    "ApiResponse",
    "SnapshotPage",
    "TaskPage",
    "error_for",
    "join_pages",
    "longest_body",
    "read_object",
    "read_scene",
    "read_snapshot",
    "read_task",
    "read_task_page",
]

T = TypeVar("T")

_OK, _CREATED, _PARTIAL, _NOT_FOUND, _ERRORS = 200, 201, 206, 404, 400


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
        return TaskPage(tasks=parse_tasks(_data(raw)), cursor=_cursor(raw))

    return _decoded(read, response, operation, None)


def read_snapshot(
    task_id: str, response: ApiResponse, now: float, *, limits: Limits = DEFAULT_LIMITS
) -> SnapshotPage:
    """404, 206 and 200 as they are: none of the three is an error of the look itself.

    This 206 is not a range answer (RFC 9110): the page means "Some, but not all, derivatives have
    products available" by it.

    Raises:
        LimitExceededError: it is above one of `limits`.
        ApiError: any other answer, by `error_for`.
    """
    operation = "listTaskDerivatives"
    if response.status not in {_OK, _PARTIAL, _NOT_FOUND}:
        raise error_for(response, now, operation=operation, task_id=task_id, limits=limits)

    derivatives, cursor = _decoded(
        partial(_read_listing, task_id, response, limits), response, operation, task_id
    )
    server_time, retry_after = read_times(response, now, limits)
    snapshot = Snapshot(
        task_id=task_id,
        availability=_availability((response.status,), derivatives),
        derivatives=derivatives,
        server_time=server_time,
        retry_after=retry_after,
    )
    return SnapshotPage(snapshot=snapshot, status=response.status, cursor=cursor)


def _decoded(
    read: Callable[[], T], response: ApiResponse, operation: str, task_id: str | None
) -> T:
    error: ApiError
    try:
        return read()
    except OverLimit as finding:
        error = over_limit(response, finding, operation=operation, task_id=task_id)
    except WireError as fault:
        error = unreadable(response, f"{fault}", operation=operation, task_id=task_id)
    # Out here, so that the error has no context: one sentence tells all of it.
    raise error


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


def _read_listing(
    task_id: str, response: ApiResponse, limits: Limits
) -> tuple[tuple[Derivative, ...], str | None]:
    if response.status == _NOT_FOUND:
        return (), None
    raw = _read_quickly(response, limits)
    if raw is not None:
        derivatives, cursor = _read_page(task_id, raw, limits)
        for found in derivatives:
            if found.extra is not NO_EXTRA:
                break
        else:
            return derivatives, cursor
        # It holds what we do not know, and that is kept as it came, down to the last digit.
    return _read_page(task_id, read_object(response, limits), limits)


def _read_page(
    task_id: str, raw: dict[str, Any], limits: Limits
) -> tuple[tuple[Derivative, ...], str | None]:
    # Not looked through as a tree, which costs as much as parsing it: what is known has its shape
    # checked anyway, and what is not known is looked through where it stands.
    cursor = _cursor(raw)
    if len(raw) > 1:
        check_tree({name: value for name, value in raw.items() if name != "data"}, limits)
    return parse_derivatives(_data(raw), task_id, limits=limits), cursor


def _read_tree(response: ApiResponse, limits: Limits) -> dict[str, Any]:
    raw = read_object(response, limits)
    check_tree(raw, limits)
    return raw


def _availability(statuses: Iterable[int], derivatives: tuple[Derivative, ...]) -> Availability:
    kinds = set(statuses)
    if kinds == {_NOT_FOUND}:
        return Availability.NONE
    # A 200 that still lists "assets": [], or lists nothing at all, is no end: the status and the
    # body disagree, and believing the status would lose what is still being made.
    done = kinds == {_OK} and derivatives and all(found.assets for found in derivatives)
    return Availability.COMPLETE if done else Availability.PARTIAL


def read_object(response: ApiResponse, limits: Limits = DEFAULT_LIMITS) -> dict[str, Any]:
    """The JSON object of a body, whatever its ``Content-Type`` claims.

    Raises:
        OverLimit: it is larger than ``json_bytes``.
        WireError: it is too deep for the parser, no JSON, or no object.
    """
    if len(response.body) > limits.json_bytes:
        raise OverLimit("has more bytes", "json_bytes", limits)
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


def _read_quickly(response: ApiResponse, limits: Limits) -> dict[str, Any] | None:
    """The same object in half the time, with the extra ``speed``; None where that has doubts.

    orjson refuses what Python's decoder may read (a byte order mark, half a surrogate pair) and
    rounds numbers beyond 64 bits, of which a listing knows none.
    """
    orjson = quick_json()
    if orjson is None or len(response.body) > limits.json_bytes:
        return None
    try:
        raw = orjson.loads(response.body)
    except ValueError:
        return None
    return raw if isinstance(raw, dict) else None


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
    if cursor is not None and not isinstance(cursor, str):
        raise WireError.of("is not a string", "cursor")
    return cursor or None
