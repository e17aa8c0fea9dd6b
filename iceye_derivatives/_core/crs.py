"""In which coordinate reference system are a GeoJSON document's coordinates?

RFC 7946 knows one only, "World Geodetic System 1984 … longitude and latitude units of decimal
degrees".  The GeoJSON of 2008 had a `crs` member, and vendors of radar detections still write
UTM with it, so one that names a system is believed.  One that names none is passed over, as the RFC
passes over all of them: where the coordinates are no degrees, whoever reads them will notice.

The catalogue, frames, exports and the map all ask here, so that no two of them place a file in
different parts of the Earth.
"""

from __future__ import annotations

import re
from typing import Any, Final

__all__ = ["WGS84", "crs_of"]

WGS84: Final = "EPSG:4326"
"""In the order of GeoJSON and GeoPandas, whatever the register says: longitude, latitude."""

_EPSG = re.compile(
    r"(?:urn:(?:x-)?ogc:def:crs:EPSG:[^:]*:"  # urn:ogc:def:crs:EPSG::32631
    r"|https?://www\.opengis\.net/def/crs/EPSG/[^/]+/"
    r"|https?://www\.opengis\.net/gml/srs/epsg\.xml#"
    r"|EPSG:{1,2})"
    r"(?P<code>[0-9]{1,9})/?",
    re.IGNORECASE | re.ASCII,
)
# OGC's CRS 84 is WGS 84 with longitude first, which is what GeoJSON means anyway; its CRS 84h and
# EPSG's 4979 have heights as well, which are looked at by nobody here.
_CRS84 = re.compile(
    r"(?:urn:(?:x-)?ogc:def:crs:OGC:[^:]*:|https?://www\.opengis\.net/def/crs/OGC/[^/]+/|OGC:)?"
    r"(?:CRS:?84h?|WGS ?84)",
    re.IGNORECASE | re.ASCII,
)
_WITH_HEIGHTS: Final = "EPSG:4979"


def crs_of(document: Any) -> str:  # noqa: ANN401 - any JSON
    """``EPSG:<code>``, or what the document says as it says it; `WGS84` where it says nothing.

    It never fails for an odd name: whoever wants other coordinates will be told.
    """
    crs = document.get("crs") if isinstance(document, dict) else None
    properties = crs.get("properties") if isinstance(crs, dict) else None
    if not isinstance(crs, dict) or not isinstance(properties, dict):
        return WGS84
    for key in ("name", "code", "href"):
        said = properties.get(key)
        # {"type": "EPSG", "properties": {"code": 4326}}, from before even 2008.
        if type(said) is int and crs.get("type") == "EPSG":
            said = f"EPSG:{said}"
        if isinstance(said, str) and said.strip():
            return _short(said.strip())
    return WGS84


def _short(name: str) -> str:
    if _CRS84.fullmatch(name):
        return WGS84
    found = _EPSG.fullmatch(name)
    short = f"EPSG:{int(found['code'])}" if found else name
    return WGS84 if short == _WITH_HEIGHTS else short
