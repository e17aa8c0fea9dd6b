"""How is a small note on disk read: strictly, and never with a crash?

Notes (sidecars, owner records, journals) stand in a folder where anybody may write.  Whatever is
found there is either exactly what this version writes, or it is ignored with a reason.
"""

from __future__ import annotations

import json
from enum import Enum
from typing import Final, TypeVar

from iceye_derivatives._core.quick_json import quick_json
from iceye_derivatives.models import AssetRef

__all__ = [
    "NoteFault",
    "Reason",
    "as_json",
    "asset_fields",
    "read_asset",
    "read_note",
    "read_number",
    "read_object",
    "read_optional",
    "read_text",
    "write_note",
]

_LONGEST_NUMBER: Final = 1 << 63
T = TypeVar("T")
# `json.dumps` makes an encoder for each call that asks for anything.
_encode: Final = json.JSONEncoder(separators=(",", ":")).encode


class Reason(Enum):
    """Why a note is of no use."""

    UNREADABLE = "it is no JSON object"
    OTHER_FORMAT = "it is of another version"
    WRONG_SHAPE = "a field is missing or wrong"
    OTHER_FILE = "it belongs to another file"


class NoteFault(ValueError):  # noqa: N818 - a decision to ignore a note, not an error
    """A note is of no use: for which reason."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


def write_note(form: int, fields: dict[str, object]) -> bytes:
    """A note as JSON; `form` is the version of its format."""
    return as_json({"format": form, **fields})


def as_json(value: dict[str, object] | str) -> bytes:
    """A note, or a part of one, as compact JSON; with the extra ``speed`` in a tenth of the time.

    orjson refuses what Python's own writes as well as it reads it: half a surrogate pair, and whole
    numbers above 64 bits.
    """
    orjson = quick_json()
    if orjson is not None:
        try:
            quick: bytes = orjson.dumps(value)
        except TypeError:
            pass
        else:
            return quick
    return _encode(value).encode()


def read_note(note: bytes, form: int) -> dict[str, object]:
    """The fields of a note of this format.

    Raises:
        NoteFault: it is anything else.
    """
    try:
        found = json.loads(note.decode())
    except (ValueError, RecursionError):
        raise NoteFault(Reason.UNREADABLE) from None
    if not isinstance(found, dict):
        raise NoteFault(Reason.UNREADABLE)
    if type(found.get("format")) is not int or found["format"] != form:
        raise NoteFault(Reason.OTHER_FORMAT)
    return found


def read_text(fields: dict[str, object], name: str) -> str:
    """A field that must be a string."""
    value = fields.get(name)
    if not isinstance(value, str):
        raise NoteFault(Reason.WRONG_SHAPE)
    return value


def read_number(fields: dict[str, object], name: str) -> int:
    """A field that must be a whole number from 0 up, of 63 bits."""
    value = fields.get(name)
    if type(value) is not int or not 0 <= value < _LONGEST_NUMBER:
        raise NoteFault(Reason.WRONG_SHAPE)
    return value


def read_optional(fields: dict[str, object], name: str, kind: type[T]) -> T | None:
    """A field that may be null."""
    value = fields.get(name)
    if value is not None and type(value) is not kind:
        raise NoteFault(Reason.WRONG_SHAPE)
    return value


def read_object(fields: dict[str, object], name: str) -> dict[str, object]:
    """A field that must be an object."""
    value = fields.get(name)
    if not isinstance(value, dict):
        raise NoteFault(Reason.WRONG_SHAPE)
    return value


def asset_fields(asset: AssetRef) -> dict[str, object]:
    """An asset's identity: never its URL, which is another one at each look."""
    return {
        "task_id": asset.task_id,
        "derivative_id": asset.derivative_id,
        "product_type": asset.product_type,
        "asset_type": asset.asset_type,
        "ordinal": asset.ordinal,
    }


def read_asset(fields: dict[str, object]) -> AssetRef:
    """The identity that `asset_fields` wrote down."""
    return AssetRef(
        task_id=read_text(fields, "task_id"),
        derivative_id=read_text(fields, "derivative_id"),
        product_type=read_text(fields, "product_type"),
        asset_type=read_text(fields, "asset_type"),
        ordinal=read_number(fields, "ordinal"),
    )
