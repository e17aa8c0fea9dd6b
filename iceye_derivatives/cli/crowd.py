"""How do many tasks look on a terminal that can move: what is news, and how all of them stand?

The news goes by as lines; below them a few counts stand still, however many tasks there are.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from iceye_derivatives.cli.board import BoardEvent
from iceye_derivatives.cli.live import drawn_in_place, shown
from iceye_derivatives.cli.many import ManyAsPlain
from iceye_derivatives.cli.news import news_of
from iceye_derivatives.cli.wording import clock_time, count, size
from iceye_derivatives.events import (
    DerivativeReady,
    SnapshotReceived,
    TaskStatusReceived,
    TransferFailed,
    TransferFinished,
    TransferStarted,
    Waiting,
    WatchFailed,
    WatchFinished,
)
from iceye_derivatives.models import AssetRef
from iceye_derivatives.protocols import Clock

__all__ = ["Crowd", "CrowdPicture", "ManyLive"]

PER_SECOND = 4


@define
class Crowd:
    """Counts over all tasks; one event costs the same whether there are ten or a hundred thousand.

    What is told twice counts once: a task stands under its latest status, a file under its end.
    """

    statuses: dict[str, str] = field(factory=dict)
    """By task, as long as it is watched."""
    tallies: dict[str, int] = field(factory=dict)
    """How many tasks stand under each status."""
    looks: int = 0
    ready: int = 0
    finished: int = 0
    given_up: int = 0
    fetching: set[AssetRef] = field(factory=set)
    whole: int = 0
    failed: int = 0
    brought: int = 0
    """Bytes of whole files."""
    next_look: float | None = None
    """Of the wait that was told last."""

    def take_in(self, event: BoardEvent) -> None:
        """Count it."""
        match event:
            case TaskStatusReceived(task_id=task_id, status=status):
                self._stands(task_id, status)
            case WatchFinished(task_id=task_id):
                self.finished += 1
                self._stands(task_id, None)
            case WatchFailed(task_id=task_id):
                self.given_up += 1
                self._stands(task_id, None)
            case SnapshotReceived():
                self.looks += 1
            case DerivativeReady():
                self.ready += 1
            case Waiting(until=until):
                self.next_look = until
            case TransferStarted(asset=asset):
                self.fetching.add(asset)
            case TransferFinished(record=record):
                self.fetching.discard(record.asset)
                self.whole += 1
                self.brought += record.size or 0
            case TransferFailed(record=record):
                self.fetching.discard(record.asset)
                self.failed += 1
            case _:
                pass

    def _stands(self, task_id: str, status: str | None) -> None:
        before = self.statuses.pop(task_id, None)
        if before is not None:
            self.tallies[before] -= 1
        if status is not None:
            self.statuses[task_id] = status
            self.tallies[status] = self.tallies.get(status, 0) + 1


class CrowdPicture:
    """The counts as they look at a moment; each line is cut to the terminal's width."""

    def __init__(self, crowd: Crowd, total: int, now: float) -> None:
        self.crowd = crowd
        self.total = total
        self.now = now

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        crowd = self.crowd
        tasks = Text.assemble(
            (f"{count(self.total, 'task')}  ", "bold"),
            (f"{crowd.finished:,} complete", "green"),
            (f"  {crowd.given_up:,} given up" if crowd.given_up else "", "bold red"),
        )
        standing = "  ".join(f"{n:,} {name}" for name, n in sorted(crowd.tallies.items()) if n)
        files = Text.assemble(
            (f"{count(crowd.ready, 'derivative')}  ", "bold"),
            (f"{crowd.whole:,} whole ({size(crowd.brought)})", "green"),
            (f"  {len(crowd.fetching):,} fetching", "cyan"),
            (f"  {crowd.failed:,} failed" if crowd.failed else "", "bold red"),
        )
        told = [count(crowd.looks, "look")] if crowd.looks else []
        if crowd.next_look is not None and crowd.next_look > self.now:
            told.append(f"the latest wait until {clock_time(crowd.next_look, self.now)}")
        looks = Text(", ".join(told), "dim")
        for line in (tasks, shown(standing, "yellow"), files, looks):
            line.no_wrap, line.overflow = True, "crop"
            if line.plain:
                yield line


class ManyLive(ManyAsPlain):
    """The news above, the counts below."""

    def __init__(self, clock: Clock, *, total: int, console: Console | None = None) -> None:
        super().__init__(clock)
        self.crowd = Crowd()
        self.total = total
        self.console = Console(highlight=False) if console is None else console
        self._live = drawn_in_place(self.console, self.picture, per_second=PER_SECOND)

    def picture(self) -> CrowdPicture:
        """How they stand now."""
        return CrowdPicture(self.crowd, self.total, self.time())

    def on_event(self, event: BoardEvent) -> None:
        """Count it, and say it where it is news."""
        self.draw()
        self.tally.note(event)
        self.crowd.take_in(event)
        now = self.time()
        if line := news_of(event, clock_time(now, now)):
            self.say(line)

    def remember(self, finished: Sequence[str]) -> None:
        """Count what an earlier run has shown to its end."""
        super().remember(finished)
        self.crowd.finished += len(finished)

    def draw(self) -> None:
        """Draw from the first event on."""
        if not self._live.is_started:
            self._live.start()

    def say(self, line: Text) -> None:
        """Print it above the counts."""
        self.console.print(line)

    def note(self, text: str) -> None:
        """Print it there, too."""
        self.say(shown(text))

    def end(self, error: BaseException | None) -> None:  # noqa: ARG002  the base hands it in
        """Draw the last counts and let them stand."""
        if self._live.is_started:
            self._live.stop()
