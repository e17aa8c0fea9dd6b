"""What does not fit in a JSON document, and where?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from iceye_derivatives.errors import Fault

__all__ = ["WireError", "each", "join", "wire_name"]

T = TypeVar("T")

_SHOWN = 5


class WireError(ValueError):
    """JSON that is not what ICEYE documents; ``.faults`` names each place by its JSON path.

    Faults never quote the value: it may be a signed link.
    """

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        listed = "; ".join(
            f"{found.path or 'the document'}: {found.message}" for found in faults[:_SHOWN]
        )
        more = len(faults) - _SHOWN
        super().__init__(f"{listed}; and {more} more" if more > 0 else listed)

    @classmethod
    def of(cls, message: str, path: str = "") -> WireError:
        """One fault as an error; its path is relative to whoever catches it."""
        return cls((Fault(path, message),))


def join(path: str, name: str) -> str:
    """``a`` and ``b`` to ``a.b``, ``a`` and ``[0]`` to ``a[0]``."""
    return f"{path}.{name}" if path and name and not name.startswith("[") else path + name


# The API writes "ID" in some names and "Id" in others; both spellings are its own.
_ODD_NAMES = {"contract_id": "contractID", "config_id": "configID", "webhook_id": "notifications"}


def wire_name(attribute: str) -> str:
    """The API's name of one of our attributes."""
    first, *others = attribute.split("_")
    return _ODD_NAMES.get(attribute) or first + "".join(word.capitalize() for word in others)


def each(items: list[Any], read: Callable[..., T], path: str) -> tuple[T, ...]:
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
