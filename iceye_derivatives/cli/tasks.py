"""``tasks``: which tasks are there, and is the one among them whose order's answer was lost?"""

from __future__ import annotations

import os
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from heapq import nlargest

import click

from iceye_derivatives._lapse import clock_from
from iceye_derivatives._visible import visible
from iceye_derivatives.cli.json_lines import task_line
from iceye_derivatives.cli.options import debug_option, json_option
from iceye_derivatives.cli.running import run
from iceye_derivatives.cli.screens import JsonScreen
from iceye_derivatives.cli.wording import count
from iceye_derivatives.client import DerivativesClient
from iceye_derivatives.models import Task
from iceye_derivatives.protocols import Clock

__all__ = ["tasks"]

LONG_AGO = datetime.min.replace(tzinfo=UTC)
"""Where the API does not tell when a task was ordered."""


@click.command()
@click.option("--reference", help="Only those with this reference, as `order` has told it.")
@click.option(
    "--contract",
    "contract_id",
    metavar="ID",
    help="Only those of this contract; default: all that the credentials may see.",
)
@click.option(
    "--days",
    type=click.FloatRange(min=0, max=36_500, min_open=True),
    default=30,
    show_default=True,
    help="How far to look back.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many to show.",
)
@json_option
@debug_option
def tasks(
    *, reference: str | None, contract_id: str | None, days: float, limit: int, as_json: bool
) -> None:
    """List tasks, newest first, one a line: id, status, time of the order, reference.

    After an order whose answer was lost, look here for its reference before ordering again.
    """
    clock = clock_from(os.environ)

    async def look() -> list[Task]:
        return await _listed(clock, reference, contract_id, days)

    if as_json:
        with JsonScreen(time=clock.time) as screen:
            for task in _newest(run(look), limit):
                screen.write({"event": "task", **task_line(task)})
        return
    found = run(look)
    for task in _newest(found, limit):
        click.echo(visible(_say(task)))
    if len(found) > limit:
        click.echo(f"{limit} of {count(len(found), 'task')}: --limit shows more", err=True)
    if not found:
        named = "" if reference is None else f" with the reference {reference}"
        click.echo(visible(f"No task{named} was ordered in the last {days:g} days"), err=True)


async def _listed(
    clock: Clock, reference: str | None, contract_id: str | None, days: float
) -> list[Task]:
    since = datetime.fromtimestamp(clock.time(), UTC) - timedelta(days=days)
    async with (
        DerivativesClient.from_env(clock=clock) as client,
        aclosing(client.list_tasks(contract_id=contract_id, created_after=since)) as listed,
    ):
        return [task async for task in listed if reference in {None, task.reference}]


def _newest(found: list[Task], limit: int) -> list[Task]:
    # In which order the API lists them is not documented.
    return nlargest(limit, found, key=lambda task: task.created_at or LONG_AGO)


def _say(task: Task) -> str:
    moment = task.created_at
    ordered = "" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%MZ}"
    return f"{task.id}  {task.status:<10}{ordered:<17}  {task.reference or ''}".rstrip()
