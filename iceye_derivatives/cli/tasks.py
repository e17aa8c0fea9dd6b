"""``tasks``: which tasks are there, and is the one among them whose order's answer was lost?"""

from __future__ import annotations

import os
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import click

from iceye_derivatives._lapse import clock_from
from iceye_derivatives._visible import visible
from iceye_derivatives.cli.count_line import CountLine
from iceye_derivatives.cli.json_lines import task_line
from iceye_derivatives.cli.newest_first import newest_first
from iceye_derivatives.cli.options import debug_option, json_option
from iceye_derivatives.cli.running import run
from iceye_derivatives.cli.screens import JsonScreen
from iceye_derivatives.cli.wording import count
from iceye_derivatives.client import DerivativesClient
from iceye_derivatives.models import Task

__all__ = ["tasks"]


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

    What was ordered today is shown first, before older days are read.

    After an order whose answer was lost, look here for its reference before ordering again.
    """
    clock = clock_from(os.environ)

    async def show(screen: JsonScreen | None) -> int:
        shown = 0
        with CountLine("task") as line:
            client = DerivativesClient.from_env(clock=clock)
            now = datetime.fromtimestamp(clock.time(), UTC)
            listed = newest_first(
                client,
                now,
                timedelta(days=days),
                contract_id=contract_id,
                reference=reference,
                on_read=line.add,
            )
            async with client, aclosing(listed):
                async for task in listed:
                    line.clear()
                    _tell(task, screen)
                    shown += 1
                    if shown == limit:
                        break
        return shown

    if as_json:
        with JsonScreen(time=clock.time) as screen:
            run(lambda: show(screen))
        return
    shown = run(lambda: show(None))
    if shown == limit:
        click.echo(f"The newest {count(shown, 'task')}: --limit looks for more", err=True)
    if not shown:
        named = "" if reference is None else f" with the reference {reference}"
        click.echo(visible(f"No task{named} was ordered in the last {days:g} days"), err=True)


def _tell(task: Task, screen: JsonScreen | None) -> None:
    if screen is not None:
        screen.write({"event": "task", **task_line(task)})
        return
    moment = task.created_at
    ordered = "" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%MZ}"
    told = f"{task.id}  {task.status:<10}{ordered:<17}  {task.reference or ''}"
    click.echo(visible(told.rstrip()))
