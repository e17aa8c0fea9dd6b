"""What is sent for each operation: request values, without a socket."""

from __future__ import annotations

from datetime import datetime

from attrs import field, frozen

from iceye_derivatives.models import TaskRequest


@frozen(kw_only=True)
class ApiRequest:
    """One call of the API, below the base URL."""

    operation: str
    """ICEYE's name for it, e.g. ``getTask``: for messages."""
    method: str
    path: str
    """Percent-encoded, begins with ``/api/``."""
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = field(default=None, repr=False)
    idempotent: bool = True
    """Whether sending it twice does what sending it once does."""


def normalise_base_url(raw: str) -> str:
    """``https://host[:port][/prefix]`` without a trailing ``/`` or ``/api``; ConfigurationError."""
    raise NotImplementedError


def create_task(request: TaskRequest) -> ApiRequest:
    """``POST /tasks``: the one call that is not idempotent."""
    raise NotImplementedError


def get_task(task_id: str) -> ApiRequest:
    """``GET /tasks/{taskID}``."""
    raise NotImplementedError


def cancel_task(task_id: str) -> ApiRequest:
    """``PATCH /tasks/{taskID}`` with ``{"status": "CANCELED"}``."""
    raise NotImplementedError


def list_tasks(
    *,
    limit: int = 50,
    cursor: str | None = None,
    contract_id: str | None = None,
    created_after: datetime | None = None,
    created_before: datetime | None = None,
) -> ApiRequest:
    """``GET /tasks``, one page."""
    raise NotImplementedError


def list_derivatives(task_id: str, *, cursor: str | None = None) -> ApiRequest:
    """``GET /tasks/{taskID}/derivatives``."""
    raise NotImplementedError
