"""Where are the detections: as a GeoDataFrame, in files for a GIS, on a map?

`Detections` reads what was downloaded and needs no other package; `read_detections()` gives a
GeoDataFrame and needs the extra ``geo``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from iceye_derivatives.geo._files import Place
from iceye_derivatives.geo._values import Detection, Source
from iceye_derivatives.geo.detections import Detections

if TYPE_CHECKING:
    import geopandas

__all__ = ["Detection", "Detections", "Source", "read_detections"]


def read_detections(
    places: Place | Iterable[Place],
    *,
    class_property: str | None = None,
    confidence_property: str | None = None,
    crs: str | None = None,
) -> geopandas.GeoDataFrame:
    """Read files, folders of tasks, or a `DownloadReport` into one GeoDataFrame.

    These columns are always there, also where nothing was detected: ``task_id``,
    ``derivative_id``, ``product_type``, ``asset_type``, ``source_file``, ``feature_id``,
    ``detection_class``, ``confidence``, ``observed_at``, ``downloaded_at`` and ``geometry``.  All
    properties of the files stand beside them, as they are; one that is called like a column above
    has ``_property`` appended, unless it is what the column was read from.

    It blocks: from async code, ``await anyio.to_thread.run_sync(read_detections, folder)``.

    Args:
        places: One of them or many; folders are searched to their bottom for ``*.geojson``.
        class_property: The property that holds the class; None looks for one in each file.
        confidence_property: The same for the confidence.
        crs: The reference system to give the frame; None keeps the one that all files share, and
            takes WGS 84 where they differ.

    Raises:
        ConfigurationError: the extra ``geo`` is missing, a property or reference system that was
            named is not there, or a report names a file that is not on the disk.
        DetectionsError: a file is no GeoJSON.
        OSError: a place does not exist or cannot be read.

    Example:
        >>> frame = read_detections("detections")  # doctest: +SKIP
        >>> frame[frame.confidence > 0.8].detection_class.value_counts()  # doctest: +SKIP
    """
    found = Detections.read(
        places, class_property=class_property, confidence_property=confidence_property
    )
    return found.to_geodataframe(crs)
