"""How does one command watch or download many tasks?"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

import anyio

from iceye_derivatives._core.backoff import Backoff
from iceye_derivatives.cli.board import Board, BoardEvent
from iceye_derivatives.cli.fleet_file import FleetFile
from iceye_derivatives.cli.json_lines import many_report_line
from iceye_derivatives.cli.plain import say
from iceye_derivatives.cli.screens import JsonScreen, PlainScreen, Screen
from iceye_derivatives.cli.sentences import sentence
from iceye_derivatives.cli.session import moves
from iceye_derivatives.cli.tally import Tally
from iceye_derivatives.cli.wording import count
from iceye_derivatives.client import DerivativesClient
from iceye_derivatives.downloader import Downloader
from iceye_derivatives.events import (
    TaskStatusReceived,
    TransferFailed,
    TransferFinished,
    WatchEvent,
    WatchFailed,
)
from iceye_derivatives.fleet import Fleet
from iceye_derivatives.protocols import Clock

__all__ = ["download_many", "open_many", "watch_many"]

SAVED_EVERY = 10.0
"""Seconds: a fleet is written whole each time."""


class ManyAsJson(JsonScreen):
    """The same lines as for one task, and a report about all of them."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(time=clock.time)
        self.tally = Tally()

    def on_event(self, event: BoardEvent) -> None:
        """Print it; one board cannot hold many tasks, so there is none."""
        self.tally.note(event)
        self.show(self.board, event)

    def remember(self, finished: Sequence[str]) -> None:
        """Count what an earlier run has shown to its end."""
        self.tally.finished += finished

    def end(self, error: BaseException | None) -> None:
        """Print the report."""
        tally = self.tally
        self._print(many_report_line(tally.finished, tally.failed, tally.files, error))


class ManyAsPlain(PlainScreen):
    """The same sentences as for one task, each with its id before it."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(time=clock.time)
        self.tally = Tally()

    def on_event(self, event: BoardEvent) -> None:
        """Print it, unless it is about bytes on their way."""
        self.tally.note(event)
        match event:
            case WatchFailed(error=error):
                self._print(f"{event.task_id} failed: {sentence(error)}")
            case TaskStatusReceived(status=status):
                self._print(f"{event.task_id} is {status}")
            case TransferFinished() | TransferFailed():
                self._print(f"{event.record.asset.task_id} {say(Board(), event, Board())}")
            case _ if hasattr(event, "task_id"):
                self._print(f"{event.task_id} {say(Board(), event, Board())}")
            case _:
                pass

    def remember(self, finished: Sequence[str]) -> None:
        """Count what an earlier run has shown to its end, and say that it is not shown again."""
        self.tally.finished += finished
        if finished:
            self.note(f"{count(len(finished), 'task')} finished in an earlier run")


def open_many(
    clock: Clock, *, total: int, as_json: bool, record: Path | None = None
) -> ManyAsJson | ManyAsPlain:
    """JSON Lines where asked for, else sentences, and counts below them where the terminal can."""
    if as_json:
        return ManyAsJson(clock)
    if record is not None:
        from iceye_derivatives.cli.recording import RecordingMany  # noqa: PLC0415  imports rich

        command = "iceye-derivatives download --ids-from tasks.txt --to detections"
        return RecordingMany(record, command, clock, total=total)
    if moves():
        # rich takes a tenth of a second to import: only who sees it pays.
        from iceye_derivatives.cli.crowd import ManyLive  # noqa: PLC0415

        return ManyLive(clock, total=total)
    return ManyAsPlain(clock)


async def watch_many(
    client: DerivativesClient,
    screen: ManyAsJson | ManyAsPlain,
    task_ids: Sequence[str],
    *,
    derivatives: Sequence[str],
    backoff: Backoff,
    timeout: float | None,  # noqa: ASYNC109  the pure Watch decides it
    state_file: Path | None,
    clock: Clock,
) -> None:
    """Show what happens to the tasks, and remember in a file what was shown."""
    memory = FleetFile.load(state_file)
    new = [task_id for task_id in task_ids if task_id not in memory.ended]
    screen.remember([task_id for task_id in task_ids if task_id in memory.ended])
    state = memory.take_fleet(clock.time(), derivatives)
    memory.saving(state)()  # a file that cannot be written is told of now, not after days
    saved_at = clock.time()
    requested = _for_all(new, derivatives)
    async with client.watch_tasks(
        new, state=state, requested=requested, backoff=backoff, timeout=timeout
    ) as fleet:
        try:
            async for event in fleet:
                screen.on_event(event)
                memory.note(event)
                if state_file is not None and abs(clock.time() - saved_at) >= SAVED_EVERY:
                    saved_at = clock.time()
                    await anyio.to_thread.run_sync(memory.saving(fleet.state()))
        finally:
            # Not left to a thread: an interrupted program has no time for an await.
            memory.saving(fleet.state())()


async def download_many(
    client: DerivativesClient,
    screen: Screen,
    task_ids: Sequence[str],
    downloader: Downloader,
    *,
    derivatives: Sequence[str],
    backoff: Backoff,
    timeout: float | None,  # noqa: ASYNC109  as above
) -> None:
    """Bring all files of all tasks home, each as soon as it is there."""
    await downloader.make_ready()
    requested = _for_all(task_ids, derivatives)
    async with client.watch_tasks(
        task_ids, requested=requested, backoff=backoff, timeout=timeout
    ) as fleet:
        await _bring_home(fleet, screen, downloader)


def _for_all(task_ids: Sequence[str], derivatives: Sequence[str]) -> dict[str, Sequence[str]]:
    return dict.fromkeys(task_ids, derivatives) if derivatives else {}


async def _bring_home(fleet: Fleet, screen: Screen, downloader: Downloader) -> None:
    def tell(event: WatchEvent) -> None:
        screen.on_event(event)

    async with (
        aclosing(fleet.derivatives(tell)) as derivatives,
        downloader.transfers(derivatives) as events,
    ):
        async for event in events:
            screen.on_event(event)
