"""Is each field of createTask well formed: one check for each, in a table."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from iceye_derivatives.simulator.notation import parse_rfc3339
from iceye_derivatives.simulator.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    Check = Callable[[str, Any], Any]

_LONGEST_REFERENCE = 256


def _fail(name: str, rule: str) -> ProblemError:
    return ProblemError(400, f"{name}: {rule}")


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise _fail(name, "must be a string")
    return value


def _reference(name: str, value: object) -> str:
    if len(text := _text(name, value)) > _LONGEST_REFERENCE:
        raise _fail(name, f"must be at most {_LONGEST_REFERENCE} characters long")
    return text


def _one_of(*allowed: str) -> Check:
    def check(name: str, value: object) -> str:
        if value not in allowed:
            raise _fail(name, f"must be one of {', '.join(allowed)}")
        return _text(name, value)

    return check


def _number(lowest: float, highest: float) -> Check:
    def check(name: str, value: object) -> float:
        # A bool is an int to Python, and no number to JSON.
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _fail(name, "must be a number")
        if not (math.isfinite(value) and lowest <= value <= highest):
            raise _fail(name, f"must lie between {lowest:g} and {highest:g}")
        return value

    return check


def _integer(lowest: int, highest: int) -> Check:
    within = _number(lowest, highest)

    def check(name: str, value: object) -> int:
        if isinstance(value, float):
            raise _fail(name, "must be an integer")
        return int(within(name, value))

    return check


def _object(checks: dict[str, Check], *, optional: Collection[str] = ()) -> Check:
    def check(name: str, value: object) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _fail(name, "must be an object")
        for key in value:
            if key not in checks:
                raise _fail(f"{name}.{key}", "unknown property")
        for key in checks:
            if key not in value and key not in optional:
                raise _fail(f"{name}.{key}", "required property is missing")
        return {key: checks[key](f"{name}.{key}", value[key]) for key in value}

    return check


def _list(check_item: Check, *, least: int = 0) -> Check:
    def check(name: str, value: object) -> list[Any]:
        if not isinstance(value, list | tuple):
            raise _fail(name, "must be an array")
        if len(value) < least:
            raise _fail(name, "must not be empty")
        return [check_item(f"{name}[{place}]", item) for place, item in enumerate(value)]

    return check


def _moment(name: str, value: object) -> float:
    try:
        return parse_rfc3339(_text(name, value))
    except ValueError:
        raise _fail(name, "must be an RFC 3339 date-time with an offset") from None


def _angles(name: str, value: object) -> dict[str, int]:
    angle = _integer(10, 45)
    pair: dict[str, int] = _object({"min": angle, "max": angle})(name, value)
    if pair["min"] > pair["max"]:
        raise _fail(name, "min must not be above max")
    return pair


REQUIRED = ("contractID", "pointOfInterest", "acquisitionWindow", "imagingMode")

_LOCATION = _object(
    {"configID": _text, "path": _text, "subPath": _text}, optional=frozenset({"subPath"})
)

FIELDS: dict[str, Check] = {
    "contractID": _text,
    "pointOfInterest": _object({"lat": _number(-90, 90), "lon": _number(-180, 180)}),
    "acquisitionWindow": _object({"start": _moment, "end": _moment}),
    # A plain string since June 2025; the contract says which ones there are.
    "imagingMode": _text,
    "productTypes": _list(_text),
    "derivativeProductTypes": _list(_text, least=1),
    "exclusivity": _one_of("PRIVATE", "PUBLIC"),
    "priority": _one_of("BACKGROUND", "COMMERCIAL"),
    "sla": _text,
    "eula": _one_of("STANDARD", "GOVERNMENT", "MULTI"),
    "incidenceAngle": _angles,
    "lookSide": _one_of("LEFT", "RIGHT", "ANY"),
    "passDirection": _one_of("ASCENDING", "DESCENDING", "ANY"),
    "reference": _reference,
    "imagingDuration": _integer(1, 180),
    "notifications": _object({"webhook": _object({"id": _text})}),
    "deliveries": _list(_object({"locations": _list(_LOCATION)})),
}
