"""How do ICEYE's JSON and our values turn into each other?"""

from __future__ import annotations

from typing import Any

from iceye_derivatives.errors import Fault
from iceye_derivatives.models import Derivative, Task, TaskRequest


class WireError(ValueError):
    """JSON that is not what ICEYE documents; ``.faults`` names each place by its JSON path."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        super().__init__("; ".join(f"{fault.path}: {fault.message}" for fault in faults))


def parse_task(raw: object, *, path: str = "$") -> Task:
    """One task; raises `WireError`."""
    raise NotImplementedError


def parse_tasks(raw: object, *, path: str = "data") -> tuple[Task, ...]:
    """The tasks of a listing's ``data``; raises `WireError`."""
    raise NotImplementedError


def parse_derivatives(raw: object, task_id: str, *, path: str = "data") -> tuple[Derivative, ...]:
    """The derivatives of a listing's ``data``; raises `WireError`."""
    raise NotImplementedError


def parse_task_request(raw: object) -> TaskRequest:
    """The body of createTask read back (for files and tests); raises `WireError`."""
    raise NotImplementedError


def render_task_request(request: TaskRequest) -> dict[str, Any]:
    """The body of createTask: None left out, moments in UTC; `InvalidTaskRequestError` if naive."""
    raise NotImplementedError
