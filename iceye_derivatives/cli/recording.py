"""How does a run of the real program become a picture for a page?

`LiveScreen` draws to a console that nobody sees; each piece of news becomes a frame, and the frames
become one SVG that plays them in a loop.  It needs neither a script nor a font from elsewhere.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from time import monotonic

from attrs import frozen
from rich.console import Console, Group
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from iceye_derivatives.cli.board import Board, BoardEvent
from iceye_derivatives.cli.findings import Found
from iceye_derivatives.cli.live import LiveScreen, styled
from iceye_derivatives.cli.screens import Time
from iceye_derivatives.events import TransferProgressed, Waiting

__all__ = ["Frame", "RecordingScreen", "animate"]

COMMAND = "iceye-derivatives demo"
COLUMNS = 100
CELL, LINE = 12.2, 24.4
"""Width and height of a character, as rich draws it."""
MARGIN, BAR = 24.0, 46.0
APART = 0.8
"""Seconds between frames that bring no news."""
SHORTEST = 0.15
"""Seconds: frames closer than this are one."""
LAST = 8.0
"""Seconds for which the last frame stands."""
INK, PAPER, EDGE = "#d6dce6", "#10141c", "#2b3240"
THEME = TerminalTheme(
    (16, 20, 28),
    (214, 220, 230),
    [
        (16, 20, 28),
        (240, 98, 107),
        (94, 207, 138),
        (229, 192, 96),
        (97, 160, 240),
        (198, 134, 232),
        (86, 200, 214),
        (214, 220, 230),
    ],
)
SPLIT = "\x00"
NEWLINE = re.compile(r"<text [^>]*>\n</text>")
CLIP = re.compile(r' clip-path="[^"]*"')


@frozen
class Frame:
    """What stood on the screen from a moment on."""

    at: float
    console: Console


class RecordingScreen(LiveScreen):
    """A live screen that nobody sees, and that writes an SVG at its end.

    Args:
        path: Where the picture goes.
        time: As for `LiveScreen`.
        clock: The same.
        meter: Seconds between frames.
    """

    def __init__(
        self, path: Path, *, time: Time, clock: Callable[[], str], meter: Time = monotonic
    ) -> None:
        super().__init__(time=time, clock=clock, meter=meter, console=_console())
        self._path = path
        self._above: list[Text] = [Text.assemble(("$ ", "green"), COMMAND)]
        self._below: list[Text] = []
        self._frames: list[Frame] = []

    def note(self, text: str) -> None:
        """Keep it above the picture, or below it where the summary has begun."""
        (self._below or self._above).append(Text(text))

    def show(self, before: Board, event: BoardEvent) -> None:
        """Take a frame when there is news, or when the last is old and something counts."""
        since = self.meter() - self._frames[-1].at if self._frames else APART
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
            self._path.write_text(animate(self._frames), encoding="utf-8")

    def _take(self) -> None:
        console = _console()
        space = [Text("")] if self._below else []
        console.print(Group(*self._above, Text(""), self.picture(), *space, *self._below))
        self._frames.append(Frame(self.meter(), console))


def animate(frames: Sequence[Frame]) -> str:
    """One SVG of many frames, each shown as long as it stood; the last stays for a while.

    Where nothing moves (a printer, a viewer without CSS) the last frame is seen.
    """
    ends = [frame.at for frame in frames[1:]] + [frames[-1].at + LAST]
    begin, whole = frames[0].at, ends[-1] - frames[0].at
    drawn = [_draw(frame.console, f"f{place}") for place, frame in enumerate(frames)]
    lines = max(lines for lines, _, _ in drawn)
    styles, groups = [], []
    for place, (frame, until, (_, style, body)) in enumerate(zip(frames, ends, drawn, strict=True)):
        on, off = (100 * (moment - begin) / whole for moment in (frame.at, until))
        name = f"f{place}"
        styles += [style, _keyframes(name, on, off, whole)]
        seen = "visible" if frame is frames[-1] else "hidden"
        groups.append(f'<g class="t {name}" visibility="{seen}">{body}</g>')
    return _compose(lines, "\n".join(styles), "\n".join(groups))


def _console() -> Console:
    return Console(
        record=True,
        width=COLUMNS,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        highlight=False,
        legacy_windows=False,
    )


def _news(board: Board) -> object:
    return board.statuses, board.answers, [row.phase for row in board.rows], board.awaited


def _draw(console: Console, name: str) -> tuple[int, str, str]:
    """A frame's number of lines, its styles and its body, all under a name of its own."""
    text = console.export_svg(
        theme=THEME,
        unique_id=name,
        code_format=SPLIT.join(("{terminal_height}", "{styles}", "{backgrounds}{matrix}")),
    )
    height, styles, body = text.split(SPLIT)
    body = CLIP.sub("", NEWLINE.sub("", body))
    return round(float(height) / LINE), styles, body


def _keyframes(name: str, on: float, off: float, whole: float) -> str:
    steps = {0.0: "hidden", on: "visible", off: "hidden", 100.0: "hidden"}
    if off > 99.9:  # noqa: PLR2004  the last frame ends with the loop
        steps[100.0] = "visible"
    listed = "".join(f"{step:.2f}%{{visibility:{seen}}}" for step, seen in steps.items())
    return (
        f"@keyframes {name}{{{listed}}}.{name}{{animation:{name} {whole:.1f}s step-end infinite}}"
    )


def _compose(lines: int, styles: str, groups: str) -> str:
    width = COLUMNS * CELL + 2 * MARGIN
    height = (lines + 1) * LINE + BAR + MARGIN
    lamps = "".join(
        f'<circle cx="{26 + 22 * place}" cy="23" r="7" fill="{colour}"/>'
        for place, colour in enumerate(("#ff5f57", "#febc2e", "#28c840"))
    )
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}">
<title>{escape(COMMAND)}</title>
<style>
.t{{font:20px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}}
.h{{font:bold 18px system-ui,sans-serif;fill:{INK};text-anchor:middle}}
{styles}
</style>
<rect x="1" y="1" width="{width - 2:.0f}" height="{height - 2:.0f}" rx="10"
  fill="{PAPER}" stroke="{EDGE}"/>
{lamps}
<text class="h" x="{width / 2:.0f}" y="29">{escape(COMMAND)}</text>
<g transform="translate({MARGIN:.0f},{BAR:.0f})">
{groups}
</g>
</svg>
"""
