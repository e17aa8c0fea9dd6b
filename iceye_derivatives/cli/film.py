"""How do frames of a terminal become one SVG that plays them in a loop?

It needs neither a script nor a font from elsewhere.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from html import escape
from math import inf
from pathlib import Path

from attrs import define, field, frozen
from rich.console import Console, RenderableType
from rich.segment import Segments
from rich.terminal_theme import TerminalTheme

__all__ = ["Film", "Frame", "animate", "blank"]

COLUMNS = 100
CELL, LINE = 12.2, 24.4
"""Width and height of a character, as rich draws it."""
MARGIN, BAR = 24.0, 46.0
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


@define
class Film:
    """The frames of one run.

    Args:
        path: Where the picture goes.
        command: What was run; its title.
        meter: Seconds between frames.
    """

    path: Path
    command: str
    meter: Callable[[], float]
    _frames: list[Frame] = field(factory=list, init=False)

    @property
    def age(self) -> float:
        """Seconds since the last frame was taken, infinite before the first."""
        return self.meter() - self._frames[-1].at if self._frames else inf

    def take(self, picture: RenderableType, *, rows: int | None = None) -> None:
        """Take a frame, of its last rows where there are more."""
        console = blank()
        lines = console.render_lines(picture, pad=False, new_lines=True)
        seen = lines if rows is None else lines[-rows:]
        console.print(Segments(segment for line in seen for segment in line), end="")
        self._frames.append(Frame(self.meter(), console))

    def write(self) -> None:
        """Make the picture of what was taken."""
        self.path.write_text(animate(self._frames, self.command), encoding="utf-8")


def animate(frames: Sequence[Frame], command: str) -> str:
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
    return _compose(command, lines, "\n".join(styles), "\n".join(groups))


def blank() -> Console:
    """A terminal that nobody sees."""
    return Console(
        record=True,
        width=COLUMNS,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        highlight=False,
        legacy_windows=False,
    )


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


def _compose(command: str, lines: int, styles: str, groups: str) -> str:
    width = COLUMNS * CELL + 2 * MARGIN
    height = (lines + 1) * LINE + BAR + MARGIN
    lamps = "".join(
        f'<circle cx="{26 + 22 * place}" cy="23" r="7" fill="{colour}"/>'
        for place, colour in enumerate(("#ff5f57", "#febc2e", "#28c840"))
    )
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}">
<title>{escape(command)}</title>
<style>
.t{{font:20px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}}
.h{{font:bold 18px system-ui,sans-serif;fill:{INK};text-anchor:middle}}
{styles}
</style>
<rect x="1" y="1" width="{width - 2:.0f}" height="{height - 2:.0f}" rx="10"
  fill="{PAPER}" stroke="{EDGE}"/>
{lamps}
<text class="h" x="{width / 2:.0f}" y="29">{escape(command)}</text>
<g transform="translate({MARGIN:.0f},{BAR:.0f})">
{groups}
</g>
</svg>
"""
