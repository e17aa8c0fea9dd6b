"""What does one file of detections say?"""

from __future__ import annotations

from collections.abc import Sequence

from iceye_derivatives._core.crs import crs_of
from iceye_derivatives._core.geojson_rules import NotGeoJson
from iceye_derivatives._core.meaning import (
    CLASS_CANDIDATES,
    CONFIDENCE_CANDIDATES,
    TIME_CANDIDATES,
    as_class,
    as_confidence,
    as_moment,
    find_property,
)
from iceye_derivatives.errors import ConfigurationError, DetectionsError
from iceye_derivatives.geo._files import FoundFile
from iceye_derivatives.geo._geojson import features_of, parse
from iceye_derivatives.geo._values import Detection, Source

__all__ = ["insist_on", "read_file"]


def read_file(
    file: FoundFile, class_property: str | None, confidence_property: str | None
) -> tuple[Source, list[Detection]]:
    """The file and its detections; see `Detections.read`.

    Raises:
        DetectionsError: it is no GeoJSON.
        OSError: it cannot be read.
    """
    try:
        document = parse(file.path.read_bytes())
    except NotGeoJson as reason:
        raise DetectionsError(
            f"{file.path} cannot be read as GeoJSON, since {reason}: `iceye-derivatives verify` "
            "tells what has changed since its download",
            path=str(file.path),
        ) from None
    source = Source(
        path=str(file.path), asset=file.asset, downloaded=file.downloaded, crs=crs_of(document)
    )
    features = list(features_of(document))
    properties = [feature.properties for feature in features]
    named = class_property or find_property(properties, CLASS_CANDIDATES) or ""
    sure = confidence_property or find_property(properties, CONFIDENCE_CANDIDATES) or ""
    seen = find_property(properties, TIME_CANDIDATES) or ""
    return source, [
        Detection(
            source=source,
            id=feature.id,
            geometry=feature.geometry,
            properties=feature.properties,
            detection_class=as_class(feature.properties.get(named)),
            confidence=as_confidence(feature.properties.get(sure)),
            observed=as_moment(feature.properties.get(seen)),
        )
        for feature in features
    ]


def insist_on(name: str | None, detections: Sequence[Detection]) -> None:
    """A property that the caller named must be there: a slip of the pen is no empty column.

    Raises:
        ConfigurationError: no detection has it.
    """
    if name is None or not detections or any(name in row.properties for row in detections):
        return
    there = sorted({name for row in detections for name in row.properties})
    raise ConfigurationError(
        f"No detection has a property {name!r}; there are: {', '.join(there) or 'none at all'}"
    )
