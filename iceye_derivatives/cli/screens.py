"""Where do events go: sentences, JSON Lines, or (see `live.py`) a table that moves?"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from time import monotonic
from types import TracebackType
from typing import Self, TextIO

from iceye_derivatives._visible import visible
from iceye_derivatives.cli.board import Board, BoardEvent, fold
from iceye_derivatives.cli.findings import Found, say_found
from iceye_derivatives.cli.json_lines import Line, event_line, found_line, report_line
from iceye_derivatives.cli.options import note_report
from iceye_derivatives.cli.plain import say
from iceye_derivatives.cli.wording import iso, stamp
from iceye_derivatives.events import TransferProgressed, Waiting
from iceye_derivatives.models import AssetRef

__all__ = ["JsonScreen", "PlainScreen", "Screen", "write_line"]

Time = Callable[[], float]

QUIET = 600.0
"""Seconds (of the client's clock) after which a wait is said again although nothing changed."""


def write_line(line: Line, now: float, out: TextIO | None = None) -> None:
    """Print one of the JSON Lines with its time."""
    stamped = {"event": line["event"], "time": iso(now), **line}
    print(json.dumps(stamped), file=out, flush=True)
    if line["event"].startswith("report"):
        note_report()


class Screen:
    """Folds events into a board and shows them; a context manager that sees how it all ended.

    Args:
        time: The client's now: what countdowns and times of day are about.
        meter: Seconds for the speed of transfers.
    """

    def __init__(self, *, time: Time, meter: Time = monotonic) -> None:
        self.time = time
        self.meter = meter
        self.board = Board()

    def on_event(self, event: BoardEvent) -> None:
        """Take in what happened."""
        before, self.board = self.board, fold(self.board, event, self.meter())
        self.show(before, event)

    def show(self, before: Board, event: BoardEvent) -> None:
        """Show what `event` made of the board `before`."""

    def note(self, text: str) -> None:
        """Show a sentence that is no event, on one line."""

    def found(self, found: Found) -> None:
        """Show what a file holds."""
        for line in say_found(found):
            self.note(line)

    def end(self, error: BaseException | None) -> None:
        """Show the end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end(exc)


class _Sparse:
    """Lets an asset's progress through once in a while."""

    def __init__(self, every: float, meter: Time) -> None:
        self._every = every
        self._meter = meter
        self._said: dict[AssetRef, float] = {}

    def lets(self, event: TransferProgressed) -> bool:
        now = self._meter()
        if now - self._said.setdefault(event.asset, now) < self._every:
            return False
        self._said[event.asset] = now
        return True


class PlainScreen(Screen):
    """One sentence a line: for logs, pipes and terminals that cannot move."""

    def __init__(self, *, time: Time, meter: Time = monotonic, out: TextIO | None = None) -> None:
        super().__init__(time=time, meter=meter)
        self._out = sys.stdout if out is None else out
        self._progress = _Sparse(10.0, meter)
        self._reason = ""
        self._said_at = float("-inf")

    def show(self, before: Board, event: BoardEvent) -> None:
        """Print the event's sentence, unless it says nothing new."""
        if isinstance(event, TransferProgressed) and not self._progress.lets(event):
            return
        if isinstance(event, Waiting) and not self._is_worth_saying(event):
            return
        sentence = say(before, event, self.board)
        if sentence is not None:
            self._print(sentence)

    def note(self, text: str) -> None:
        """Print it."""
        print(visible(text), file=self._out, flush=True)

    def _is_worth_saying(self, event: Waiting) -> bool:
        # A line for each look would bury the news; none for hours would look frozen.
        now = self.time()
        if event.reason == self._reason and now + event.seconds - self._said_at < QUIET:
            return False
        self._reason, self._said_at = event.reason, now
        return True

    def _print(self, sentence: str) -> None:
        self.note(f"{stamp(self.time())} {sentence}")


class JsonScreen(Screen):
    """One JSON object a line, see `json_lines.py`; the last line is the report."""

    def __init__(self, *, time: Time, meter: Time = monotonic, out: TextIO | None = None) -> None:
        super().__init__(time=time, meter=meter)
        self._out = sys.stdout if out is None else out
        self._progress = _Sparse(1.0, meter)

    def show(self, before: Board, event: BoardEvent) -> None:  # noqa: ARG002  the base hands it in
        """Print the event."""
        if not isinstance(event, TransferProgressed) or self._progress.lets(event):
            self._print(event_line(event))

    def note(self, text: str) -> None:
        """Print it as an event of its own."""
        self._print({"event": "note", "text": text})

    def found(self, found: Found) -> None:
        """Print it as an event."""
        self._print(found_line(found))

    def end(self, error: BaseException | None) -> None:
        """Print the report, however it ended."""
        self._print(report_line(self.board, error))

    def write(self, line: Line) -> None:
        """Print a line that is no event's."""
        self._print(line)

    def _print(self, line: Line) -> None:
        write_line(line, self.time(), self._out)
