"""How do detections become a file for other programs, whole or not at all?"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from iceye_derivatives.errors import ConfigurationError
from iceye_derivatives.geo._extra import need
from iceye_derivatives.geo._frame import MOMENTS, to_frame
from iceye_derivatives.geo._mark import write_export
from iceye_derivatives.geo._table import table
from iceye_derivatives.geo._values import moment
from iceye_derivatives.geo._whole import made_whole
from iceye_derivatives.geo._wkt import middle, wkt

if TYPE_CHECKING:
    import geopandas
    import pandas as pd

    from iceye_derivatives.geo.detections import Detections

__all__ = ["SUFFIXES", "export"]

PLACE: Final = ("longitude", "latitude", "wkt")
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
_GEOPACKAGE_OWN: Final = frozenset({"fid", "geom"})


def export(detections: Detections, path: Path) -> Path:
    """See `Detections.export`."""
    writer = _WRITERS.get(path.suffix.lower())
    if writer is None:
        raise ConfigurationError(
            f"{path.name!r} does not tell the format by its suffix: it is one of "
            f"{', '.join(SUFFIXES)}"
        )
    with made_whole(path) as new:
        writer(detections, new)
    return path


def _write_parquet(detections: Detections, path: Path) -> None:
    need("pyarrow", "GeoParquet")
    _plain(to_frame(detections)).to_parquet(path, index=False)


def _write_geopackage(detections: Detections, path: Path) -> None:
    frame = _plain(to_frame(detections))
    # SQLite's names fold case, and two are GDAL's own.
    taken = set(_GEOPACKAGE_OWN)
    names = {}
    for name in frame.columns:
        new = str(name)
        while new.casefold() in taken:
            new += "_"
        taken.add(new.casefold())
        names[name] = new
    frame = frame.rename(columns=names).set_geometry(names["geometry"])
    frame.to_file(path, driver="GPKG", layer="detections", engine="pyogrio")


def _write_csv(detections: Detections, path: Path) -> None:
    """In WGS 84, with a place that spreadsheets read and one that GIS programs read.

    No text begins as a spreadsheet's formula does: properties are whatever the file says.
    """
    detections = detections.to_wgs84()
    columns = table(detections, reserved=PLACE)
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*map(_text, columns), *PLACE])
        for row, *values in zip(detections, *columns.values(), strict=True):
            cells = [_cell(name, v) for name, v in zip(columns, values, strict=True)]
            geometry = None if row.geometry is None else dict(row.geometry)
            place = ("", "", "") if geometry is None else (*middle(geometry), wkt(geometry))
            writer.writerow([*cells, *place])


def _write_geojson(detections: Detections, path: Path) -> None:
    """In WGS 84, as RFC 7946 wants it."""
    detections = detections.to_wgs84()
    columns = table(detections, reserved=())
    features = [
        {
            "type": "Feature",
            **({} if row.id is None else {"id": row.id}),
            "geometry": row.geometry,
            "properties": {
                name: _iso(value) if name in MOMENTS else value
                for name, value in zip(columns, values, strict=True)
            },
        }
        for row, *values in zip(detections, *columns.values(), strict=True)
    ]
    write_export(path, features)


_WRITERS: Final[dict[str, Callable[[Any, Path], None]]] = {
    ".parquet": _write_parquet,
    ".gpkg": _write_geopackage,
    ".csv": _write_csv,
    ".geojson": _write_geojson,
}
SUFFIXES: Final = tuple(_WRITERS)


def _plain(frame: geopandas.GeoDataFrame) -> geopandas.GeoDataFrame:
    """The frame with texts where a column holds what no database has one type for."""
    for name in frame.columns:
        if frame[name].dtype == "object":
            frame[name] = _as_texts(frame[name])
    return frame


def _as_texts(column: pd.Series[Any]) -> pd.Series[Any]:
    pandas = need("pandas", "An export")
    values = [None if v is None else v if isinstance(v, str) else json.dumps(v) for v in column]
    clean = [v and v.encode("utf-8", "backslashreplace").decode() for v in values]
    return pandas.Series(clean, index=column.index, dtype="str")


def _cell(name: str, value: object) -> object:
    if name in MOMENTS:
        return _iso(value)
    if isinstance(value, str):
        return _text(value)
    return json.dumps(value) if isinstance(value, dict | list | bool) else value


def _text(value: str) -> str:
    # The apostrophe itself, too, so that whoever takes one away has what was there.
    return f"'{value}" if value.startswith(_FORMULAS) else value


def _iso(value: Any) -> str | None:  # noqa: ANN401  a number or None
    found = moment(value)
    return None if found is None else found.isoformat().replace("+00:00", "Z")
