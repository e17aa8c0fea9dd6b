"""How do ICEYE's JSON and our values turn into each other?

Answers are read leniently in what they may hold (unknown fields and unknown names of products,
modes and statuses are kept) and strictly in what they are: an id is a string, never a number that
looks like one.  All faults of a document are named at once, each by its JSON path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache, partial
from typing import Any, TypeVar, get_args, get_origin

from attrs import evolve, fields, has
from cattrs import BaseValidationError, Converter, ForbiddenExtraKeysError
from cattrs.errors import AttributeValidationNote
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from iceye_derivatives._core.rfc3339 import render_moment
from iceye_derivatives._core.wire_derivatives import parse_derivatives
from iceye_derivatives._core.wire_error import WireError, join
from iceye_derivatives._core.wire_scalars import SCALARS
from iceye_derivatives.errors import Fault, InvalidTaskRequestError
from iceye_derivatives.models import Extra, Scene, Task, TaskRequest

__all__ = [
    "WireError",
    "parse_derivatives",
    "parse_scene",
    "parse_task",
    "parse_task_request",
    "parse_tasks",
    "render_task_request",
]

T = TypeVar("T")

# The API writes "ID" in some names and "Id" in others; both spellings are its own.
_ODD_NAMES = {"contract_id": "contractID", "config_id": "configID", "webhook_id": "notifications"}


def wire_name(attribute: str) -> str:
    """The API's name of one of our attributes."""
    first, *others = attribute.split("_")
    return _ODD_NAMES.get(attribute) or first + "".join(word.capitalize() for word in others)


def parse_task(raw: object, *, path: str = "") -> Task:
    """One task, as an answer holds it; what it holds beyond our fields is kept in ``extra``.

    Raises:
        WireError: it is not what ICEYE documents.
    """
    task = _structure(_answers(), raw, Task, path)
    if not task.id:
        raise WireError.of("is empty", join(path, "id"))
    unknown = _unknown(raw, Task)
    return evolve(task, extra=Extra(unknown)) if unknown else task


def parse_scene(raw: object, *, path: str = "") -> Scene:
    """A task's scene, as an answer holds it.

    Raises:
        WireError: it is not what ICEYE documents.
    """
    scene = _structure(_answers(), raw, Scene, path)
    unknown = _unknown(raw, Scene)
    return evolve(scene, extra=Extra(unknown)) if unknown else scene


def parse_tasks(raw: object, *, path: str = "data") -> tuple[Task, ...]:
    """The tasks of a listing; null reads as an empty list, as Go's encoder writes one so.

    Raises:
        WireError: with the faults of all tasks.
    """
    if raw is None:
        return ()
    if not isinstance(raw, list):
        raise WireError.of("is not a list", path)
    return _each(raw, parse_task, path)


def parse_task_request(raw: object) -> TaskRequest:
    """The body of createTask read back; unlike in an answer, an unknown field is a fault.

    Raises:
        WireError: it is not a body that createTask takes ("Schema forbids unknown properties").
    """
    return _structure(_bodies(), raw, TaskRequest, "")


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
    body: dict[str, Any] = _bodies().unstructure(request)
    return body


def _unknown(raw: object, cls: type[Task | Scene]) -> dict[str, Any]:
    known = {wire_name(field.name) for field in fields(cls) if field.name != "extra"}
    return {name: value for name, value in dict[str, Any](raw).items() if name not in known}  # type: ignore[call-overload]


def _structure(converter: Converter, raw: object, cls: type[T], path: str) -> T:
    try:
        return converter.structure(raw, cls)
    except (BaseValidationError, WireError) as error:
        faults = tuple(_faults(error, path))
    # Raised out here, so that no traceback shows cattrs' groups, which quote the values.
    raise WireError(faults)


@cache
def _answers() -> Converter:
    return _converter(strict=False)


@cache
def _bodies() -> Converter:
    return _converter(strict=True)


def _converter(*, strict: bool) -> Converter:
    """One converter: cattrs' own hooks would turn 1 into "1", and "GRD" into ("G", "R", "D")."""
    converter = Converter()
    for cls, hook in SCALARS.items():
        converter.register_structure_hook(cls, hook)
    converter.register_structure_hook_factory(_is_tuple, partial(_tuple_hook, converter))
    converter.register_structure_hook_factory(has, partial(_class_hook, converter, strict))
    converter.register_unstructure_hook(datetime, render_moment)
    converter.register_unstructure_hook(str, str)  # a StrEnum becomes its plain string
    converter.register_unstructure_hook_factory(has, partial(_class_writer, converter))
    return converter


def _is_tuple(cls: Any) -> bool:  # noqa: ANN401 - a generic alias
    return get_origin(cls) is tuple


def _class_hook(converter: Converter, strict: bool, cls: type) -> Callable[[Any, Any], Any]:  # noqa: FBT001 - bound by partial
    overrides: dict[str, Any] = {
        field.name: override(
            rename=wire_name(field.name),
            omit=field.name == "extra",
            struct_hook=_ODD_READERS.get((cls, field.name)),
        )
        for field in fields(cls)
    }
    inner: Callable[[Any, Any], Any] = make_dict_structure_fn(
        cls, converter, _cattrs_forbid_extra_keys=strict, **overrides
    )

    def hook(raw: Any, cls: Any) -> Any:  # noqa: ANN401 - JSON
        if not isinstance(raw, dict):
            raise WireError.of("is not an object")
        return inner(raw, cls)

    return hook


def _class_writer(converter: Converter, cls: type) -> Callable[[Any], dict[str, Any]]:
    overrides: dict[str, Any] = {
        field.name: override(
            rename=wire_name(field.name),
            unstruct_hook=_write_webhook if field.name == "webhook_id" else None,
        )
        for field in fields(cls)
    }
    return make_dict_unstructure_fn(cls, converter, _cattrs_omit_if_default=True, **overrides)


def _tuple_hook(converter: Converter, cls: Any) -> Callable[[Any, Any], tuple[Any, ...]]:  # noqa: ANN401 - a generic alias
    member = get_args(cls)[0]

    def hook(raw: Any, _: Any) -> tuple[Any, ...]:  # noqa: ANN401 - JSON
        if not isinstance(raw, list):
            raise WireError.of("is not a list")
        return _each(raw, lambda item, path: _structure(converter, item, member, path), "")

    return hook


def _each(items: list[Any], read: Callable[..., T], path: str) -> tuple[T, ...]:
    """Read all items before complaining, so that all faults are known at once."""
    values, faults = [], list[Fault]()
    for index, item in enumerate(items):
        try:
            values.append(read(item, path=f"{path}[{index}]"))
        except WireError as error:
            faults.extend(error.faults)
    if faults:
        raise WireError(tuple(faults))
    return tuple(values)


def _read_webhook(raw: Any, _: Any) -> str | None:  # noqa: ANN401 - JSON
    """``{"webhook": {"id": …}}``, which is all that ``notifications`` can hold."""
    if raw is None:
        return None
    match raw:
        case {"webhook": {"id": str(webhook_id)}} if len(raw) == len(raw["webhook"]) == 1:
            return webhook_id
    raise WireError.of('is not {"webhook": {"id": "…"}}')


def _read_angle(raw: Any, _: Any) -> str | None:  # noqa: ANN401 - JSON
    """A string by the schema; ICEYE's own example code takes what it gets for a number."""
    if raw is None or isinstance(raw, str):
        return raw
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise WireError.of("is neither a string nor a number")
    return f"{raw}"


_ODD_READERS: dict[tuple[type, str], Callable[[Any, Any], Any]] = {
    (Task, "webhook_id"): _read_webhook,
    (TaskRequest, "webhook_id"): _read_webhook,
    (Scene, "incidence_angle"): _read_angle,
}


def _write_webhook(webhook_id: str) -> dict[str, Any]:
    return {"webhook": {"id": str(webhook_id)}}


def _faults(error: BaseException, path: str) -> Iterator[Fault]:
    """What went wrong below a path, out of cattrs' tree of groups."""
    match error:
        case WireError():
            for found in error.faults:
                yield evolve(found, path=join(path, found.path))
        case BaseValidationError():
            for inner in error.exceptions:
                yield from _faults(inner, join(path, _name_of(inner)))
        case KeyError():
            yield Fault(path, "is missing")
        case ForbiddenExtraKeysError():
            for name in sorted(error.extra_fields):
                yield Fault(join(path, name), "is not a field that the API takes here")
        case _:
            yield Fault(path, "cannot be read")


def _name_of(error: BaseException) -> str:
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, AttributeValidationNote):
            return wire_name(note.name)
    return ""
