"""What was detected, in which files, as plain values that need no other package?"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

from iceye_derivatives._core.crs import WGS84
from iceye_derivatives.geo._files import Place, find_files
from iceye_derivatives.geo._geojson import positions
from iceye_derivatives.geo._reading import insist_on, read_file
from iceye_derivatives.geo._reproject import to_wgs84
from iceye_derivatives.geo._values import Detection, Source, is_on_map

if TYPE_CHECKING:
    import geopandas

__all__ = ["Detections"]

NOTEBOOK_HEIGHT = 560
"""Pixels."""


def _how_many(values: tuple[object, ...]) -> str:
    return str(len(values))


@frozen(kw_only=True)
class Detections:
    """All detections of some files, in the order of the files.

    It needs no package but this one; `to_geodataframe`, `to_png` and coordinates other than WGS 84
    need the extra ``geo``.

    Example:
        >>> found = Detections.read("tests/data/detections")  # doctest: +SKIP
        >>> found.counts()  # doctest: +SKIP
        {'DC_VESSELS': {'cargo': 12, 'tanker': 3}}
    """

    detections: tuple[Detection, ...] = field(default=(), repr=_how_many)
    sources: tuple[Source, ...] = field(default=(), repr=_how_many)
    """The files that were read, also those in which nothing was detected."""

    @classmethod
    def read(
        cls,
        places: Place | Iterable[Place],
        *,
        class_property: str | None = None,
        confidence_property: str | None = None,
    ) -> Detections:
        """Read files, folders of tasks, or what a `DownloadReport` lists.

        Only whole files are read, never a ``.part``.  Which product a file is of is told by the
        journal beside it, else by its name.  It blocks: call it in a thread from async code.

        Args:
            places: One of them or many; folders are searched to their bottom for ``*.geojson``.
                What `export` wrote there is passed over, as its detections are those of the files
                beside it; name that file to read it.
            class_property: The property that holds the class; None looks for one in each file
                (``class``, ``label``, ``classification…``: see ``docs/how-to/detections.md``).
            confidence_property: The same for the confidence.

        Raises:
            DetectionsError: a file is no GeoJSON.
            ConfigurationError: no detection has the property that was named, or a report names a
                file that is not there.
            OSError: a place does not exist or cannot be read.
        """
        sources: list[Source] = []
        detections: list[Detection] = []
        for file in find_files(places):
            source, found = read_file(file, class_property, confidence_property)
            sources.append(source)
            detections.extend(found)
        for name in (class_property, confidence_property):
            insist_on(name, detections)
        return cls(detections=tuple(detections), sources=tuple(sources))

    def __len__(self) -> int:
        return len(self.detections)

    def __iter__(self) -> Iterator[Detection]:
        return iter(self.detections)

    def counts(self) -> dict[str, dict[str, int]]:
        """How many there are of each class in each product, the most frequent first.

        What is not known (no class, a file of no product) is counted under ``""``.
        """
        found: dict[str, Counter[str]] = {}
        for source in self.sources:
            found.setdefault(source.product_type or "", Counter())
        for detection in self.detections:
            product = detection.source.product_type or ""
            found.setdefault(product, Counter())[detection.detection_class or ""] += 1
        return {
            product: dict(sorted(classes.items(), key=lambda entry: (-entry[1], entry[0])))
            for product, classes in sorted(found.items())
        }

    def to_wgs84(self) -> Detections:
        """The same with longitudes and latitudes in degrees.

        Raises:
            ConfigurationError: pyproj (extra ``geo``) is missing and a file is not in WGS 84, or
                a file's reference system is not known.
        """
        moves = {source: to_wgs84(source.crs, source.file) for source in self.sources}
        if all(source.crs == WGS84 for source in self.sources):
            return self
        there = {source: evolve(source, crs=WGS84) for source in self.sources}
        return Detections(
            detections=tuple(
                evolve(
                    detection,
                    source=there[detection.source],
                    geometry=moves[detection.source](detection.geometry),  # type: ignore[arg-type]
                )
                for detection in self.detections
            ),
            sources=tuple(there.values()),
        )

    def bounds(self) -> tuple[float, float, float, float] | None:
        """West, south, east and north in degrees of all that a map can show; None for nothing."""
        corners = [
            (position[0], position[1])
            for detection in self.to_wgs84()
            if detection.geometry is not None and is_on_map(detection.geometry)
            for position in positions(dict(detection.geometry))
        ]
        if not corners:
            return None
        east, north = zip(*corners, strict=True)
        return min(east), min(north), max(east), max(north)

    def to_geodataframe(self, crs: str | None = None) -> geopandas.GeoDataFrame:
        """A GeoDataFrame: `read_detections` tells of its columns.

        Args:
            crs: The reference system to give it; None keeps the one that all files share, and
                takes WGS 84 where they differ.

        Raises:
            ConfigurationError: the extra ``geo`` is missing, or a reference system is not known.
        """
        from iceye_derivatives.geo._frame import to_frame  # noqa: PLC0415  a cycle otherwise

        return to_frame(self, crs)

    def export(self, path: str | os.PathLike[str]) -> Path:
        """Write ``.parquet``, ``.gpkg``, ``.csv`` or ``.geojson``; what was there is replaced.

        The file appears under its name when it is whole.  In CSV, a text that begins with ``=``,
        ``+``, ``-``, ``@``, ``'``, a tab or a line break has one ``'`` more in front, so that no
        spreadsheet takes it for a formula; take that one away to have the text again.

        Raises:
            ConfigurationError: the suffix is none of these, or the extra ``geo`` is missing.
            OSError: the disk refuses.
        """
        from iceye_derivatives.geo._export import export  # noqa: PLC0415  a cycle otherwise

        return export(self, Path(path))

    def to_html(
        self, *, title: str | None = None, basemap: str | None = None, attribution: str = ""
    ) -> str:
        """One self-contained page with a map: no request leaves it, unless for a basemap.

        Args:
            title: None makes one of the products.
            basemap: A template of tiles (``https://tiles.example/{z}/{x}/{y}.png``); the only
                host that the page may then talk to.
            attribution: What the basemap's owner wants to be said, as plain text.

        Raises:
            ConfigurationError: the basemap is no such template, or see `to_wgs84`.
        """
        from iceye_derivatives.geo._page import render_page  # noqa: PLC0415  a cycle otherwise

        return render_page(self, title=title, basemap=basemap, attribution=attribution)

    def to_png(
        self, *, title: str | None = None, width: int = 1200, height: int = 800, note: str = ""
    ) -> bytes:
        """A still picture for a report: detections by class, scale bar, legend with counts.

        The same detections give the same picture on the same versions of Pillow.

        Args:
            title: None makes one of the products.
            width: Pixels, 320 at least.
            height: Pixels, 240 at least.
            note: A line below the map, such as an attribution.

        Raises:
            ConfigurationError: the extra ``geo`` is missing, or see `to_wgs84`.
        """
        from iceye_derivatives.geo._picture import render_picture  # noqa: PLC0415  a cycle

        return render_picture(self, title=title, size=(width, height), note=note)

    def _repr_html_(self) -> str:
        """The map in a notebook, in a frame that can reach neither the notebook nor the network."""
        from iceye_derivatives.geo._page import render_frame  # noqa: PLC0415  a cycle otherwise

        return render_frame(self, height=NOTEBOOK_HEIGHT)
