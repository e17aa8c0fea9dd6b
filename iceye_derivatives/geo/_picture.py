"""How do detections look in a report: one still picture, drawn without a browser?"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from iceye_derivatives.errors import ConfigurationError
from iceye_derivatives.geo._extra import need
from iceye_derivatives.geo._geojson import positions
from iceye_derivatives.geo._legend import Group, default_title, groups_of
from iceye_derivatives.geo._pen import OVERSAMPLED, Pen, Words
from iceye_derivatives.geo._values import is_on_map
from iceye_derivatives.geo._view import MARGIN, View, digits_for, multiples, nice, say_degrees

if TYPE_CHECKING:
    from iceye_derivatives.geo.detections import Detections

__all__ = ["render_picture"]

PURPOSE: Final = "A picture"
GROUND, PAPER, LINE = "#e9eef0", "#ffffff", "#cfd9de"
INK, SOFT, RIM = "#16232c", "#566872", "#ffffff"
SMALLEST, RADIUS = 13, 4.5
LEGEND, HEADER, FOOTER = 220, 76, 30
PROJECTION: Final = "WGS 84, Mercator's projection"
LEAST: Final = (320, 240)


def render_picture(
    detections: Detections, *, title: str | None, size: tuple[int, int], note: str
) -> bytes:
    """See `Detections.to_png`."""
    if size[0] < LEAST[0] or size[1] < LEAST[1]:
        raise ConfigurationError(f"A picture is at least {LEAST[0]} by {LEAST[1]} pixels")
    image_of, draw_of = need("PIL.Image", PURPOSE), need("PIL.ImageDraw", PURPOSE)
    detections = detections.to_wgs84()
    groups = groups_of(detections)
    legend = LEGEND if size[0] >= LEGEND * 3 else 0
    box = (0.0, float(HEADER), float(size[0] - legend), float(size[1] - FOOTER))
    view = View.of(detections.bounds(), box)

    big = (size[0] * OVERSAMPLED, size[1] * OVERSAMPLED)
    canvas = image_of.new("RGB", big, GROUND)
    pen = Pen(draw_of.Draw(canvas), need("PIL.ImageFont", PURPOSE))
    labels = _graticule(pen, view)
    _draw(pen, view, detections, groups)
    pen.box((0, 0, size[0], HEADER), PAPER)
    pen.box((0, size[1] - FOOTER, size[0], size[1]), PAPER)
    pen.box((size[0] - legend, 0, size[0], size[1]), PAPER)
    _scale_bar(pen, view)
    if legend:
        _legend(pen, groups, size)
    # Letters are drawn at their final size, where their hinting is meant to be.
    canvas = canvas.resize(size, image_of.Resampling.BOX)
    ink = Pen(draw_of.Draw(canvas), need("PIL.ImageFont", PURPOSE), factor=1)
    for words in (*labels, *pen.later):
        ink.text(words)
    total, files = len(detections), len(detections.sources)
    said = f"{total:,} detection{'s' * (total != 1)} in {files:,} file{'s' * (files != 1)}"
    room = size[0] - 2 * MARGIN
    ink.text(Words(MARGIN, 33, title or default_title(detections), 22, INK), room)
    ink.text(Words(MARGIN, 56, said, 13, SOFT), room)
    ink.text(Words(MARGIN, size[1] - 11, note or PROJECTION, 11, SOFT), room)
    written = BytesIO()
    canvas.save(written, "PNG")
    return written.getvalue()


def _draw(pen: Pen, view: View, detections: Detections, groups: list[Group]) -> None:
    by_name = {(group.product, group.name): group for group in groups}
    marks: list[tuple[float, float, Group]] = []
    for row in detections:
        if row.geometry is None or not is_on_map(row.geometry):
            continue
        group = by_name[row.source.product_type or "", row.detection_class or ""]
        geometry = dict(row.geometry)
        places = [view.place(p[0], p[1]) for p in positions(geometry)]
        x0, x1 = min(x for x, _ in places), max(x for x, _ in places)
        y0, y1 = min(y for _, y in places), max(y for _, y in places)
        if max(x1 - x0, y1 - y0) < SMALLEST:
            marks.append(((x0 + x1) / 2, (y0 + y1) / 2, group))
        else:
            _outline(pen, view, geometry, group)
    for x, y, group in marks:
        pen.mark(x, y, RADIUS + 1.5, group.shape, RIM)
    for x, y, group in marks:
        pen.mark(x, y, RADIUS, group.shape, group.colours[0])


def _outline(pen: Pen, view: View, geometry: dict[str, Any], group: Group) -> None:
    kind, tone = geometry["type"], group.colours[0]
    if kind == "GeometryCollection":
        for member in geometry["geometries"]:
            _outline(pen, view, member, group)
        return
    coordinates = geometry["coordinates"]
    if kind.startswith("Multi"):
        single = kind.removeprefix("Multi")
        for member in coordinates:
            _outline(pen, view, {"type": single, "coordinates": member}, group)
    elif kind == "Point":
        pen.mark(*view.place(coordinates[0], coordinates[1]), RADIUS, group.shape, tone)
    elif kind == "LineString":
        pen.line([view.place(p[0], p[1]) for p in coordinates], tone, 2)
    else:
        # Holes are rare and small in detections: they are drawn as lines over the fill.
        outer, *holes = ([view.place(p[0], p[1]) for p in ring] for ring in coordinates)
        pen.area(outer, _paler(tone), tone)
        for hole in holes:
            pen.area(hole, GROUND, tone)


def _graticule(pen: Pen, view: View) -> list[Words]:
    west, south, east, north = view.edges()
    x0, y0, x1, y1 = view.box
    step = nice((east - west) / (x1 - x0) * 130)
    digits = digits_for(step)
    labels: list[Words] = []
    for lon in multiples(west, east, step):
        x = view.place(lon, 0)[0]
        pen.line([(x, y0), (x, y1)], LINE, 1)
        if x0 + 40 < x < x1 - 60:
            labels.append(Words(x, y0 + 5, say_degrees(lon, "EW", digits), 11, SOFT, "ma"))
    for lat in multiples(south, north, step):
        y = view.place(0, lat)[1]
        pen.line([(x0, y), (x1, y)], LINE, 1)
        if y0 + 30 < y < y1 - 40:
            labels.append(Words(x1 - 6, y, say_degrees(lat, "NS", digits), 11, SOFT, "rm"))
    return labels


def _scale_bar(pen: Pen, view: View) -> None:
    x0, _, _, y1 = view.box
    metres = view.metres()
    length = nice(metres * 60)
    end = x0 + MARGIN + length / metres
    foot = y1 - 18
    pen.line(
        [(x0 + MARGIN, foot - 6), (x0 + MARGIN, foot), (end, foot), (end, foot - 6)], SOFT, 1.5
    )
    said = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"  # noqa: PLR2004  a kilometre
    pen.later.append(Words(x0 + MARGIN + 6, foot - 4, said, 12, SOFT, "ls"))


def _legend(pen: Pen, groups: list[Group], size: tuple[int, int]) -> None:
    left, right, y = size[0] - LEGEND + 22, size[0] - MARGIN, HEADER + 8
    product: str | None = None
    for group in groups:
        if y > size[1] - FOOTER - 34:
            pen.later.append(Words(left, y + 8, "and more", 13, SOFT, "lm"))
            return
        if product != group.product:
            total = sum(g.count for g in groups if g.product == group.product)
            y += 0 if product is None else 12
            pen.later.append(Words(left, y + 8, _cut(group.label), 14, INK, "lm"))
            pen.later.append(Words(right, y + 8, f"{total:,}", 14, INK, "rm"))
            y += 25
            product = group.product
        pen.mark(left + 6, y + 8, 6, group.shape, group.colours[0])
        pen.later.append(Words(left + 22, y + 8, _cut(group.name or "no class"), 13, INK, "lm"))
        pen.later.append(Words(right, y + 8, f"{group.count:,}", 13, SOFT, "rm"))
        y += 22


def _cut(text: str) -> str:
    longest = 17
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _paler(tone: str) -> str:
    mixed = (
        round(int(tone[i : i + 2], 16) * 0.4 + int(GROUND[i : i + 2], 16) * 0.6) for i in (1, 3, 5)
    )
    return "#" + "".join(f"{part:02x}" for part in mixed)
