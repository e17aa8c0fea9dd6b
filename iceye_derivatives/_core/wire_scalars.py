"""What is a string, a number, a moment in JSON, when nothing is bent to make it fit?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from math import isfinite
from typing import Any

from iceye_derivatives._core.rfc3339 import parse_moment
from iceye_derivatives._core.wire_error import WireError

__all__ = ["SCALARS"]


def _text(raw: Any, _: Any) -> str:  # noqa: ANN401 - JSON
    if not isinstance(raw, str):
        raise WireError.of("is not a string")
    return raw


def _number(raw: Any, _: Any) -> float:  # noqa: ANN401 - JSON
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise WireError.of("is not a number")
    try:
        number = float(raw)
    except OverflowError:
        raise WireError.of("is too large") from None
    if not isfinite(number):
        raise WireError.of("is not finite")
    return number


def _integer(raw: Any, cls: Any) -> int:  # noqa: ANN401 - JSON
    # JSON has one kind of number: 20.0 is as whole as 20.
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    number = _number(raw, cls)
    if not number.is_integer():
        raise WireError.of("is not a whole number")
    return int(number)


def _moment(raw: Any, cls: Any) -> datetime:  # noqa: ANN401 - JSON
    try:
        return parse_moment(_text(raw, cls))
    except WireError:
        raise
    except ValueError as error:
        raise WireError.of(f"{error}") from None


SCALARS: dict[type, Callable[[Any, Any], Any]] = {
    str: _text,
    float: _number,
    int: _integer,
    datetime: _moment,
}
