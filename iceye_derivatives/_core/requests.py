"""Which request is sent for each operation of the API?"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from attrs import field, frozen

from iceye_derivatives._core.endpoint import normalise_base_url
from iceye_derivatives._core.rfc3339 import render_moment
from iceye_derivatives._core.wire import render_task_request
from iceye_derivatives._version import __version__
from iceye_derivatives.errors import ConfigurationError, Fault, InvalidTaskRequestError
from iceye_derivatives.models import TaskRequest

__all__ = [
    "ACCEPT",
    "USER_AGENT",
    "ApiRequest",
    "cancel_task",
    "create_task",
    "get_scene",
    "get_task",
    "list_derivatives",
    "list_tasks",
    "normalise_base_url",
]

ACCEPT = "application/json, application/problem+json"
"""The docs' recommendation for every call: only with it are errors told in full."""
USER_AGENT = f"iceye-derivatives/{__version__} (+python aiohttp)"

_TASKS = "/api/tasking/v2/tasks"


@frozen(kw_only=True)
class ApiRequest:
    """One call of the API, below the base URL."""

    operation: str
    """ICEYE's name for it, e.g. ``getTask``: for messages."""
    method: str
    path: str
    """Percent-encoded, begins with ``/api/``."""
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes | None = field(default=None, repr=False)
    """JSON, None where there is none."""

    @property
    def target(self) -> str:
        """Path and query, as they stand in the request line."""
        if not self.query:
            return self.path
        return f"{self.path}?{urlencode(self.query, quote_via=quote, safe='')}"

    @property
    def headers(self) -> dict[str, str]:
        """All headers but the token's."""
        headers = {"Accept": ACCEPT, "User-Agent": USER_AGENT}
        if self.body is not None:
            headers["Content-Type"] = "application/json"
        return headers


def create_task(request: TaskRequest) -> ApiRequest:
    """``POST /tasks``: the one call that is not idempotent, and has no idempotency key.

    Raises:
        InvalidTaskRequestError: the request cannot even be written as JSON.
    """
    body = render_task_request(request)
    try:
        encoded = _encode(body)
    except ValueError:
        pass
    else:
        return ApiRequest(operation="createTask", method="POST", path=_TASKS, body=encoded)
    # Latitude and longitude are the only numbers of a request that may have a fraction.
    raise InvalidTaskRequestError(
        [Fault("pointOfInterest", "is not finite; give latitude and longitude in degrees")]
    )


def get_task(task_id: str) -> ApiRequest:
    """``GET /tasks/{taskID}``; `ConfigurationError` where the id cannot be one."""
    return ApiRequest(operation="getTask", method="GET", path=_task_path(task_id))


def get_scene(task_id: str) -> ApiRequest:
    """``GET /tasks/{taskID}/scene``; `ConfigurationError` where the id cannot be one."""
    return ApiRequest(operation="getTaskScene", method="GET", path=f"{_task_path(task_id)}/scene")


def cancel_task(task_id: str) -> ApiRequest:
    """``PATCH /tasks/{taskID}`` with ``{"status": "CANCELED"}``.

    Raises:
        ConfigurationError: the id cannot be one.
    """
    return ApiRequest(
        operation="cancelTask",
        method="PATCH",
        path=_task_path(task_id),
        body=_encode({"status": "CANCELED"}),
    )


def list_tasks(
    *,
    limit: int = 50,
    cursor: str | None = None,
    contract_id: str | None = None,
    created_after: datetime | None = None,
    created_before: datetime | None = None,
) -> ApiRequest:
    """``GET /tasks``, one page.

    Args:
        limit: tasks on a page.  The API's own default is 10; ICEYE's example code asks for 50.
        cursor: of the page, None for the first; the other arguments stay the same for all pages.
        contract_id: of the tasks, None for all.
        created_after: a moment with a UTC offset.
        created_before: the same.

    Raises:
        ConfigurationError: a moment has no UTC offset, or `limit` is below 1.
    """
    if limit < 1:
        raise ConfigurationError(f"A page of {limit} tasks holds none; give a limit of 1 or more")
    query = {
        "limit": f"{limit}",
        "cursor": cursor,
        "contractID": contract_id,
        "createdAfter": _moment("created_after", created_after),
        "createdBefore": _moment("created_before", created_before),
    }
    return ApiRequest(
        operation="listTasks",
        method="GET",
        path=_TASKS,
        query=tuple((name, value) for name, value in query.items() if value is not None),
    )


def list_derivatives(task_id: str, *, cursor: str | None = None) -> ApiRequest:
    """``GET /tasks/{taskID}/derivatives``.

    Args:
        task_id: opaque.
        cursor: the page does not name one, but other v2 listings have it: of a further page.

    Raises:
        ConfigurationError: the id cannot be one.
    """
    return ApiRequest(
        operation="listTaskDerivatives",
        method="GET",
        path=f"{_task_path(task_id)}/derivatives",
        query=() if cursor is None else (("cursor", cursor),),
    )


def _task_path(task_id: str) -> str:
    """The id as one segment of the path, whatever it holds.

    "." and ".." are made of characters that percent-encoding leaves alone, and mean another path.
    """
    if not isinstance(task_id, str):
        raise ConfigurationError(f"{task_id!r} is no task id: give it as a string")
    try:
        quoted = quote(task_id, safe="") if task_id.strip() else "."
    except UnicodeEncodeError:
        quoted = "."
    if quoted in {".", ".."}:
        raise ConfigurationError(
            "The task id is empty or no id; give the `id` that createTask gave"
        )
    return f"{_TASKS}/{quoted}"


def _moment(name: str, moment: datetime | None) -> str | None:
    if moment is None:
        return None
    if moment.utcoffset() is None:
        raise ConfigurationError(
            f"`{name}` has no UTC offset; pass an aware datetime, e.g. with tzinfo=UTC"
        )
    return render_moment(moment)


def _encode(body: dict[str, Any]) -> bytes:
    return json.dumps(body, allow_nan=False, separators=(",", ":")).encode()
