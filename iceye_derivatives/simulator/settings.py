"""Is this a setting of that fault: defaults filled in, strangers and wrong kinds refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from iceye_derivatives.simulator.incident import Fault


def chosen(fault: Fault, settings: Mapping[str, object]) -> dict[str, Any]:
    """Fill in a fault's defaults; of a tuple of choices, the first.

    Raises:
        ValueError: The fault has no such setting, or it takes no such value; the message lists
            what there is.
    """
    filled = {
        name: default[0] if isinstance(default, tuple) else default
        for name, default in fault.settings.items()
    }
    for name, value in settings.items():
        if name not in filled:
            known = listed(filled) if filled else "none"
            raise ValueError(f"{fault.name} has no setting {name!r}; it has {known}")
        choices = fault.settings[name]
        if isinstance(choices, tuple):
            if value not in choices:
                raise ValueError(
                    f"{name} of {fault.name} is one of {listed(choices)}, not {value!r}"
                )
        elif not _is_like(choices, value):
            raise ValueError(f"{name} of {fault.name} is {_kind(choices)}, not {value!r}")
    return {**filled, **settings}


def listed(names: Iterable[object]) -> str:
    """Write what there is, in the order of the alphabet."""
    return ", ".join(sorted(map(str, names)))


def _is_like(default: object, value: object) -> bool:
    # A bool is an int to Python; nobody who writes `seconds = true` means one second.
    if isinstance(value, bool):
        return False
    if default is None:
        return value is None or (isinstance(value, int) and value >= 0)
    if isinstance(default, float):
        return isinstance(value, int | float)
    return isinstance(value, type(default))


def _kind(default: object) -> str:
    if default is None:
        return "a whole number or nothing"
    return {float: "a number", int: "a whole number"}.get(type(default), "a string")
