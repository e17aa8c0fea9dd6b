"""What can a file of detections hold: GeoJSON from the ordinary to the hostile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

TASK = "7f-1"
HOSTILE = {
    "class": "</script><script>document.title='owned'</script>",
    "<img src=x onerror=alert(1)>": "<svg onload=alert(1)>",
    "link": "javascript:alert(1)",
    "turned": "abc\u202egnp.exe",
    "quotes": "\"'`&amp;{{title}}",
    "html": "<!--<script>",
    "lone": "\ud800",
    "huge": 12345678901234567890,
    "nested": {"a": [1, None, "</script>"]},
    "line": "one\ntwo\u2028three",
}
"""Properties that try to become markup, script, a link or another text."""


def feature(lon: float, lat: float, **properties: Any) -> dict[str, Any]:
    """A point with properties."""
    point = {"type": "Point", "coordinates": [lon, lat]}
    return {"type": "Feature", "geometry": point, "properties": properties}


def collection(*features: dict[str, Any], **members: Any) -> dict[str, Any]:
    """A FeatureCollection."""
    return {"type": "FeatureCollection", "features": list(features), **members}


def write(folder: Path, document: object, name: str = "DC_VESSELS_0d-2.geojson") -> Path:
    """A file in its task's folder."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), "utf-8")
    return path


def utm(*features: dict[str, Any]) -> dict[str, Any]:
    """As other vendors of radar detections ship them: metres, and a `crs` member."""
    name = "urn:ogc:def:crs:EPSG::32631"
    return collection(*features, crs={"type": "name", "properties": {"name": name}})


texts = st.text(st.characters(codec=None, categories=None), max_size=12)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
)
names = st.sampled_from(
    ["class", "label", "confidence", "score", "timestamp", "task_id", "geometry", "Class", "fid"]
)
properties = st.dictionaries(names | texts, values, max_size=5)
numbers = st.floats(-170, 170) | st.floats(allow_nan=False) | st.integers()
positions = st.lists(numbers, min_size=2, max_size=4)
rings = st.lists(positions, max_size=5)
shapes = st.one_of(
    st.tuples(st.just("Point"), positions),
    st.tuples(st.sampled_from(["MultiPoint", "LineString"]), rings),
    st.tuples(st.sampled_from(["Polygon", "MultiLineString"]), st.lists(rings, max_size=2)),
    st.tuples(st.just("MultiPolygon"), st.lists(st.lists(rings, max_size=2), max_size=2)),
    st.tuples(st.sampled_from(["Point", "Polygon", "Circle"]), values),
).map(lambda pair: {"type": pair[0], "coordinates": pair[1]})
geometries = st.recursive(
    shapes,
    lambda inner: st.lists(inner, max_size=2).map(
        lambda members: {"type": "GeometryCollection", "geometries": members}
    ),
    max_leaves=3,
)
features = st.fixed_dictionaries(
    {"type": st.just("Feature"), "geometry": st.none() | geometries},
    optional={"properties": st.none() | properties, "id": scalars},
)
crs_members = st.sampled_from(
    [None, {}, {"type": "name", "properties": {"name": "EPSG:4326"}}, {"properties": None}, "x", 7]
)
collections = st.fixed_dictionaries(
    {"type": st.just("FeatureCollection"), "features": st.lists(features, max_size=4)},
    optional={"crs": crs_members, "name": values},
)
bare = geometries.filter(
    lambda g: isinstance(g.get("coordinates", []), list) and g["type"] != "Circle"
)
documents = collections | features | bare
"""Any GeoJSON object, as far as its top level goes: what a download has checked."""


def features_in(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The features of a document; a bare geometry is one without properties."""
    if document["type"] == "FeatureCollection":
        return list(document["features"])
    return [document if document["type"] == "Feature" else {}]
