"""How do detections become a GeoDataFrame that keeps what the files say?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from iceye_derivatives._core.crs import WGS84
from iceye_derivatives.errors import ConfigurationError
from iceye_derivatives.geo._extra import need
from iceye_derivatives.geo._table import table

if TYPE_CHECKING:
    import geopandas
    import pandas as pd

    from iceye_derivatives.geo.detections import Detections

__all__ = ["to_frame"]

PURPOSE = "A GeoDataFrame"
MOMENTS: Final = frozenset({"observed_at", "downloaded_at"})
NUMBERS: Final = frozenset({"confidence"})
_LARGEST: Final = 2**63
_MICRO: Final = 1_000_000


def to_frame(detections: Detections, crs: str | None = None) -> geopandas.GeoDataFrame:
    """See `Detections.to_geodataframe`."""
    geopandas, shapely = need("geopandas", PURPOSE), need("shapely.geometry", PURPOSE)
    systems = {source.crs: source for source in detections.sources}
    if len(systems) > 1:
        detections, native = detections.to_wgs84(), WGS84
    else:
        native = next(iter(systems), WGS84)
    columns = {
        name: _stable(name, values) if name in MOMENTS | NUMBERS else _column(values)
        for name, values in table(detections).items()
    }
    shapes = [None if d.geometry is None else shapely.shape(d.geometry) for d in detections]
    try:
        frame = geopandas.GeoDataFrame(columns, geometry=shapes, crs=native)
        return frame if crs is None else frame.to_crs(crs)
    except need("pyproj.exceptions", PURPOSE).CRSError:
        named = next((f" (of {s.file})" for s in systems.values() if s.crs == native), "")
        raise ConfigurationError(
            f"{native!r}{named} or {crs!r} is no reference system that pyproj knows: give one as "
            "crs='EPSG:…', or correct the file's `crs` member"
        ) from None


def _stable(name: str, values: list[Any]) -> pd.Series[Any]:
    """A column of one type, also where it is empty."""
    pandas = need("pandas", PURPOSE)
    if name in NUMBERS:
        return pandas.Series(values, dtype="float64")
    # In microseconds: nanoseconds end in the year 2262, and files say what they like.
    whole = [None if value is None else round(value * _MICRO) for value in values]
    return pandas.Series(whole, dtype="Int64").astype("datetime64[us]").dt.tz_localize("UTC")


def _column(values: list[Any]) -> pd.Series[Any]:
    """A column of the narrowest type that keeps every value: no integer becomes a float."""
    pandas = need("pandas", PURPOSE)
    kinds = {type(value) for value in values if value is not None}
    gaps = any(value is None for value in values)
    if kinds == {bool}:
        return pandas.Series(values, dtype="boolean" if gaps else "bool")
    if kinds == {int} and all(-_LARGEST <= v < _LARGEST for v in values if v is not None):
        return pandas.Series(values, dtype="Int64" if gaps else "int64")
    if kinds == {float}:
        return pandas.Series(values, dtype="float64")
    return pandas.Series(values, dtype="object")
