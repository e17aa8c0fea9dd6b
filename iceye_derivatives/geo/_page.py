"""How do detections become one page that needs no network and trusts no property?

All that comes from files goes into the page as JSON in a data block, with ``<``, ``>`` and ``&``
escaped, and out of it as text nodes.  A policy lets only the page's own scripts and styles run,
named by their SHA-256, and lets no request out but for a basemap that somebody asked for.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from iceye_derivatives.errors import ConfigurationError
from iceye_derivatives.geo._legend import Group, default_title, groups_of
from iceye_derivatives.geo._values import Detection, Source, is_on_map

if TYPE_CHECKING:
    from iceye_derivatives.geo.detections import Detections

__all__ = ["page_data", "render_frame", "render_page"]

SCRIPTS: Final = (
    "1_data.js",
    "2_marks.js",
    "3_layer.js",
    "4_graticule.js",
    "5_filters.js",
    "6_card.js",
    "7_main.js",
)
_PLACEHOLDER: Final = re.compile(r"\{\{(\w+)\}\}")
_ESCAPES: Final = str.maketrans({"<": r"\u003c", ">": r"\u003e", "&": r"\u0026"})
_PARTS: Final = {"Point": 0, "LineString": 1, "Polygon": 2}
_CENTIMETRE: Final = 7
"""Decimals of a degree."""


def render_page(
    detections: Detections,
    *,
    title: str | None = None,
    basemap: str | None = None,
    attribution: str = "",
) -> str:
    """See `Detections.to_html`."""
    images = "" if basemap is None else f" {_origin(basemap)}"
    data = page_data(detections)
    data["basemap"] = basemap and {"url": basemap, "attribution": attribution}
    style, leaflet, script = _own()
    parts = {
        "policy": (
            f"default-src 'none'; script-src {_hash(leaflet)} {_hash(script)}; "
            f"style-src {_hash(style)}; img-src data:{images}; base-uri 'none'; form-action 'none'"
        ),
        "title": _as_text(title or default_title(detections)),
        "style": style,
        "leaflet": leaflet,
        "script": script,
        "data": json.dumps(data, separators=(",", ":")).translate(_ESCAPES),
    }
    # One pass: what is put in is not looked at again.
    return _PLACEHOLDER.sub(lambda found: parts[found[1]], _read("page/page.html"))


def render_frame(detections: Detections, *, height: int) -> str:
    """The page in a frame for notebooks; the sandbox gives it an origin of its own."""
    return (
        f'<iframe title="Map of detections" srcdoc="{escape(render_page(detections))}" '
        'sandbox="allow-scripts" referrerpolicy="no-referrer" '
        f'style="width:100%;height:{height}px;border:0;border-radius:10px"></iframe>'
    )


def page_data(detections: Detections) -> dict[str, Any]:
    """All that the page's scripts read, in few words: keys and files are said once."""
    detections = detections.to_wgs84()
    groups = groups_of(detections)
    number = {(group.product, group.name): index for index, group in enumerate(groups)}
    files_of = {source: index for index, source in enumerate(detections.sources)}
    shapes: dict[tuple[str, ...], int] = {}
    # Two clocks are never mixed on one axis: that of the satellite wins where any file tells it.
    observed = any(row.observed is not None for row in detections)
    rows = [
        [
            number[row.source.product_type or "", row.detection_class or ""],
            files_of[row.source],
            row.confidence,
            row.observed if observed else row.source.downloaded,
            row.id,
            _parts(row),
            shapes.setdefault(tuple(row.properties), len(shapes)),
            [_said(value) for value in row.properties.values()],
        ]
        for row in detections
    ]
    return {
        "groups": [_group_data(group) for group in groups],
        "sources": [_source_data(source) for source in detections.sources],
        "time": "observed" if observed else "downloaded",
        "shapes": list(shapes),
        "rows": rows,
    }


def _group_data(group: Group) -> dict[str, Any]:
    return {
        "product": group.product,
        "label": group.label,
        "name": group.name,
        "shape": group.shape,
        "colours": group.colours,
    }


def _source_data(source: Source) -> dict[str, Any]:
    return {
        "file": source.file,
        "task": source.task_id,
        "product": source.product_type,
        "derivative": source.derivative_id,
        "downloaded": source.downloaded,
    }


def _parts(row: Detection) -> list[list[Any]]:
    """What is to be drawn, as points, lines and polygons only."""
    if row.geometry is None or not is_on_map(row.geometry):
        return []
    return list(_simple(dict(row.geometry)))


def _simple(geometry: dict[str, Any]) -> list[list[Any]]:
    kind = geometry["type"]
    if kind == "GeometryCollection":
        return [part for member in geometry["geometries"] for part in _simple(member)]
    coordinates = _rounded(geometry["coordinates"])
    if kind in _PARTS:
        return [[_PARTS[kind], coordinates]]
    return [[_PARTS[kind.removeprefix("Multi")], member] for member in coordinates]


def _rounded(coordinates: list[Any]) -> list[Any]:
    if isinstance(coordinates[0], list):
        return [_rounded(member) for member in coordinates]
    return [round(number, _CENTIMETRE) for number in coordinates[:2]]


def _said(value: object) -> str | None:
    """A property's value as a person shall read it: numbers are not left to a browser to round."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _origin(basemap: str) -> str:
    """The one host that a page with this basemap may load pictures from, as a policy names it."""
    try:
        parts = urlsplit(basemap)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    # A name of its own for each of a few parallel hosts is written {s}, at the front only.
    plain = host.replace("{s}", "*", 1) if host.startswith("{s}.") else host
    proper = re.fullmatch(r"(\*\.)?[a-z0-9.-]+", plain, re.ASCII)
    placed = all(f"{{{axis}}}" in basemap for axis in "zxy") or "{-y}" in basemap
    if not (proper and placed and parts.scheme in {"http", "https"} and "@" not in parts.netloc):
        raise ConfigurationError(
            f"{basemap!r} is no template of map tiles: give one like "
            "https://tiles.example/{z}/{x}/{y}.png"
        )
    return f"{parts.scheme}://{plain}" + (f":{port}" if port else "")


def _as_text(title: str) -> str:
    # UTF-8 has no lone surrogates, which JSON can spell.
    return escape(title.encode("utf-8", "replace").decode())


@cache
def _own() -> tuple[str, str, str]:
    """The page's style, Leaflet, and the page's scripts."""
    style = _read("vendor/leaflet/leaflet.css") + _read("page/page.css")
    # Its last line would have the tools of a browser fetch a map of its source.
    leaflet = re.sub(r"\n//# sourceMappingURL=.*", "", _read("vendor/leaflet/leaflet.js"))
    return style, leaflet, "".join(_read(f"page/{name}") for name in SCRIPTS)


def _read(name: str) -> str:
    text = (files("iceye_derivatives.geo") / name).read_text("utf-8")
    return text.replace("\r\n", "\n")  # as the browser will, before it takes the hash


@cache
def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
