"""How does cattrs turn JSON into our values, strictly and with every fault named?

Imported when the first task is read or written, and beside the loop where a session is opened:
importing the library would cost half as much again with it.
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
from iceye_derivatives._core.wire_error import WireError, each, join, wire_name
from iceye_derivatives._core.wire_scalars import SCALARS
from iceye_derivatives.errors import Fault
from iceye_derivatives.models import Scene, Task, TaskRequest

__all__ = ["answers", "bodies", "structure"]

T = TypeVar("T")


def structure(converter: Converter, raw: object, cls: type[T], path: str) -> T:
    """A value out of JSON; `WireError` names all that does not fit."""
    try:
        return converter.structure(raw, cls)
    except (BaseValidationError, WireError) as error:
        faults = tuple(_faults(error, path))
    # Raised out here, so that no traceback shows cattrs' groups, which quote the values.
    raise WireError(faults)


@cache
def answers() -> Converter:
    """For what the API says: an unknown field is no fault."""
    return _converter(strict=False)


@cache
def bodies() -> Converter:
    """For what it is told: an unknown field is a fault."""
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
        return each(raw, lambda item, path: structure(converter, item, member, path), "")

    return hook


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
