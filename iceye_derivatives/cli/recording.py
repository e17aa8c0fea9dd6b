"""How does a run of the real program become a picture for a page?

Each screen draws to a terminal that nobody sees; what is news becomes a frame of a film.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from rich.console import Group
from rich.text import Text

from iceye_derivatives.cli.board import Board, BoardEvent
from iceye_derivatives.cli.crowd import ManyLive
from iceye_derivatives.cli.film import Film, blank
from iceye_derivatives.cli.findings import Found
from iceye_derivatives.cli.live import LiveScreen, shown, styled
from iceye_derivatives.cli.screens import Time
from iceye_derivatives.events import TransferProgressed, Waiting
from iceye_derivatives.protocols import Clock

__all__ = ["RecordingMany", "RecordingScreen"]

APART = 0.8
"""Seconds between frames that bring no news."""
SHORTEST = 0.15
"""Seconds: frames closer than this are one."""
ROWS = 18
"""Of the terminal in which many tasks are seen."""


def _typed(command: str) -> Text:
    return Text.assemble(("$ ", "green"), command)


class RecordingScreen(LiveScreen):
    """A live screen that nobody sees, and that writes an SVG at its end.

    Args:
        path: Where the picture goes.
        command: What was run.
        time: As for `LiveScreen`.
        clock: The same.
        meter: Seconds between frames.
    """

    def __init__(
        self,
        path: Path,
        command: str,
        *,
        time: Time,
        clock: Callable[[], str],
        meter: Time = monotonic,
    ) -> None:
        super().__init__(time=time, clock=clock, meter=meter, console=blank())
        self._film = Film(path, command, meter)
        self._above: list[Text] = [_typed(command)]
        self._below: list[Text] = []

    def note(self, text: str) -> None:
        """Keep it above the picture, or below it where the summary has begun."""
        (self._below or self._above).append(shown(text))

    def show(self, before: Board, event: BoardEvent) -> None:
        """Take a frame when there is news, or when the last is old and something counts."""
        since = self._film.age
        moves = isinstance(event, Waiting | TransferProgressed)
        news = _news(before) != _news(self.board)
        if (moves and since >= APART) or (news and since >= SHORTEST):
            self._take()

    def found(self, found: Found) -> None:
        """Keep it below the picture."""
        self._below.append(styled(found))

    def end(self, error: BaseException | None) -> None:
        """Take the last frame and write the picture, unless the run failed."""
        if error is None:
            self._take()
            self._film.write()

    def _take(self) -> None:
        space = [Text("")] if self._below else []
        self._film.take(Group(*self._above, Text(""), self.picture(), *space, *self._below))


class RecordingMany(ManyLive):
    """The counts of many tasks under the last of the news, as `ROWS` lines of a terminal show them.

    Args:
        path: Where the picture goes, however the run ends.
        command: What was run.
        clock: As for `ManyLive`.
        total: The same.
        meter: Seconds between frames.
    """

    def __init__(
        self, path: Path, command: str, clock: Clock, *, total: int, meter: Time = monotonic
    ) -> None:
        super().__init__(clock, total=total, console=blank())
        self._film = Film(path, command, meter)
        self._said = deque([_typed(command)], maxlen=ROWS)

    def draw(self) -> None:
        """Draw to nobody."""

    def on_event(self, event: BoardEvent) -> None:
        """Count it, say it, and take a frame when the last is old."""
        super().on_event(event)
        if self._film.age >= APART:
            self._take()

    def say(self, line: Text) -> None:
        """Keep it above the counts, until newer ones have taken its place."""
        self._said.append(line)

    def end(self, error: BaseException | None) -> None:  # noqa: ARG002  the base hands it in
        """Take the last frame and write the picture."""
        self._take()
        self._film.write()

    def _take(self) -> None:
        self._film.take(Group(*self._said, self.picture()), rows=ROWS)


def _news(board: Board) -> object:
    return board.statuses, board.answers, [row.phase for row in board.rows], board.awaited
