"""``verify``: are the files in a folder still what was downloaded?"""

from __future__ import annotations

from collections import Counter

import click

from iceye_derivatives._clock import SystemClock
from iceye_derivatives._core.inventory import Condition, Finding, Inventory
from iceye_derivatives._visible import visible
from iceye_derivatives.cli.options import PlaceType, debug_option, json_option
from iceye_derivatives.cli.screens import write_line
from iceye_derivatives.cli.wording import count
from iceye_derivatives.sinks import inspect

__all__ = ["verify"]

SOME_FAILED = 7
"""As with a download of which some files failed; see `exit_codes.py`."""


@click.command()
@click.argument("folder", type=PlaceType(exists=True))
@json_option
@debug_option
def verify(*, folder: str, as_json: bool) -> int:
    """Hash the files in a folder again and compare them with the journals beside them.

    FOLDER may be a URL, too: s3://bucket/prefix; then all objects there are read.

    It needs no credentials and changes nothing; `download TASK_ID --to FOLDER --repair` fetches
    again what has changed or is missing.  The exit code is 0 where every file is whole, and 7
    where one has changed, is missing or unfinished, or is known to no journal.
    """
    found: Counter[Condition] = Counter()
    ok, tasks = True, 0
    for inventory in inspect(folder):
        tasks += inventory.task_id is not None
        ok &= inventory.ok
        found.update(finding.condition for finding in inventory.findings)
        _show_all(inventory, as_json=as_json)
    ok &= tasks > 0
    code = 0 if ok else SOME_FAILED
    if as_json:
        conditions = {str(condition): found[condition] for condition in Condition}
        _print_line("report_of_files", ok=ok, exit_code=code, conditions=conditions)
    else:
        click.echo(visible(_sum_up(found, tasks, folder)))
    return code


def _show_all(inventory: Inventory, *, as_json: bool) -> None:
    if not as_json:
        task = inventory.task_id or "(no journal tells which)"
        click.echo(visible(f"Task {task} in {inventory.folder}"))
    for finding in inventory.findings:
        if as_json:
            _print_line(
                "verified",
                folder=inventory.folder,
                task_id=inventory.task_id,
                name=finding.name,
                condition=finding.condition,
                size=finding.size,
                sha256=finding.sha256,
            )
        else:
            click.echo(_sentence(finding))


def _sentence(finding: Finding) -> str:
    return visible(f"  {finding.condition:<10}  {finding.name}")


def _sum_up(found: Counter[Condition], tasks: int, folder: str) -> str:
    if not tasks:
        return (
            f"Nothing in {folder} has a journal: name the folder that `download --to` was given; "
            "where it is this one, download into it again to have one made"
        )
    numbers = [f"{found[condition]} {condition}" for condition in Condition if found[condition]]
    mend = found[Condition.CHANGED] + found[Condition.MISSING] + found[Condition.UNFINISHED]
    advice = "; `download TASK_ID --to FOLDER --repair` mends them" if mend else ""
    return f"{count(tasks, 'task')}: {', '.join(numbers) or 'no files'}{advice}"


def _print_line(event: str, **fields: object) -> None:
    write_line({"event": event, **fields}, SystemClock().time())
