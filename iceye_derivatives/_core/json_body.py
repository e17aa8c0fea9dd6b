"""How is JSON read out of an answer's body, and what do all listings have in common?"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from iceye_derivatives._core.answer import ApiResponse
from iceye_derivatives._core.ceilings import OverLimit
from iceye_derivatives._core.limits import DEFAULT_LIMITS, Limits
from iceye_derivatives._core.quick_json import quick_json
from iceye_derivatives._core.wire_error import WireError

__all__ = ["cursor_of", "data_of", "read_object", "read_quickly"]


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


def read_quickly(response: ApiResponse, limits: Limits) -> dict[str, Any] | None:
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


def data_of(raw: dict[str, Any]) -> object:
    """The items of a list, not yet looked at; WireError where there are none."""
    if "data" not in raw:
        raise WireError.of("is missing", "data")
    return raw["data"]


def cursor_of(raw: dict[str, Any]) -> str | None:
    """Of the next page.  The last one has "no `cursor`" by the docs, "" in their example."""
    cursor = raw.get("cursor")
    if cursor is not None and not isinstance(cursor, str):
        raise WireError.of("is not a string", "cursor")
    return cursor or None
