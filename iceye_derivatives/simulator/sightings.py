"""Where does what lie: a port, an apron and a road in metres around a point.

East and north of the point of interest are positive; headings are degrees clockwise from north.
"""

from __future__ import annotations

from math import cos, hypot, radians, sin
from typing import TYPE_CHECKING, Any

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

_METRES_PER_DEGREE = 111_320.0
_SCENE_RADIUS = 4000.0
_MOORED_OF_FIVE = 3

# name, shortest and longest in metres, length over width
_Kind = tuple[str, float, float, float]

_VESSELS: tuple[_Kind, ...] = (
    ("cargo", 90, 320, 6.8),
    ("tanker", 110, 330, 6.2),
    ("passenger", 60, 290, 7.4),
    ("fishing", 15, 60, 3.9),
    ("tug", 20, 38, 2.8),
)
_AIRCRAFT: tuple[_Kind, ...] = (
    ("narrow_body", 33, 44, 1.05),
    ("wide_body", 55, 74, 1.08),
    ("regional_jet", 26, 36, 1.15),
    ("business_jet", 14, 30, 1.1),
    ("helicopter", 11, 20, 1.2),
)
_VEHICLES: tuple[_Kind, ...] = (
    ("car", 3.8, 5.1, 2.4),
    ("van", 5.0, 7.2, 2.7),
    ("truck", 8, 18.7, 4.6),
    ("bus", 10, 18, 4.4),
)


@frozen(kw_only=True)
class Sighting:
    """One object: where it lies, what it is, how large, which way it points, how sure we are."""

    east: float
    north: float
    name: str
    length: float
    width: float
    heading: float
    confidence: float
    hull: bool = False


@frozen(kw_only=True)
class Ground:
    """A flat patch of the Earth around a point."""

    lat: float
    lon: float

    @classmethod
    def near(cls, lat: float, lon: float) -> Ground:
        """Lay a patch around a point, pushed off the poles and the antimeridian.

        RFC 7946 wants geometries cut in two at the antimeridian; a port a few kilometres beside
        it is as plausible and needs no cutting.
        """
        return cls(lat=min(max(lat, -80.0), 80.0), lon=min(max(lon, -179.0), 179.0))

    def position(self, east: float, north: float) -> list[float]:
        """Give [longitude, latitude] with seven decimals, about a centimetre."""
        lon = self.lon + east / (_METRES_PER_DEGREE * cos(radians(self.lat)))
        return [round(lon, 7), round(self.lat + north / _METRES_PER_DEGREE, 7)]

    def geometry(self, sighting: Sighting) -> dict[str, Any]:
        """Give the hull as a Polygon, or the centre as a Point."""
        if not sighting.hull:
            at = self.position(sighting.east, sighting.north)
            return {"type": "Point", "coordinates": at}
        ring = [self.position(*corner) for corner in _hull(sighting)]
        return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def _hull(ship: Sighting) -> Iterator[tuple[float, float]]:
    # RFC 7946 wants outer rings counterclockwise: from the bow over port.
    for ahead, right in ((0.5, 0), (0.35, -0.5), (-0.5, -0.5), (-0.5, 0.5), (0.35, 0.5)):
        east, north = _turned(ahead * ship.length, right * ship.width, ship.heading)
        yield ship.east + east, ship.north + north


def _sight(
    random: Random, kind: _Kind, *, east: float, north: float, heading: float, hull: bool = False
) -> Sighting:
    name, shortest, longest, slenderness = kind
    length = random.triangular(shortest, longest)
    # Models are the surer the more pixels an object has; what they doubt is not in the file.
    sure = random.betavariate(9, 2) * 0.5 + 0.5 * length / (length + 4)
    return Sighting(
        east=east,
        north=north,
        name=name,
        length=length,
        width=length / slenderness,
        heading=heading,
        confidence=min(max(sure, 0.5), 0.995),
        hull=hull,
    )


def port(random: Random, count: int) -> Iterator[Sighting]:
    """Moor ships along quays and anchor the others off them, all swung to one wind."""
    bearing, wind = random.uniform(0, 180), random.uniform(0, 360)
    for place in range(count):
        # Of five ships three are moored, at 20 berths to a quay; after 12 basins in second rows.
        turn, seat = divmod(place, 5)
        if seat < _MOORED_OF_FIVE:
            basin, berth = divmod(turn * _MOORED_OF_FIVE + seat, 20)
            run = (berth - 10) * 380.0 + random.uniform(-20, 20)
            off = -(basin % 12) * 450.0 + random.uniform(15, 30)
            heading = bearing + random.choice((0, 180))
        else:
            run, off = random.uniform(-4000, 4000), random.uniform(1500, 9000)
            heading = wind + random.gauss(0, 6)
        east, north = _turned(run, off, bearing)
        yield _sight(
            random, random.choice(_VESSELS), east=east, north=north, heading=heading, hull=True
        )


def apron(random: Random, count: int) -> Iterator[Sighting]:
    """Park aircraft in rows, the noses of each row the same way."""
    bearing = random.uniform(0, 360)
    for place in range(count):
        row, stand = divmod(place, 12)
        run = (stand - 6) * 85.0 + random.gauss(0, 1)
        off = row % 40 * 140.0 + random.gauss(0, 2)
        nose = bearing + (90 if row % 2 else 270) + random.gauss(0, 1.5)
        east, north = _turned(run, off, bearing)
        yield _sight(random, random.choice(_AIRCRAFT), east=east, north=north, heading=nose)


def road(random: Random, count: int) -> Iterator[Sighting]:
    """Let vehicles drive both lanes of a winding road."""
    course = random.uniform(0, 360)
    east = north = 0.0
    for _ in range(count):
        # A road that has left the scene bends back into it.
        bend = 8.0 if hypot(east, north) > _SCENE_RADIUS else 0.0
        course += random.gauss(bend, 4)
        step = random.uniform(12, 60)
        forth, aside = _turned(step, 0, course)
        east, north = east + forth, north + aside
        # Drive on the right: the own lane lies to the right of the course.
        lane, turned = random.choice(((1.8, 0), (-1.8, 180)))
        right, back = _turned(0, lane, course)
        yield _sight(
            random,
            random.choices(_VEHICLES, weights=(70, 12, 15, 3))[0],
            east=east + right,
            north=north + back,
            heading=course + turned + random.gauss(0, 2),
        )


def _turned(ahead: float, right: float, heading: float) -> tuple[float, float]:
    """Give (east, north) of what lies `ahead` and to the `right` of a heading."""
    sine, cosine = sin(radians(heading)), cos(radians(heading))
    return ahead * sine + right * cosine, ahead * cosine - right * sine


SCENES: dict[str, Callable[[Random, int], Iterator[Sighting]]] = {
    "DC_VESSELS": port,
    "DC_AIRCRAFT": apron,
    "DC_VEHICLES": road,
}
