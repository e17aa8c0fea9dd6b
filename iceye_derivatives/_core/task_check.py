"""Does a task request keep ICEYE's documented rules?

The check is a courtesy that saves a round trip and names all faults at once; the server has the
last word, as contracts differ and rules change.  So only what is documented as fixed is checked:
not whether an imaging mode exists (contract data since 2025-06-03), nor whether an id is a UUID
(the specification says so for contracts and webhooks, but an id is opaque to us).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import chain
from math import isfinite

from iceye_derivatives.errors import Fault
from iceye_derivatives.models import ImagingMode, TaskRequest

__all__ = ["check_task_request"]

INCOMPATIBLE_MODE = "INCOMPATIBLE_IMAGING_MODE_FOR_DERIVATIVES"

_SHORTEST_WINDOW = timedelta(hours=24)
_FURTHEST_END = timedelta(days=14)
# Product specification, table 3-2: the minimum notice of each priority.
_NOTICE = {"COMMERCIAL": timedelta(hours=12), "BACKGROUND": timedelta(hours=24)}
_CHOICES = {
    "exclusivity": ("PRIVATE", "PUBLIC"),
    "priority": ("BACKGROUND", "COMMERCIAL"),
    "eula": ("STANDARD", "GOVERNMENT", "MULTI"),
    "look_side": ("LEFT", "RIGHT", "ANY"),
    "pass_direction": ("ASCENDING", "DESCENDING", "ANY"),
}
_WIRE_NAMES = {"look_side": "lookSide", "pass_direction": "passDirection"}
_LONGEST_REFERENCE = 256
_REQUIRED = "GRD"
"""ICEYE's page asks for it by name.  The product specification says that it "ends 31 Dec 2026":
whoever orders without it then switches the whole check off, as the server has the last word."""
_DURATIONS = (1, 180)
_ANGLES = (10, 45)


def check_task_request(request: TaskRequest, now: datetime) -> tuple[Fault, ...]:
    """All faults at once, none when the request is good.

    Args:
        request: what is to be sent.
        now: an aware moment.
    """
    return tuple(
        chain(
            _check_ids(request),
            _check_point(request),
            _check_window(request, now),
            _check_products(request),
            _check_choices(request),
            _check_numbers(request),
            _check_deliveries(request),
        )
    )


def _check_ids(request: TaskRequest) -> Iterator[Fault]:
    if not request.contract_id.strip():
        yield Fault("contractID", "is empty; give the id of your contract (a UUID by the spec)")
    if request.webhook_id is not None and not request.webhook_id.strip():
        yield Fault(
            "notifications.webhook.id",
            "is empty; leave it out, or give the id of a registered webhook (a UUID by the spec)",
        )
    if not request.imaging_mode.strip():
        yield Fault("imagingMode", "is empty; give a mode of your contract, e.g. SPOTLIGHT_FINE")
    length = len(request.reference or "")
    if length > _LONGEST_REFERENCE:
        yield Fault("reference", f"has {length} characters; at most {_LONGEST_REFERENCE} are taken")


def _check_point(request: TaskRequest) -> Iterator[Fault]:
    point = request.point_of_interest
    for name, value, bound in (("lat", point.lat, 90), ("lon", point.lon, 180)):
        if not isfinite(value) or abs(value) > bound:
            yield Fault(
                f"pointOfInterest.{name}", f"is {value}; give degrees from -{bound} to {bound}"
            )


def _check_window(request: TaskRequest, now: datetime) -> Iterator[Fault]:
    window = request.acquisition_window
    start, end = window.start, window.end
    naive = [name for name in ("start", "end") if getattr(window, name).utcoffset() is None]
    for name in naive:
        yield Fault(
            f"acquisitionWindow.{name}", "has no UTC offset; use an aware datetime (tzinfo=UTC)"
        )
    if "start" not in naive:
        yield from _check_start(start, now, request.priority)
    if "end" not in naive and end > now + _FURTHEST_END:
        latest = now + _FURTHEST_END
        yield Fault(
            "acquisitionWindow.end",
            f"is more than 14 days ahead; end it by {latest.isoformat(timespec='seconds')}",
        )
    if not naive and end - start < _SHORTEST_WINDOW:
        yield Fault(
            "acquisitionWindow",
            f"is {(end - start) / timedelta(hours=1):g} h wide; make it 24 h or wider",
        )


def _check_start(start: datetime, now: datetime, priority: str | None) -> Iterator[Fault]:
    """Without a priority the contract's default holds, which is not known here."""
    notice = _NOTICE.get(priority or "", timedelta(0))
    # "start cannot be now", so at no notice it has to be later, not just not earlier.
    if start < now + notice or start <= now:
        earliest = (now + notice).isoformat(timespec="seconds")
        why = f" ({priority} needs {notice // timedelta(hours=1)} h notice)" if notice else ""
        yield Fault("acquisitionWindow.start", f"is too early; start after {earliest}{why}")


def _check_products(request: TaskRequest) -> Iterator[Fault]:
    """ICEYE's page: "you must explicitly include GRD in the productTypes parameter"."""
    products, derivatives = request.product_types, request.derivative_product_types
    for name, values in (("productTypes", products), ("derivativeProductTypes", derivatives)):
        if values is not None and not values:
            yield Fault(name, "is empty; leave it out, or name at least one")
        if any(not value.strip() for value in values or ()):
            yield Fault(name, "holds an empty name; leave that out")
    if not derivatives:
        return
    if request.imaging_mode not in set(ImagingMode):
        yield Fault(
            "imagingMode",
            f"is {request.imaging_mode!r}, for which there are no derivatives; "
            f"use {_one_of(tuple(ImagingMode))}",
            INCOMPATIBLE_MODE,
        )
    if _REQUIRED not in (products or ()):
        yield Fault(
            "productTypes",
            f"lacks {_REQUIRED}, which derivatives are made from; name it explicitly",
        )


def _check_choices(request: TaskRequest) -> Iterator[Fault]:
    for name, choices in _CHOICES.items():
        value = getattr(request, name)
        if value is not None and value not in choices:
            yield Fault(_WIRE_NAMES.get(name, name), f"is {value!r}; use {_one_of(choices)}")


def _check_numbers(request: TaskRequest) -> Iterator[Fault]:
    yield from _check_whole("imagingDuration", request.imaging_duration, _DURATIONS, "seconds")
    angle = request.incidence_angle
    if angle is None:
        return
    yield from _check_whole("incidenceAngle.min", angle.min, _ANGLES, "degrees")
    yield from _check_whole("incidenceAngle.max", angle.max, _ANGLES, "degrees")
    if angle.min > angle.max:
        yield Fault("incidenceAngle", f"has min {angle.min} above max {angle.max}; swap them")


def _check_whole(
    path: str, value: float | None, bounds: tuple[int, int], unit: str
) -> Iterator[Fault]:
    """`float`, because nothing keeps 2.5 out of a field that is annotated with `int`."""
    low, high = bounds
    if value is not None and not (low <= value <= high and value == int(value)):
        yield Fault(path, f"is {value}; give whole {unit} from {low} to {high}")


def _check_deliveries(request: TaskRequest) -> Iterator[Fault]:
    if request.deliveries is not None and not request.deliveries:
        yield Fault("deliveries", "is empty; leave it out, or give at least one")
    for index, delivery in enumerate(request.deliveries or ()):
        where = f"deliveries[{index}].locations"
        if not delivery.locations:
            yield Fault(where, "is empty; give at least one location")
        for number, location in enumerate(delivery.locations):
            for name, value in (("configID", location.config_id), ("path", location.path)):
                if not value.strip():
                    yield Fault(f"{where}[{number}].{name}", "is empty; it is required")


def _one_of(choices: tuple[str, ...]) -> str:
    return f"{', '.join(choices[:-1])} or {choices[-1]}"
