"""How do ICEYE's JSON and our values turn into each other?

Answers are read leniently in what they may hold: unknown fields and unknown names of products,
modes and statuses are kept, and so is, as it came, a field that is not as documented and that can
be done without.  They are read strictly in all else: an id is a string, never a number that looks
like one.  All faults of a document are named at once, each by its JSON path.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from attrs import evolve, fields

from iceye_derivatives._core.wire_derivatives import Listed, parse_derivatives
from iceye_derivatives._core.wire_error import WireError, each, join, wire_name
from iceye_derivatives.errors import Fault, InvalidTaskRequestError
from iceye_derivatives.models import Extra, Scene, Task, TaskRequest

__all__ = [
    "Listed",
    "WireError",
    "parse_derivatives",
    "parse_scene",
    "parse_task",
    "parse_task_request",
    "parse_tasks",
    "render_task_request",
]

A = TypeVar("A", Task, Scene)

_NEEDED: Mapping[type, frozenset[str]] = {
    Task: frozenset({"", "id", "status"}),
    Scene: frozenset({"", "imagingTime"}),
}
"""Without these an answer is of no use; "" is what is no field of it."""


def parse_task(raw: object, *, path: str = "") -> Task:
    """One task, as an answer holds it.

    What it holds beyond our fields is kept in ``extra``, and what is not as documented as well,
    with None in its place, but for id and status.

    Raises:
        WireError: these are not what ICEYE documents.
    """
    task = _answer(raw, Task, path)
    if not task.id:
        raise WireError.of("is empty", join(path, "id"))
    return task


def parse_scene(raw: object, *, path: str = "") -> Scene:
    """A task's scene, as an answer holds it; `extra` is as a task's.

    Raises:
        WireError: its imaging time is not what ICEYE documents.
    """
    return _answer(raw, Scene, path)


def parse_tasks(raw: object, *, path: str = "data") -> tuple[Task, ...]:
    """The tasks of a listing; null reads as an empty list, as Go's encoder writes one so.

    Raises:
        WireError: with the faults of all tasks.
    """
    if raw is None:
        return ()
    if not isinstance(raw, list):
        raise WireError.of("is not a list", path)
    return each(raw, parse_task, path)


def parse_task_request(raw: object) -> TaskRequest:
    """The body of createTask read back; unlike in an answer, an unknown field is a fault.

    Raises:
        WireError: it is not a body that createTask takes ("Schema forbids unknown properties").
    """
    from iceye_derivatives._core.wire_converter import bodies, structure  # noqa: PLC0415 - see there

    return structure(bodies(), raw, TaskRequest, "")


def render_task_request(request: TaskRequest) -> dict[str, Any]:
    """The body of createTask: None is left out, moments are written in UTC.

    Raises:
        InvalidTaskRequestError: a moment has no UTC offset, so that it cannot be written.
    """
    window = request.acquisition_window
    naive = [
        Fault(f"acquisitionWindow.{name}", "has no UTC offset; use an aware datetime")
        for name in ("start", "end")
        if getattr(window, name).utcoffset() is None
    ]
    if naive:
        raise InvalidTaskRequestError(naive)
    from iceye_derivatives._core.wire_converter import bodies  # noqa: PLC0415 - see there

    body: dict[str, Any] = bodies().unstructure(request)
    return body


def _answer(raw: object, cls: type[A], path: str) -> A:
    from iceye_derivatives._core.wire_converter import answers, structure  # noqa: PLC0415 - see there

    odd: frozenset[str] = frozenset()
    try:
        answer = structure(answers(), raw, cls, path)
    except WireError as error:
        odd = frozenset(_field(fault, path) for fault in error.faults)
        if not isinstance(raw, dict) or not odd or odd & _NEEDED[cls]:
            raise
        rest = {name: value for name, value in raw.items() if name not in odd}
        answer = structure(answers(), rest, cls, path)
    extra = _beyond(raw, cls, odd)
    return evolve(answer, extra=Extra(extra)) if extra else answer


def _field(fault: Fault, path: str) -> str:
    """The field of the answer in which it is, "" for the answer itself."""
    return re.split(r"[.\[]", fault.path.removeprefix(path).lstrip("."), maxsplit=1)[0]


def _beyond(raw: object, cls: type[Task | Scene], odd: Collection[str]) -> dict[str, Any]:
    ours = {wire_name(field.name) for field in fields(cls) if field.name != "extra"}
    known = ours.difference(odd)
    return {name: value for name, value in dict[str, Any](raw).items() if name not in known}  # type: ignore[call-overload]
