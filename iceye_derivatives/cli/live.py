"""How does the board look on a terminal that can move?"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from iceye_derivatives._core.unread import spell as spell_faults
from iceye_derivatives._visible import visible
from iceye_derivatives.cli.board import Awaited, Board, BoardEvent, Phase, Row
from iceye_derivatives.cli.findings import Found, say_found
from iceye_derivatives.cli.screens import Screen, Time
from iceye_derivatives.cli.wording import clock_time, count, shorten, size, speed, spell
from iceye_derivatives.events import Waiting

__all__ = ["LiveScreen", "Picture", "drawn_in_place", "shown", "styled"]

NARROW, WIDE = 60, 84
"""Columns below which the bar goes, and from which ids and digests fit."""
HISTORY = 6
LABEL = 13
PER_SECOND = 8

LOOKS = {
    Phase.AWAITED: ("in the making", "yellow"),
    Phase.READY: ("ready", "cyan"),
    Phase.FETCHING: ("fetching", "bold cyan"),
    Phase.RETRYING: ("trying again", "magenta"),
    Phase.WHOLE: ("whole", "bold green"),
    Phase.KEPT: ("kept", "green"),
    Phase.FAILED: ("failed", "bold red"),
}
STYLES = {404: "yellow", 206: "cyan", 200: "bold green"}


def shown(text: str, style: str = "") -> Text:
    """What others wrote, as no more than text: neither rich's marks nor a terminal's commands."""
    return Text(visible(text), style)


class Picture:
    """The board as it looks at a moment; it fits whatever width it is given.

    Args:
        board: What to draw.
        now: The client's moment.
        clock: What to say of the time, e.g. that it is simulated; empty says nothing.
    """

    def __init__(self, board: Board, now: float, clock: str = "") -> None:
        self.board = board
        self.now = now
        self.clock = clock

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        arrow = " -> " if options.ascii_only else " → "
        yield Group(
            self._title(arrow),
            self._wait(),
            *([self._rows(options)] if self.board.rows or self.board.awaited else []),
        )

    def _title(self, arrow: str) -> RenderableType:
        board = self.board
        lines = Text()
        if self.clock:
            lines.append(f"{self.clock}\n", "dim")
        lines.append(f"{'task':<{LABEL}}", "dim").append_text(
            shown(board.task_id or "is being ordered", "bold")
        )
        if board.statuses:
            lines.append(f"\n{'status':<{LABEL}}", "dim").append_text(
                shown(arrow.join(board.statuses[-HISTORY:]))
            )
        if board.answers:
            lines.append(f"\n{'derivatives':<{LABEL}}", "dim")
            for place, answer in enumerate(board.answers[-HISTORY:]):
                lines.append(arrow if place else "").append(str(answer), STYLES[answer])
            lines.append(f"  ({count(board.looks, 'look')})", "dim")
        return lines

    def _wait(self) -> RenderableType:
        if self.board.finished:
            return Text("every derivative is there", "green")
        text = Text()
        if self.board.trouble is not None:
            trouble = self.board.trouble
            told = f"{trouble.failures} in a row, gives up at {trouble.budget}"
            text = shown(f"look failed ({told}): {trouble.error}", "magenta").append("\n")
        if self.board.unreadable:
            told = f"cannot be read: {spell_faults(self.board.unreadable)}"
            text.append_text(shown(told, "magenta")).append("\n")
        return text.append_text(self._countdown(self.board.waiting))

    def _countdown(self, waiting: Waiting | None) -> Text:
        if waiting is None:
            return Text("looking ...", "dim")
        left = waiting.until - self.now
        when = clock_time(waiting.until, self.now)
        look = f"next look in {spell(left)} ({when})" if left > 0 else "looking now"
        return Text.assemble(shown(waiting.reason, "italic"), "\n", (look, "dim"))

    def _rows(self, options: ConsoleOptions) -> RenderableType:
        width = options.max_width
        table = Table.grid(padding=(0, 2 if width >= WIDE else 1))
        # Cropped, where there is no room: an ellipsis is more than some terminals can encode.
        table.add_column(no_wrap=True, overflow="crop")
        if width >= WIDE:
            table.add_column(no_wrap=True, overflow="crop", style="dim", min_width=9)
        table.add_column(no_wrap=True, overflow="crop", min_width=len("in the making"))
        if width >= NARROW:
            table.add_column(width=24 if width >= WIDE else 14)
        table.add_column(justify="right", no_wrap=True, overflow="crop")
        if width >= WIDE:
            table.add_column(justify="right", no_wrap=True, overflow="crop", style="dim")
        for entry in self._ordered():
            cells = self._cells(entry)
            wide, bar = width >= WIDE, width >= NARROW
            shown = (True, wide, True, bar, True, wide)
            table.add_row(*(cell for cell, there in zip(cells, shown, strict=True) if there))
        return Group(Text(""), table, *self._notes())

    def _ordered(self) -> list[Row | Awaited]:
        places = {name: place for place, name in enumerate(self.board.product_types)}
        entries: list[Row | Awaited] = [*self.board.rows, *self.board.awaited]
        return sorted(entries, key=lambda entry: places[_type(entry)])

    def _cells(self, entry: Row | Awaited) -> tuple[RenderableType, ...]:
        if isinstance(entry, Awaited):
            word, style = LOOKS[Phase.AWAITED]
            name = shorten(visible(entry.derivative_id)) if entry.derivative_id else "-"
            return (shown(entry.product_type), shown(name), Text(word, style), "", "", "")
        word, style = LOOKS[entry.phase]
        bar = ProgressBar(
            # A file that was kept, or is empty, is complete although nothing was counted.
            total=max(entry.total or 0, 1) if entry.total is not None else None,
            completed=1 if entry.phase.final and not entry.total else entry.received,
            pulse=entry.phase is Phase.FETCHING and entry.total is None,
            animation_time=self.now,
            complete_style="cyan",
            finished_style="green",
        )
        got = size(entry.received) if entry.received else ""
        return (
            shown(entry.asset.product_type),
            shown(shorten(visible(entry.asset.derivative_id))),
            Text(word, style),
            bar if entry.phase not in {Phase.READY, Phase.FAILED} else "",
            got,
            speed(entry.speed) if entry.speed else "",
        )

    def _notes(self) -> list[Text]:
        noted = [row for row in self.board.rows if row.note]
        return [shown(f"{row.asset.product_type}: {row.note}", "magenta") for row in noted]


def _type(entry: Row | Awaited) -> str:
    return entry.product_type if isinstance(entry, Awaited) else entry.asset.product_type


def styled(found: Found) -> Text:
    """What was found, with what matters made bright; names are cut nowhere, they may wrap."""
    first, name = map(visible, say_found(found))
    product, _, counted = first.partition("  ")
    text = Text.assemble((product, "bold"), "  ", (counted, "cyan"), overflow="fold")
    return text.append(f"\n{name}", "dim")


def drawn_in_place(
    console: Console, picture: Callable[[], RenderableType], *, per_second: float
) -> Live:
    """Draw by a thread of its own, so that a busy event loop does not stop the countdown."""
    return Live(
        console=console,
        get_renderable=picture,
        refresh_per_second=per_second,
        redirect_stdout=False,
        redirect_stderr=False,
    )


class LiveScreen(Screen):
    """The picture, drawn several times a second: a countdown that moves is not frozen.

    Args:
        time: The client's now.
        meter: Seconds for the speed of transfers.
        console: Where to draw.
        clock: What to say of the time; asked at each drawing.
    """

    def __init__(
        self,
        *,
        time: Time,
        meter: Time = monotonic,
        console: Console | None = None,
        clock: Callable[[], str] = str,
    ) -> None:
        super().__init__(time=time, meter=meter)
        self.console = Console(highlight=False) if console is None else console
        self._clock = clock
        # A board never changes, so it can be read from the thread that draws it.
        self._live = drawn_in_place(self.console, self.picture, per_second=PER_SECOND)

    def picture(self) -> Picture:
        """How it looks now."""
        return Picture(self.board, self.time(), self._clock())

    def note(self, text: str) -> None:
        """Print it above the picture."""
        self.console.print(shown(text))

    def show(self, before: Board, event: BoardEvent) -> None:  # noqa: ARG002  the base hands it in
        """Start to draw with the first event: notes and questions come before."""
        if not self._live.is_started:
            self._live.start()

    def found(self, found: Found) -> None:
        """Print it below the picture, which stands still from now on."""
        self.end(None)
        self.console.print(styled(found))

    def end(self, error: BaseException | None) -> None:  # noqa: ARG002  the base hands it in
        """Draw the last picture and let it stand."""
        if self._live.is_started:
            self._live.stop()
