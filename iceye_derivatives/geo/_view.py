"""Where in a picture does a place lie, and which round numbers suit it?"""

from __future__ import annotations

from math import asinh, atan, ceil, cos, degrees, floor, log10, pi, radians, sinh, tan
from typing import Final

from attrs import frozen

__all__ = ["View", "digits_for", "multiples", "nice", "say_degrees"]

EQUATOR: Final = 40_075_016.686
"""Metres, of WGS 84."""
WORLD: Final = (-180.0, -60.0, 180.0, 75.0)
TILE: Final = 256
DEEPEST: Final = 17
"""The largest zoom: a single detection must not fill the picture."""
MARGIN: Final = 24


@frozen
class View:
    """Mercator's projection onto a box of the picture."""

    left: float
    top: float
    scale: float
    """Pixels of the whole world's width."""
    box: tuple[float, float, float, float]

    @classmethod
    def of(
        cls,
        bounds: tuple[float, float, float, float] | None,
        box: tuple[float, float, float, float],
    ) -> View:
        """What shows all of `bounds` in the middle of `box`, with a margin."""
        west, south, east, north = bounds or WORLD
        x0, x1, y0, y1 = _x(west), _x(east), _y(north), _y(south)
        width, height = box[2] - box[0] - 2 * MARGIN, box[3] - box[1] - 2 * MARGIN
        spans = ((width, x1 - x0), (height, y1 - y0))
        scale = min([TILE * 2.0**DEEPEST, *(room / span for room, span in spans if span)])
        middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        return cls(
            left=(x0 + x1) / 2 - middle[0] / scale,
            top=(y0 + y1) / 2 - middle[1] / scale,
            scale=scale,
            box=box,
        )

    def place(self, lon: float, lat: float) -> tuple[float, float]:
        """Where a place lies in the picture, in pixels."""
        return (_x(lon) - self.left) * self.scale, (_y(lat) - self.top) * self.scale

    def edges(self) -> tuple[float, float, float, float]:
        """West, south, east and north of the box in degrees."""
        x0, y0, x1, y1 = self.box
        lon = [(x / self.scale + self.left) * 360 - 180 for x in (x0, x1)]
        lat = [degrees(atan(sinh(pi * (1 - 2 * (y / self.scale + self.top))))) for y in (y1, y0)]
        return lon[0], lat[0], lon[1], lat[1]

    def metres(self) -> float:
        """What a pixel in the middle of the box measures on the ground."""
        _, south, _, north = self.edges()
        return EQUATOR * cos(radians((south + north) / 2)) / self.scale


def nice(least: float) -> float:
    """The next of 1, 2, 5, 10, … from `least` up."""
    power = 10.0 ** floor(log10(least))
    return next(n * power for n in (1, 2, 5, 10) if n * power >= least * (1 - 1e-9))


def multiples(low: float, high: float, step: float) -> list[float]:
    """All whole multiples of `step` from `low` to `high`."""
    return [n * step for n in range(ceil(low / step), floor(high / step) + 1)]


def digits_for(step: float) -> int:
    """How many decimals tell multiples of `step` apart."""
    return min(6, max(0, -floor(log10(step) + 1e-9)))


def say_degrees(value: float, letters: str, digits: int) -> str:
    """``4.05° E``; longitudes beyond the antimeridian come round."""
    if letters == "EW":
        value = (value + 180) % 360 - 180
    return f"{abs(value):.{digits}f}° {letters[value < 0]}"


def _x(lon: float) -> float:
    return (lon + 180) / 360


def _y(lat: float) -> float:
    return 0.5 - asinh(tan(radians(lat))) / (2 * pi)
