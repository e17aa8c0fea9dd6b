"""``watch``: which derivatives come, and when?"""

from __future__ import annotations

import os
from contextlib import aclosing
from pathlib import Path
from typing import TextIO

import click

from iceye_derivatives._core.backoff import Backoff
from iceye_derivatives._core.watch import Watch
from iceye_derivatives._lapse import clock_from
from iceye_derivatives.cli.exit_codes import Interrupted
from iceye_derivatives.cli.many import ManyAsJson, ManyAsPlain, open_many, watch_many
from iceye_derivatives.cli.options import (
    backoff_of,
    debug_option,
    derivatives_option,
    json_option,
    patience_options,
)
from iceye_derivatives.cli.running import run
from iceye_derivatives.cli.screens import Screen
from iceye_derivatives.cli.session import following, open_screen
from iceye_derivatives.cli.state_file import load_watch, save_watch, tell_ordered
from iceye_derivatives.cli.tally import summing_up
from iceye_derivatives.cli.task_ids import ids_of, ids_option
from iceye_derivatives.cli.wording import count
from iceye_derivatives.client import DerivativesClient
from iceye_derivatives.protocols import Clock

__all__ = ["watch"]


@click.command()
@click.argument("task_ids", nargs=-1, metavar="TASK_ID...")
@ids_option
@derivatives_option
@patience_options
@click.option(
    "--state",
    "state_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file to remember in what was shown: the next run goes on from there.",
)
@json_option
@debug_option
def watch(
    *,
    task_ids: tuple[str, ...],
    ids_file: TextIO | None,
    derivatives: tuple[str, ...],
    timeout: float | None,
    max_interval: float,
    state_file: Path | None,
    as_json: bool,
) -> None:
    """Show a task's derivatives as they come, each once, without downloading them.

    Many tasks, a hundred thousand if need be, are watched by one process; with --state, a run that
    goes on shows at most the news of the last ten seconds again.
    """
    clock = clock_from(os.environ)
    ids = ids_of(task_ids, ids_file)
    if ids_file is not None or len(ids) > 1:
        _watch_all(
            ids,
            clock,
            timeout,
            backoff_of(max_interval),
            state_file,
            derivatives=derivatives,
            as_json=as_json,
        )
        return
    (task_id,) = ids
    state = tell_ordered(load_watch(state_file, task_id), derivatives)
    backoff = backoff_of(max_interval)

    async def look(screen: Screen) -> None:
        async with DerivativesClient.from_env(clock=clock) as client:
            await show_all(
                client, screen, state, backoff=backoff, timeout=timeout, state_file=state_file
            )

    with open_screen(clock, as_json=as_json) as screen:
        try:
            run(lambda: look(screen))
        except Interrupted:
            came = count(len(state.delivered), "derivative")
            raise Interrupted(f"{came} came; {_again(state_file)}") from None


def _watch_all(
    ids: tuple[str, ...],
    clock: Clock,
    timeout: float | None,
    backoff: Backoff,
    state_file: Path | None,
    *,
    derivatives: tuple[str, ...],
    as_json: bool,
) -> None:
    async def look(screen: ManyAsJson | ManyAsPlain) -> None:
        async with DerivativesClient.from_env(clock=clock) as client:
            await watch_many(
                client,
                screen,
                ids,
                derivatives=derivatives,
                backoff=backoff,
                timeout=timeout,
                state_file=state_file,
                clock=clock,
            )

    with (
        open_many(clock, total=len(ids), as_json=as_json) as screen,
        summing_up(screen, len(ids), _again(state_file)),
    ):
        run(lambda: look(screen))


def _again(state_file: Path | None) -> str:
    again = "shows the rest" if state_file else "starts anew (--state FILE would not)"
    return f"running the same command again {again}"


async def show_all(
    client: DerivativesClient,
    screen: Screen,
    state: Watch,
    *,
    backoff: Backoff | None = None,
    timeout: float | None = None,  # noqa: ASYNC109  the pure Watch decides it
    state_file: Path | None = None,
) -> None:
    """Let the events show each derivative, and save what was shown after each."""
    derivatives = client.watch_task(
        state.task_id,
        watch=state,
        backoff=backoff,
        timeout=timeout,
        on_event=following(state, screen),
    )
    _save(state_file, state)  # a file that cannot be written is told of now, not after days
    try:
        async with aclosing(derivatives):
            async for _ in derivatives:
                _save(state_file, state)
    finally:
        # What was learned of the task saves the next run a request.
        _save(state_file, state)


def _save(state_file: Path | None, state: Watch) -> None:
    if state_file is not None:
        save_watch(state_file, state)
