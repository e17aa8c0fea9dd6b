"""How does one draw with Pillow so that edges are smooth and letters sharp?"""

from __future__ import annotations

from typing import Any, Final

from attrs import frozen

__all__ = ["OVERSAMPLED", "Pen", "Words"]

OVERSAMPLED: Final = 2
"""Pillow's shapes have hard edges: drawn at twice the size and scaled down, they do not."""
MARKS: Final[dict[str, tuple[tuple[float, float], ...]]] = {
    "triangle": ((0, -1.08), (1.02, 0.72), (-1.02, 0.72)),
    "square": ((-0.78, -0.78), (0.78, -0.78), (0.78, 0.78), (-0.78, 0.78)),
    "diamond": ((0, -1.12), (1.12, 0), (0, 1.12), (-1.12, 0)),
    "pentagon": ((0, -1.05), (1, -0.32), (0.62, 0.85), (-0.62, 0.85), (-1, -0.32)),
    "cross": tuple(
        (x * a, y * b)
        for x, y, quarter in ((1, -1, 0), (1, 1, 1), (-1, 1, 2), (-1, -1, 3))
        for a, b in (
            ((0.36, 1), (0.36, 0.36), (1, 0.36))
            if quarter % 2 == 0
            else ((1, 0.36), (0.36, 0.36), (0.36, 1))
        )
    ),
}


@frozen
class Words:
    """One line of text; `anchor` is Pillow's: left, middle or right, then top, middle or line."""

    x: float
    y: float
    text: str
    points: int
    tone: str
    anchor: str = "ls"


class Pen:
    """Pillow's pen in units of the finished picture."""

    def __init__(self, draw: Any, fonts: Any, factor: int = OVERSAMPLED) -> None:  # noqa: ANN401
        self._draw = draw
        self._fonts = fonts
        self._factor = factor
        self._sizes: dict[int, Any] = {}
        self.later: list[Words] = []
        """What is to be written when the picture has its size."""

    def box(self, corners: tuple[float, float, float, float], tone: str) -> None:
        """A filled rectangle without an edge."""
        x0, y0, x1, y1 = (corner * self._factor for corner in corners)
        if x1 > x0 and y1 > y0:
            self._draw.rectangle((x0, y0, x1 - 1, y1 - 1), fill=tone)

    def line(self, places: list[tuple[float, float]], tone: str, width: float) -> None:
        """Straight lines from place to place."""
        scaled = [(x * self._factor, y * self._factor) for x, y in places]
        self._draw.line(scaled, fill=tone, width=round(width * self._factor), joint="curve")

    def area(self, places: list[tuple[float, float]], fill: str, edge: str) -> None:
        """A polygon with an edge."""
        scaled = [(x * self._factor, y * self._factor) for x, y in places]
        self._draw.polygon(scaled, fill=fill)
        self._draw.line([*scaled, scaled[0]], fill=edge, width=round(1.5 * self._factor))

    def mark(self, x: float, y: float, radius: float, shape: str, tone: str) -> None:
        """One of the marks of `_legend.py`."""
        if shape == "circle":
            reach = radius * 0.86
            edges = (x - reach, y - reach, x + reach, y + reach)
            self._draw.ellipse([edge * self._factor for edge in edges], fill=tone)
            return
        corners = [(x + a * radius, y + b * radius) for a, b in MARKS[shape]]
        self._draw.polygon([(a * self._factor, b * self._factor) for a, b in corners], fill=tone)

    def text(self, words: Words, room: float | None = None) -> None:
        """One line in the font that Pillow brings, shortened to its room."""
        if words.points not in self._sizes:
            self._sizes[words.points] = self._fonts.load_default(words.points)
        font = self._sizes[words.points]
        line = " ".join(words.text.encode("utf-8", "replace").decode().split())
        while room is not None and line and font.getlength(line) > room:
            line = f"{line.rstrip('…')[:-1]}…" if len(line) > 1 else ""
        self._draw.text((words.x, words.y), line, fill=words.tone, font=font, anchor=words.anchor)
