"""What does an answer mean: (status, headers, body) to a value or an error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import field, frozen

from iceye_derivatives.errors import ApiError
from iceye_derivatives.models import Snapshot, Task


@frozen(kw_only=True)
class ApiResponse:
    """An answer, whole; its body may hold signed links, so it has no repr."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """By lower-case name."""
    body: bytes = field(repr=False)


@frozen(kw_only=True)
class SnapshotPage:
    """One page of a look at the derivatives."""

    snapshot: Snapshot
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
    """The task of a 200 or 201; raises the `ApiError` of any other answer."""
    raise NotImplementedError


def read_task_page(response: ApiResponse, now: float) -> TaskPage:
    """One page of listTasks; raises the `ApiError` of anything but a 200."""
    raise NotImplementedError


def read_snapshot(task_id: str, response: ApiResponse, now: float) -> SnapshotPage:
    """404, 206 and 200 as they are; raises the `ApiError` of any other answer."""
    raise NotImplementedError


def join_pages(pages: Iterable[SnapshotPage]) -> Snapshot:
    """The pages of one look as one snapshot: complete only if every page is."""
    raise NotImplementedError


def error_for(
    response: ApiResponse, now: float, *, operation: str, task_id: str | None = None
) -> ApiError:
    """The error that an answer other than success means (returned, not raised)."""
    raise NotImplementedError
