"""``order``: how is a task ordered from a shell?"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from iceye_derivatives._lapse import clock_from
from iceye_derivatives._visible import visible
from iceye_derivatives.cli.board import Ordered
from iceye_derivatives.cli.exit_codes import Interrupted
from iceye_derivatives.cli.options import (
    ALL_TYPES,
    MOMENT,
    contract_option,
    debug_option,
    full_name,
    json_option,
)
from iceye_derivatives.cli.running import run
from iceye_derivatives.cli.screens import JsonScreen, Screen
from iceye_derivatives.client import DerivativesClient
from iceye_derivatives.errors import ConfigurationError
from iceye_derivatives.models import (
    AcquisitionWindow,
    ImagingMode,
    IncidenceAngle,
    PointOfInterest,
    TaskRequest,
)

__all__ = ["MAYBE_ORDERED", "build_request", "order"]

NOTICE = {"BACKGROUND": timedelta(hours=24)}
USUAL_NOTICE = timedelta(hours=12)
"""COMMERCIAL's; the product specification's table of minimum notice."""
MAYBE_ORDERED = (
    "the task may have been ordered: before ordering again, look for it by "
    "iceye-derivatives tasks --reference"
)
SPARE = timedelta(hours=12)
"""On top of the notice: generous, because hours are real seconds where the clock is simulated."""
WIDTH = timedelta(hours=48)

_OF_REQUEST = (
    contract_option,
    click.option("--lat", type=float, required=True, help="Latitude in degrees, WGS 84."),
    click.option("--lon", type=float, required=True, help="Longitude in degrees."),
    click.option(
        "--start",
        type=MOMENT,
        help="The window's start, ISO 8601; default: as soon as the notice allows, and an hour.",
    ),
    click.option("--end", type=MOMENT, help="The window's end; default: 48 hours later."),
    click.option(
        "--mode",
        default=str(ImagingMode.SPOTLIGHT),
        show_default=True,
        help="Imaging mode.",
    ),
    click.option(
        "--product",
        "products",
        multiple=True,
        default=("GRD",),
        show_default=True,
        help="Product type; repeat for several. Derivatives need GRD.",
    ),
    click.option(
        "--derivative",
        "derivatives",
        multiple=True,
        default=ALL_TYPES,
        help="Derivative type (vessels or DC_VESSELS); repeat for several.  [default: all three]",
    ),
    click.option("--priority", help="COMMERCIAL or BACKGROUND; default: the contract's."),
    click.option("--sla", help="Delivery promise; default: the contract's."),
    click.option("--exclusivity", help="PRIVATE or PUBLIC; default: the contract's."),
    click.option("--eula", help="Licence; default: the contract's."),
    click.option("--incidence", type=int, nargs=2, metavar="MIN MAX", help="Angles in degrees."),
    click.option("--look-side", help="LEFT, RIGHT or ANY."),
    click.option("--pass-direction", help="ASCENDING, DESCENDING or ANY."),
    click.option("--imaging-duration", type=int, metavar="SECONDS", help="Where allowed."),
    click.option("--webhook", "webhook_id", metavar="ID", help="A registered webhook."),
    click.option(
        "--reference",
        help="Your name for the task; default: a new one. If the answer is lost, the "
        "task is looked up by it.",
    ),
)
"""The options that become fields of createTask."""


def _of_request(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_OF_REQUEST):
        command = option(command)
    return command


@click.command()
@_of_request
@click.option("--no-check", is_flag=True, help="Send it even if it breaks documented rules.")
@json_option
@debug_option
def order(*, no_check: bool, as_json: bool, **fields: Any) -> None:  # noqa: ANN401  build_request names them
    """Order a task; its id is all that is written to stdout.

    \b
    task=$(iceye-derivatives order --lat 51.95 --lon 4.05)
    iceye-derivatives download "$task" --to detections
    """  # noqa: D301  click's mark, no backslash of ours
    clock = clock_from(os.environ)
    request = build_request(now=clock.time(), **fields)

    async def send() -> Ordered:
        async with DerivativesClient.from_env(clock=clock) as client:
            task = await client.create_task(request, check=not no_check)
            return Ordered(
                task_id=task.id,
                status=task.status,
                reference=request.reference,
                product_types=request.derivative_product_types or (),
            )

    screen = JsonScreen(time=clock.time) if as_json else Screen(time=clock.time)
    with screen:
        try:
            ordered = run(send)
        except Interrupted:
            raise Interrupted(f"{MAYBE_ORDERED} {request.reference}") from None
        screen.on_event(ordered)
    if as_json:
        return
    click.echo(visible(ordered.task_id))
    told = (
        f"Ordered ({ordered.status}), reference {ordered.reference}. Go on with: "
        f"iceye-derivatives download {ordered.task_id} --to detections"
    )
    click.echo(visible(told), err=True)


def build_request(
    *,
    now: float,
    contract_id: str | None,
    lat: float,
    lon: float,
    start: datetime | None = None,
    end: datetime | None = None,
    mode: str = ImagingMode.SPOTLIGHT,
    products: tuple[str, ...] = ("GRD",),
    derivatives: tuple[str, ...] = ALL_TYPES,
    incidence: tuple[int, int] | None = None,
    reference: str | None = None,
    **others: Any,  # noqa: ANN401  fields of TaskRequest that need no translation
) -> TaskRequest:
    """The request that the options ask for, with defaults where createTask has none.

    Raises:
        ConfigurationError: no contract is given, or a start without an end in the last days of the
            calendar.
    """
    if not contract_id:
        raise ConfigurationError(
            "No contract to order on: pass --contract or set ICEYE_CONTRACT_ID"
        )
    begins = start or _earliest(now, others.get("priority"))
    return TaskRequest(
        contract_id=contract_id,
        point_of_interest=PointOfInterest(lat=lat, lon=lon),
        acquisition_window=AcquisitionWindow(start=begins, end=end or _usual_end(begins)),
        imaging_mode=mode,
        product_types=tuple(products),
        derivative_product_types=tuple(full_name(name) for name in derivatives),
        incidence_angle=incidence and IncidenceAngle(min=incidence[0], max=incidence[1]),
        reference=reference or _new_reference(now),
        **others,
    )


def _earliest(now: float, priority: str | None) -> datetime:
    moment = datetime.fromtimestamp(now, UTC) + NOTICE.get(priority or "", USUAL_NOTICE) + SPARE
    return moment.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def _usual_end(begins: datetime) -> datetime:
    try:
        return begins + WIDTH
    except OverflowError:
        raise ConfigurationError(
            f"A window that begins at {begins.isoformat()} would end beyond the calendar: give an "
            "earlier --start"
        ) from None


def _new_reference(now: float) -> str:
    return f"cli-{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
