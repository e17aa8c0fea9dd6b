"""What do the models find: plausible detections that follow from a seed.

Not ICEYE's schema, of which nothing public was found, but what any such file holds: a GeoJSON
FeatureCollection (RFC 7946) in WGS 84 with a class, a confidence, a size and a heading each.
"""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any

from attrs import frozen

from iceye_derivatives.simulator.notation import new_uuid
from iceye_derivatives.simulator.sightings import SCENES, Ground, Sighting

if TYPE_CHECKING:
    from collections.abc import Iterator

_COLUMNS = ("detection_id", "class", "confidence", "length_m", "width_m", "heading_deg")


@frozen(kw_only=True)
class Subject:
    """What a file is about: the same subject gives the same bytes.

    Attributes:
        seed: Anything; another seed gives another scene.
        product_type: Which models looked; an unknown type sees vehicles.
        lat: Latitude of the point of interest in degrees.
        lon: Longitude of the point of interest in degrees.
        count: How many detections there are; 0 gives an empty collection.
    """

    seed: str
    product_type: str
    lat: float
    lon: float
    count: int


def feature_collection(subject: Subject) -> dict[str, Any]:
    """Give the detections as a GeoJSON FeatureCollection."""
    ground = Ground.near(subject.lat, subject.lon)
    features = [
        {
            "type": "Feature",
            "id": properties["detection_id"],
            "geometry": ground.geometry(sighting),
            "properties": properties,
        }
        for sighting, properties in _sightings(subject)
    ]
    return {"type": "FeatureCollection", "features": features}


def render(subject: Subject, asset_type: str) -> bytes:
    """Give a file's bytes: "geojson", or the same detections as a CSV table for all others."""
    if asset_type == "geojson":
        return json.dumps(feature_collection(subject), separators=(",", ":")).encode()
    rows = [",".join(_COLUMNS)]
    rows += [
        ",".join(str(properties[column]) for column in _COLUMNS)
        for _, properties in _sightings(subject)
    ]
    return "\n".join([*rows, ""]).encode()


def _sightings(subject: Subject) -> Iterator[tuple[Sighting, dict[str, Any]]]:
    random = Random(subject.seed)  # noqa: S311 (a scene that can be repeated, nothing secret)
    scene = SCENES.get(subject.product_type, SCENES["DC_VEHICLES"])
    for number, sighting in enumerate(scene(random, subject.count)):
        yield (
            sighting,
            {
                "detection_id": new_uuid(subject.seed, number),
                "class": sighting.name,
                "confidence": round(sighting.confidence, 3),
                "length_m": round(sighting.length, 1),
                "width_m": round(sighting.width, 1),
                "heading_deg": round(sighting.heading % 360, 1) % 360,
            },
        )
