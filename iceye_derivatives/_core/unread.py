"""What cannot be read: is anything else to come, and how is it told, known again, written down?

A complaint is known again by the derivative's id where that can be read: the next listing may have
it elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeAlias

from attrs import astuple

from iceye_derivatives.models import Snapshot, Unreadable

__all__ = [
    "Complaint",
    "complaint",
    "is_all_that_is_left",
    "name_of",
    "read_complaints",
    "read_unreadable",
    "spell",
    "write_unreadable",
]

Complaint: TypeAlias = tuple[str | int, str, str]
"""Whose, where and what."""
_SHOWN = 5


def spell(unreadable: Sequence[Unreadable]) -> str:
    """The first few in one line, and how many more there are."""
    more = len(unreadable) - _SHOWN
    listed = "; ".join(map(str, unreadable[:_SHOWN]))
    return f"{listed}; and {more} more" if more > 0 else listed


def complaint(fault: Unreadable) -> Complaint:
    """By what it is known again."""
    whose = fault.item if fault.derivative_id is None else fault.derivative_id
    return whose, fault.field, fault.problem


def name_of(fault: Unreadable) -> str:
    """What is missing: a derivative's id, else its product type, else its path."""
    return fault.derivative_id or fault.product_type or f"data[{fault.item}]"


def is_all_that_is_left(snapshot: Snapshot, unlisted: AbstractSet[str]) -> bool:
    """Whether nothing else is to be expected: by its status all is there, and the rest is.

    Each type that was ordered and never listed may be that of one item whose own cannot be read.
    Where there are more of them the answer breaks its promise, and they may still come.
    """
    if not (snapshot.unreadable and snapshot.claims_all):
        return False
    types = {fault.item: fault.product_type for fault in snapshot.unreadable}
    nameless = sum(kind is None for kind in types.values())
    explained = len(unlisted - set(types.values())) <= nameless
    return explained and all(found.assets for found in snapshot.derivatives)


def write_unreadable(faults: Iterable[Unreadable]) -> list[list[str | int | None]]:
    """As JSON values, without a link: nothing of a listing stands in them but two names."""
    return [list(astuple(fault)) for fault in faults]


def read_unreadable(value: object) -> tuple[Unreadable, ...]:
    """What `write_unreadable` wrote.

    Raises:
        TypeError, ValueError: it is anything else.
    """
    found = []
    for item, field, problem, derivative_id, product_type in map(_list, _list(value)):
        fault = Unreadable(
            item=_index(item),
            field=_text(field),
            problem=_text(problem),
            derivative_id=None if derivative_id is None else _text(derivative_id),
            product_type=None if product_type is None else _text(product_type),
        )
        found.append(fault)
    return tuple(found)


def read_complaints(value: object) -> frozenset[Complaint]:
    """What was told, from a list of lists.

    Raises:
        TypeError, ValueError: it is anything else.
    """
    return frozenset(
        (whose if isinstance(whose, str) else _index(whose), _text(field), _text(problem))
        for whose, field, problem in map(_list, _list(value))
    )


def _list(value: object) -> Sequence[object]:
    if not isinstance(value, list):
        raise TypeError(f"a list was expected, not {type(value).__name__}")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a string was expected, not {type(value).__name__}")
    return value


def _index(value: object) -> int:
    if type(value) is not int:
        raise TypeError(f"a number was expected, not {type(value).__name__}")
    return value
