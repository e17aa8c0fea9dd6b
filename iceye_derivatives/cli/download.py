"""``download``: how do a task's files come home?"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

import click
from attrs import frozen

from iceye_derivatives._core.backoff import Backoff
from iceye_derivatives._core.watch import Watch
from iceye_derivatives._journal import resumed_watch
from iceye_derivatives._lapse import clock_from
from iceye_derivatives.cli.many import download_many, open_many
from iceye_derivatives.cli.options import (
    PlaceType,
    backoff_of,
    debug_option,
    derivatives_option,
    download_options,
    json_option,
    patience_options,
)
from iceye_derivatives.cli.running import run
from iceye_derivatives.cli.screens import Screen
from iceye_derivatives.cli.session import (
    bring_home,
    open_screen,
    saying_how_to_go_on,
    summarise,
)
from iceye_derivatives.cli.state_file import tell_ordered
from iceye_derivatives.cli.tally import summing_up
from iceye_derivatives.cli.task_ids import ids_of, ids_option
from iceye_derivatives.client import DerivativesClient
from iceye_derivatives.downloader import Downloader
from iceye_derivatives.events import DownloadReport
from iceye_derivatives.protocols import Clock, Sink
from iceye_derivatives.sinks import sink_for

__all__ = ["download"]

AGAIN = "run the same command again: whole files are kept"


@click.command()
@click.argument("task_ids", nargs=-1, metavar="TASK_ID...")
@ids_option
@click.option(
    "--to",
    "folder",
    type=PlaceType(),
    required=True,
    help="The folder for the files, made if need be, or a URL: s3://bucket/prefix, gs://…, az://…",
)
@click.option(
    "--repair",
    is_flag=True,
    help="Hash the files that are there, and fetch those again that have changed.",
)
@click.option(
    "--stac",
    is_flag=True,
    help="Describe the files as a STAC Item (item.json) and all tasks as a Collection.",
)
@derivatives_option
@patience_options
@download_options
@click.option("--record", type=click.Path(dir_okay=False, path_type=Path), hidden=True)
@json_option
@debug_option
def download(
    *,
    task_ids: tuple[str, ...],
    ids_file: TextIO | None,
    folder: str,
    max_interval: float,
    record: Path | None,
    as_json: bool,
    **options: Any,  # noqa: ANN401  `_Job` names them
) -> None:
    """Wait for a task's derivatives and download each as soon as it is there.

    Files appear under their names only when they are whole and checked; run the same command
    again after any end, and it goes on where it stood.
    """
    clock = clock_from(os.environ)
    sink = sink_for(folder)
    job = _Job(clock=clock, sink=sink, backoff=backoff_of(max_interval), **options)
    ids = ids_of(task_ids, ids_file)
    if ids_file is not None or len(ids) > 1:
        with (
            open_many(clock, total=len(ids), as_json=as_json, record=record) as many,
            summing_up(many, len(ids), AGAIN, folder),
        ):
            run(lambda: job.fetch_all(many, ids))
        return
    (task_id,) = ids
    with (
        open_screen(clock, as_json=as_json) as screen,
        saying_how_to_go_on(screen, folder, lambda: AGAIN),
    ):
        report = run(lambda: job.fetch(screen, task_id))
        summarise(screen, report)


@frozen(kw_only=True)
class _Job:
    """How one task, or many, are to be fetched."""

    clock: Clock
    sink: Sink
    backoff: Backoff
    timeout: float | None
    derivatives: tuple[str, ...]
    concurrency: int
    overwrite: bool
    repair: bool
    stac: bool

    async def fetch(self, screen: Screen, task_id: str) -> DownloadReport:
        async with DerivativesClient.from_env(clock=self.clock) as client:
            watch = await resumed_watch(self.sink, task_id) or Watch(task_id)
            return await bring_home(
                client,
                screen,
                tell_ordered(watch, self.derivatives),
                self.sink,
                backoff=self.backoff,
                timeout=self.timeout,
                concurrency=self.concurrency,
                overwrite=self.overwrite,
                repair=self.repair,
                stac=self.stac,
            )

    async def fetch_all(self, screen: Screen, task_ids: Sequence[str]) -> None:
        async with DerivativesClient.from_env(clock=self.clock) as client:
            downloader = Downloader(
                client,
                self.sink,
                concurrency=self.concurrency,
                overwrite=self.overwrite,
                repair=self.repair,
                stac=self.stac,
                clock=self.clock,
            )
            await download_many(
                client,
                screen,
                task_ids,
                downloader,
                derivatives=self.derivatives,
                backoff=self.backoff,
                timeout=self.timeout,
            )
