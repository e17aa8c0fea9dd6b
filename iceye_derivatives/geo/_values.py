"""What is one detection, and what is the file that it comes from?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from iceye_derivatives._core.crs import WGS84
from iceye_derivatives.geo._geojson import positions
from iceye_derivatives.models import AssetRef

__all__ = ["Detection", "Source", "is_on_map", "moment"]

_NORTH_OF_MAPS: Final = 85.06
_EAST_OF_MAPS: Final = 540.0
"""Degrees: where Mercator's maps end, and how far round the world a longitude may go."""


@frozen(kw_only=True)
class Source:
    """One file that was read."""

    path: str
    asset: AssetRef | None = None
    """Whose file it is; None where neither a journal nor its name tells."""
    downloaded: float | None = None
    """Unix seconds at which the file was whole, where a journal tells."""
    crs: str = WGS84
    """Of its coordinates: ``EPSG:<code>``, or what the file says where that is none."""

    @property
    def task_id(self) -> str | None:
        """None where it is not known."""
        return None if self.asset is None else self.asset.task_id

    @property
    def derivative_id(self) -> str | None:
        """None where it is not known."""
        return None if self.asset is None else self.asset.derivative_id

    @property
    def product_type(self) -> str | None:
        """``DC_VESSELS``; None where it is not known."""
        return None if self.asset is None else self.asset.product_type

    @property
    def asset_type(self) -> str | None:
        """``geojson``; None where it is not known."""
        return None if self.asset is None else self.asset.asset_type

    @property
    def file(self) -> str:
        """Its name with its folder's: ``<task id>/<product type>_<derivative id>.geojson``."""
        return "/".join(Path(self.path).parts[-2:])


@frozen(kw_only=True)
class Detection:
    """One feature of one file."""

    source: Source
    id: str | None
    geometry: Mapping[str, Any] | None
    """GeoJSON in the coordinates of ``source.crs``; None where none, or none that is valid."""
    properties: Mapping[str, Any]
    """All of them, as the file has them."""
    detection_class: str | None = None
    confidence: float | None = None
    observed: float | None = None
    """Unix seconds of the moment that its properties name, where they name one."""


def is_on_map(geometry: Mapping[str, Any]) -> bool:
    """Whether its coordinates can be longitudes and latitudes of a map in Mercator's projection.

    Metres in a file without a `crs` member are sorted out here, or they would stretch the map to
    the pole.
    """
    return all(
        abs(position[0]) <= _EAST_OF_MAPS and abs(position[1]) <= _NORTH_OF_MAPS
        for position in positions(dict(geometry))
    )


def moment(seconds: float | None) -> datetime | None:
    """Unix seconds as a moment in UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
