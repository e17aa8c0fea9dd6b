"""``demo``: how does all of it look, from the order to files in a folder?"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from iceye_derivatives._core.watch import Watch
from iceye_derivatives._lapse import clock_from, leads_here
from iceye_derivatives.cli.board import Ordered
from iceye_derivatives.cli.exit_codes import Interrupted
from iceye_derivatives.cli.options import contract_option, debug_option, json_option
from iceye_derivatives.cli.order import MAYBE_ORDERED, build_request
from iceye_derivatives.cli.rehearsal import Rehearsal
from iceye_derivatives.cli.running import run
from iceye_derivatives.cli.screens import Screen
from iceye_derivatives.cli.session import (
    bring_home,
    open_screen,
    saying_how_to_go_on,
    summarise,
)
from iceye_derivatives.cli.slow_line import SlowLineClient
from iceye_derivatives.client import DerivativesClient
from iceye_derivatives.errors import ConfigurationError
from iceye_derivatives.events import DownloadReport
from iceye_derivatives.models import TaskRequest

__all__ = ["demo"]

CREDENTIALS = (
    "ICEYE_ACCESS_TOKEN",
    "ICEYE_TOKEN_URL",
    "ICEYE_CLIENT_ID",
    "ICEYE_CLIENT_SECRET",
)
LAT, LON = 51.955, 4.05
"""The port of Rotterdam's outer basins: vessels, vehicles, and an airport not far."""


@click.command()
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("iceye-demo"),
    show_default=True,
    help="The folder for the files.",
)
@click.option("--simulator", is_flag=True, help="Use the simulator even with credentials set.")
@click.option("--yes", is_flag=True, help="Order from ICEYE without asking.")
@contract_option
@click.option("--lat", type=float, default=LAT, show_default=True, help="Latitude in degrees.")
@click.option("--lon", type=float, default=LON, show_default=True, help="Longitude in degrees.")
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    help="One fixed speed of the simulated time, instead of fast until the image and slower then.",
)
@click.option("--seed", default=0, show_default=True, help="The simulator's seed.")
@click.option(
    "--detections",
    type=click.IntRange(min=0),
    default=5000,
    show_default=True,
    help="Detections in each simulated file.",
)
@click.option("--record", type=click.Path(dir_okay=False, path_type=Path), hidden=True)
@json_option
@debug_option
def demo(
    *,
    folder: Path,
    simulator: bool,
    yes: bool,
    contract_id: str | None,
    lat: float,
    lon: float,
    speed: float | None,
    seed: int,
    detections: int,
    record: Path | None,
    as_json: bool,
) -> None:
    """Order a task with all derivatives, watch it and download them: the whole way.

    Without ICEYE_* credentials this runs against the built-in simulator, in which days take
    seconds. With them it orders a real task from ICEYE, after asking.
    """
    if simulator or not any(os.environ.get(name, "").strip() for name in CREDENTIALS):
        rehearsal = Rehearsal(speed=speed, seed=seed, detections=detections)
        _rehearse(rehearsal, folder, lat=lat, lon=lon, record=record, as_json=as_json)
        return
    _perform(folder, contract_id=contract_id, lat=lat, lon=lon, yes=yes, as_json=as_json)


def _rehearse(
    rehearsal: Rehearsal,
    folder: Path,
    *,
    lat: float,
    lon: float,
    record: Path | None,
    as_json: bool,
) -> None:
    async def play(screen: Screen) -> DownloadReport:
        async with rehearsal.simulator as sim:
            request = build_request(
                now=rehearsal.clock.time(),
                contract_id=sim.contract_id,
                lat=lat,
                lon=lon,
                start=rehearsal.window_start,
            )
            return await order_and_bring_home(
                screen,
                request,
                folder,
                SlowLineClient.from_env(
                    sim.environ, clock=rehearsal.clock, jitter=rehearsal.jitter
                ),
                # One seed gives one task id: a second rehearsal would only find its files.
                overwrite=True,
            )

    screen = _recorder(rehearsal, record) or open_screen(
        rehearsal.clock, as_json=as_json, about_clock=rehearsal.say_time
    )
    with screen:
        screen.note(
            "This is the built-in simulator: nothing is ordered from ICEYE, and days take seconds."
        )
        try:
            report = run(lambda: play(screen))
        except Interrupted:
            raise Interrupted("The simulator is closed; run it again to start anew") from None
        summarise(screen, report)
        screen.note(_look(folder))


def _recorder(rehearsal: Rehearsal, record: Path | None) -> Screen | None:
    if record is None:
        return None
    from iceye_derivatives.cli.recording import RecordingScreen  # noqa: PLC0415  imports rich

    return RecordingScreen(
        record, "iceye-derivatives demo", time=rehearsal.clock.time, clock=rehearsal.say_time
    )


def _perform(
    folder: Path,
    *,
    contract_id: str | None,
    lat: float,
    lon: float,
    yes: bool,
    as_json: bool,
) -> None:
    clock = clock_from(os.environ)
    request = build_request(now=clock.time(), contract_id=contract_id, lat=lat, lon=lon)
    _ask_before_ordering(request, os.environ, yes=yes)
    screen = open_screen(clock, as_json=as_json)
    with screen, saying_how_to_go_on(screen, folder, lambda: _go_on(screen, request, folder)):
        screen.note(f"Ordering a task from {_where(os.environ)}.")
        report = run(
            lambda: order_and_bring_home(
                screen, request, folder, DerivativesClient.from_env(clock=clock)
            )
        )
        summarise(screen, report)
        screen.note(_look(folder))


def _look(folder: Path) -> str:
    return f"Look at them: iceye-derivatives map {shlex.quote(str(folder))} --open"


def _go_on(screen: Screen, request: TaskRequest, folder: Path) -> str:
    # Never "run it again": that would order, and bill, a second task.
    if screen.board.task_id is None:
        return f"{MAYBE_ORDERED} {request.reference}"
    place = shlex.quote(str(folder))
    return f"go on with: iceye-derivatives download {screen.board.task_id} --to {place}"


async def order_and_bring_home(
    screen: Screen,
    request: TaskRequest,
    folder: Path,
    client: DerivativesClient,
    *,
    overwrite: bool = False,
) -> DownloadReport:
    """Order, watch and download with one client.

    Raises:
        IceyeError: what any of the three ends with.
    """
    types = request.derivative_product_types or ()
    async with client:
        task = await client.create_task(request)
        screen.on_event(
            Ordered(
                task_id=task.id,
                status=task.status,
                reference=request.reference,
                product_types=types,
            )
        )
        watch = Watch(task.id, requested=types)
        return await bring_home(client, screen, watch, folder, overwrite=overwrite)


def _ask_before_ordering(request: TaskRequest, environ: Mapping[str, str], *, yes: bool) -> None:
    if leads_here(environ.get("ICEYE_API_BASE_URL", "")) or yes:
        return
    window = request.acquisition_window
    warning = (
        f"This orders and bills a real task from {_where(environ)} on contract "
        f"{request.contract_id}: {request.imaging_mode} at {request.point_of_interest.lat:g}, "
        f"{request.point_of_interest.lon:g} between {window.start:%d %b %H:%M} and "
        f"{window.end:%d %b %H:%M} UTC"
    )
    if not sys.stdin.isatty():
        raise ConfigurationError(f"{warning}: add --yes to do so, or --simulator to rehearse")
    # On stderr, so that --json keeps stdout for its lines.
    click.confirm(f"{warning}. Order it?", abort=True, err=True)


def _where(environ: Mapping[str, str]) -> str:
    return environ.get("ICEYE_API_BASE_URL", "").strip() or "ICEYE"
