"""In which coordinate reference system are a file's coordinates?

RFC 7946 knows one only, "World Geodetic System 1984 … longitude and latitude units of decimal
degrees".  The GeoJSON of 2008 had a `crs` member, and vendors of radar detections still write
UTM with it, so one that is there is believed.
"""

from __future__ import annotations

import re
from typing import Any, Final

__all__ = ["WGS84", "crs_of"]

WGS84: Final = "EPSG:4326"
"""In the order of GeoJSON and GeoPandas: longitude, latitude."""

_EPSG = re.compile(
    r"(?:urn:(?:x-)?ogc:def:crs:EPSG:[^:]*:"  # urn:ogc:def:crs:EPSG::32631
    r"|https?://www\.opengis\.net/def/crs/EPSG/[^/]+/"
    r"|https?://www\.opengis\.net/gml/srs/epsg\.xml#"
    r"|EPSG:{1,2})"
    r"(?P<code>[0-9]{1,9})/?",
    re.IGNORECASE | re.ASCII,
)
# OGC's CRS 84 is WGS 84 with longitude first, which is what GeoJSON means anyway.
_CRS84 = re.compile(
    r"(?:urn:(?:x-)?ogc:def:crs:OGC:[^:]*:|https?://www\.opengis\.net/def/crs/OGC/[^/]+/|OGC:)?"
    r"(?:CRS:?84|WGS ?84)",
    re.IGNORECASE | re.ASCII,
)


def crs_of(document: dict[str, Any]) -> str:
    """``EPSG:<code>``, or what the file says as it says it; `WGS84` where it says nothing.

    Reading never fails for an odd name: whoever wants other coordinates will be told.
    """
    crs = document.get("crs")
    if not isinstance(crs, dict):
        return WGS84
    properties = crs.get("properties")
    if not isinstance(properties, dict):
        return WGS84
    name = next(
        (properties[key] for key in ("name", "code", "href") if properties.get(key) is not None),
        None,
    )
    if crs.get("type") == "EPSG" and type(name) is int:
        name = f"EPSG:{name}"
    return WGS84 if name is None else _short(str(name).strip())


def _short(name: str) -> str:
    if found := _EPSG.fullmatch(name):
        return f"EPSG:{int(found['code'])}"
    return WGS84 if _CRS84.fullmatch(name) or not name else name
