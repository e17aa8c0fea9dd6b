"""May this be ordered: the checks of createTask, in ICEYE's order.

ICEYE checks the request's syntax first, then the contract's rules, then the price; the first fault
is answered at once. "A value not in the contract's allowed list is an error; an omitted optional
value takes the contract's default."
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from iceye_derivatives.simulator.contract import DERIVATIVE_MODES, DERIVATIVE_TYPES
from iceye_derivatives.simulator.fields import FIELDS, REQUIRED
from iceye_derivatives.simulator.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from iceye_derivatives.simulator.contract import Contract

_HOUR = 3600.0
_LONGEST_AHEAD = 14 * 24 * _HOUR
_SHORTEST_WINDOW = 24 * _HOUR

INCOMPATIBLE_MODE = "INCOMPATIBLE_IMAGING_MODE_FOR_DERIVATIVES"


@frozen(kw_only=True)
class Order:
    """A task that may be ordered.

    Attributes:
        fields: createTask's fields, the contract's defaults filled in.
        window: The acquisition window's start and end in Unix seconds.
        derivative_types: The derivatives that were asked for, each once.
    """

    fields: Mapping[str, Any]
    window: tuple[float, float]
    derivative_types: tuple[str, ...]


def checked(body: object, *, contract: Contract, now: float) -> Order:
    """Check a createTask body.

    Raises:
        ProblemError: With status 400 and the first fault found.
    """
    fields = _syntax(body)
    wanted = tuple(dict.fromkeys(fields.get("derivativeProductTypes", ())))
    fields = _with_defaults(fields, contract)
    window = (fields["acquisitionWindow"]["start"], fields["acquisitionWindow"]["end"])
    if wanted:
        _check_derivatives(wanted, fields)
    _check_contract(fields, contract)
    _check_window(window, notice=contract.notice[fields["priority"]], now=now)
    return Order(fields=fields, window=window, derivative_types=wanted)


def with_defaults(fields: Mapping[str, Any], contract: Contract) -> Order:
    """Fill in what an order leaves out, without judging it."""
    filled = _with_defaults({name: FIELDS[name](name, fields[name]) for name in fields}, contract)
    window = (filled["acquisitionWindow"]["start"], filled["acquisitionWindow"]["end"])
    wanted = tuple(dict.fromkeys(filled.get("derivativeProductTypes", ())))
    return Order(fields=filled, window=window, derivative_types=wanted)


def _syntax(body: object) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise ProblemError(400, "the request body must be a JSON object")
    # The schema of createTask forbids unknown properties.
    for name in body:
        if name not in FIELDS:
            raise ProblemError(400, f"{name}: unknown property")
    for name in REQUIRED:
        if name not in body:
            raise ProblemError(400, f"{name}: required property is missing")
    return {name: FIELDS[name](name, value) for name, value in body.items()}


def _with_defaults(fields: Mapping[str, Any], contract: Contract) -> dict[str, Any]:
    priority = fields.get("priority", next(iter(contract.notice)))
    return {
        "exclusivity": contract.exclusivities[0],
        "priority": priority,
        "sla": contract.default_slas.get(priority, contract.slas[0]),
        "eula": contract.eulas[0],
        "incidenceAngle": {"min": 20, "max": 35},
        "lookSide": "ANY",
        "passDirection": "ANY",
        **fields,
    }


def _check_derivatives(wanted: tuple[str, ...], fields: Mapping[str, Any]) -> None:
    for product_type in wanted:
        _allowed("derivativeProductTypes", product_type, DERIVATIVE_TYPES)
    # "Attempting to request derivatives for other imaging modes (e.g., STRIPMAP, SCAN) will
    # result in a 400 Bad Request error with code INCOMPATIBLE_IMAGING_MODE_FOR_DERIVATIVES."
    if (mode := fields["imagingMode"]) not in DERIVATIVE_MODES:
        details = f"imagingMode: {mode} makes no derivatives"
        raise ProblemError(400, details, code=INCOMPATIBLE_MODE)
    # "you must explicitly include GRD in the productTypes parameter"
    if "GRD" not in fields.get("productTypes", ()):
        raise ProblemError(400, "productTypes: derivatives need GRD among the product types")


def _check_contract(fields: Mapping[str, Any], contract: Contract) -> None:
    _allowed("contractID", fields["contractID"], (contract.id,))
    _allowed("imagingMode", fields["imagingMode"], contract.modes)
    for product_type in fields.get("productTypes", ()):
        _allowed("productTypes", product_type, contract.modes[fields["imagingMode"]])
    _allowed("priority", fields["priority"], contract.notice)
    _allowed("sla", fields["sla"], contract.slas)
    _allowed("exclusivity", fields["exclusivity"], contract.exclusivities)
    _allowed("eula", fields["eula"], contract.eulas)


def _check_window(window: tuple[float, float], *, notice: float, now: float) -> None:
    start, end = window
    if start < now + notice:
        raise ProblemError(
            400, f"acquisitionWindow: must start at least {notice / _HOUR:.0f} hours ahead"
        )
    if end > now + _LONGEST_AHEAD:
        raise ProblemError(400, "acquisitionWindow: must end within 14 days")
    if end - start < _SHORTEST_WINDOW:
        raise ProblemError(400, "acquisitionWindow: must be at least 24 hours wide")


def _allowed(name: str, value: str, allowed: Iterable[str]) -> None:
    if value not in allowed:
        raise ProblemError(400, f"{name}: {value} is not allowed by the contract")
