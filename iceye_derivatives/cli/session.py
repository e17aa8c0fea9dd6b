"""What do all commands that talk to ICEYE share: a client, a screen, and a task brought home?"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from iceye_derivatives._core.backoff import Backoff
from iceye_derivatives._core.download_settings import CONCURRENCY
from iceye_derivatives._core.unread import name_of
from iceye_derivatives._core.watch import Watch
from iceye_derivatives.cli.board import Awaited, Expected, Phase
from iceye_derivatives.cli.exit_codes import Interrupted
from iceye_derivatives.cli.findings import find
from iceye_derivatives.cli.screens import JsonScreen, PlainScreen, Screen
from iceye_derivatives.cli.wording import count
from iceye_derivatives.client import DerivativesClient
from iceye_derivatives.events import (
    DownloadEvent,
    DownloadReport,
    SnapshotReceived,
    TaskStatusReceived,
)
from iceye_derivatives.protocols import Clock, Sink
from iceye_derivatives.sinks import is_url

__all__ = ["bring_home", "following", "moves", "open_screen", "saying_how_to_go_on", "summarise"]


def moves() -> bool:
    """Whether stdout is a terminal on which lines can be drawn anew."""
    # NO_COLOR is about colours alone, which rich then leaves out by itself.
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def open_screen(clock: Clock, *, as_json: bool, about_clock: Callable[[], str] = str) -> Screen:
    """JSON Lines where asked for, a live picture where the terminal can, else sentences."""
    if as_json:
        return JsonScreen(time=clock.time)
    if moves():
        # rich takes a tenth of a second to import: only who sees it pays.
        from iceye_derivatives.cli.live import LiveScreen  # noqa: PLC0415

        return LiveScreen(time=clock.time, clock=about_clock)
    return PlainScreen(time=clock.time)


def following(watch: Watch, screen: Screen) -> Callable[[DownloadEvent], None]:
    """Hand events to the screen, and after each answer what the watch now misses."""

    def follow(event: DownloadEvent) -> None:
        screen.on_event(event)
        if isinstance(event, SnapshotReceived | TaskStatusReceived):
            missing = _missing(watch)
            unreadable, board = watch.unreadable, screen.board
            if (missing, unreadable) != (board.awaited, board.unreadable):
                expected = Expected(task_id=watch.task_id, missing=missing, unreadable=unreadable)
                screen.on_event(expected)

    return follow


def _missing(watch: Watch) -> tuple[Awaited, ...]:
    listed = watch.seen.listed
    faults = {name_of(fault): fault for fault in watch.unreadable}
    awaited = []
    for name in watch.missing:
        if name in listed:
            awaited.append(Awaited(product_type=listed[name], derivative_id=name))
        elif name not in faults:
            awaited.append(Awaited(product_type=name))
        elif product_type := faults[name].product_type:  # else only what is wrong with it is told
            whose = faults[name].derivative_id
            awaited.append(Awaited(product_type=product_type, derivative_id=whose))
    return tuple(awaited)


async def bring_home(
    client: DerivativesClient,
    screen: Screen,
    watch: Watch,
    destination: str | os.PathLike[str] | Sink,
    *,
    backoff: Backoff | None = None,
    timeout: float | None = None,  # noqa: ASYNC109  the pure Watch decides it
    concurrency: int = CONCURRENCY,
    overwrite: bool = False,
    repair: bool = False,
    stac: bool = False,
) -> DownloadReport:
    """Watch and download a task with all its events on the screen.

    Raises:
        IceyeError: what the watch ends with, or `DownloadFailedError` for files.
    """
    report = await client.download_task(
        watch.task_id,
        destination,
        watch=watch,
        backoff=backoff,
        timeout=timeout,
        concurrency=concurrency,
        overwrite=overwrite,
        repair=repair,
        stac=stac,
        on_event=following(watch, screen),
    )
    report.raise_for_failures()
    return report


@contextmanager
def saying_how_to_go_on(
    screen: Screen, folder: str | Path, advice: Callable[[], str]
) -> Iterator[None]:
    """Let an interruption say what is there and how to go on."""
    try:
        yield
    except (Interrupted, KeyboardInterrupt):
        there = screen.board.count(Phase.WHOLE, Phase.KEPT)
        raise Interrupted(f"Whole in {folder}: {count(there, 'file')}; {advice()}") from None


def summarise(screen: Screen, report: DownloadReport) -> None:
    """Say what was found: detections by class, and where the files are.

    In the order of the rows above it, whichever of two files was the first to be whole.
    """
    place = {row.asset: number for number, row in enumerate(screen.board.rows)}
    for record in sorted(report.files, key=lambda record: place.get(record.asset, len(place))):
        screen.found(find(record))
    for folder in dict.fromkeys(_above(record.path or "") for record in report.files):
        screen.note(f"The files are in {folder}")


def _above(path: str) -> str:
    """The folder of a file; `Path` would take a slash out of a URL."""
    return path.rpartition("/")[0] if is_url(path) else str(Path(path).parent)
