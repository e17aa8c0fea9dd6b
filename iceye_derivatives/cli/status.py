"""``status``: how does a task stand now?"""

from __future__ import annotations

import os

import click

from iceye_derivatives._lapse import clock_from
from iceye_derivatives._visible import visible
from iceye_derivatives.cli.board import ANSWERS, Awaited, Board
from iceye_derivatives.cli.json_lines import Line, task_line, unreadable_fields
from iceye_derivatives.cli.options import debug_option, json_option
from iceye_derivatives.cli.running import run
from iceye_derivatives.cli.screens import JsonScreen
from iceye_derivatives.client import DerivativesClient
from iceye_derivatives.models import Snapshot, Task

__all__ = ["status"]


@click.command()
@click.argument("task_id")
@json_option
@debug_option
def status(*, task_id: str, as_json: bool) -> None:
    """Show a task and its derivatives as they are now."""
    clock = clock_from(os.environ)

    async def ask() -> tuple[Task, Snapshot]:
        async with DerivativesClient.from_env(clock=clock) as client:
            task = await client.get_task(task_id)
            return task, await client.get_derivatives(task_id)

    if not as_json:
        click.echo(_say(*run(ask)))
        return
    with JsonScreen(time=clock.time) as screen:
        task, snapshot = run(ask)
        screen.board = _board(task, snapshot)
        screen.write(_line(task, snapshot))


def _say(task: Task, snapshot: Snapshot) -> str:
    point, window = task.point_of_interest, task.acquisition_window
    facts = {
        "task": task.id,
        "status": task.status,
        "reference": task.reference,
        "contract": task.contract_id,
        "imaging mode": task.imaging_mode,
        "point": point and f"{point.lat:g}, {point.lon:g} (lat, lon)",
        "window": window and f"{window.start.isoformat()} to {window.end.isoformat()}",
        "ordered": ", ".join(task.derivative_product_types or ()) or "no derivatives named",
        "derivatives": f"{ANSWERS[snapshot.availability]} ({snapshot.availability.lower()})",
    }
    lines = [f"{name:<13}{value}" for name, value in facts.items() if value]
    lines += [
        f"  {each.product_type:<13}{each.id}  "
        f"{', '.join(asset.type for asset in each.assets) or 'in the making'}"
        for each in snapshot.derivatives
    ]
    lines += [f"  cannot be read: {fault}" for fault in snapshot.unreadable]
    return "\n".join(map(visible, lines))


def _board(task: Task, snapshot: Snapshot) -> Board:
    """What the report tells of."""
    listed = {each.product_type for each in snapshot.derivatives}
    awaited = [
        Awaited(product_type=each.product_type, derivative_id=each.id)
        for each in snapshot.derivatives
        if not each.assets
    ]
    awaited += [
        Awaited(product_type=name)
        for name in task.derivative_product_types or ()
        if name not in listed
    ]
    return Board(
        task_id=task.id,
        statuses=(task.status,),
        answers=(ANSWERS[snapshot.availability],),
        awaited=tuple(awaited),
        unreadable=snapshot.unreadable,
    )


def _line(task: Task, snapshot: Snapshot) -> Line:
    return {
        "event": "status",
        **task_line(task),
        "answer": ANSWERS[snapshot.availability],
        "derivatives": [
            {
                "derivative_id": each.id,
                "product_type": each.product_type,
                "asset_types": [asset.type for asset in each.assets],
            }
            for each in snapshot.derivatives
        ],
        "unreadable": unreadable_fields(snapshot.unreadable),
    }
