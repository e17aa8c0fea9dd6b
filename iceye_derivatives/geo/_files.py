"""Which whole files of detections are there, and whose are they?"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Final

from attrs import frozen

from iceye_derivatives._core.content import is_geojson
from iceye_derivatives._core.journal import LARGEST, Journal, join_page, read_journal
from iceye_derivatives._core.plan import page_name, read_file_name
from iceye_derivatives.errors import ConfigurationError
from iceye_derivatives.events import DownloadReport
from iceye_derivatives.geo._mark import is_export
from iceye_derivatives.models import AssetRef

__all__ = ["FoundFile", "Place", "find_files"]

Place = str | os.PathLike[str] | DownloadReport
SUFFIX: Final = ".geojson"


@frozen(kw_only=True)
class FoundFile:
    """A file of detections."""

    path: Path
    asset: AssetRef | None
    """Whose it is; None where neither a journal nor its name tells."""
    downloaded: float | None = None
    """Unix seconds at which it was whole, where a journal tells."""
    recorded: bool = False
    """Whether a journal knows it: then it was downloaded, whatever it holds."""


def find_files(places: Place | Iterable[Place]) -> Iterator[FoundFile]:
    """The files that are named, those of reports, and all of detections below folders.

    Those are what a journal calls GeoJSON, and ``*.geojson`` where none knows the file.  Whatever
    ends in ``.part``, hidden files, symbolic links and exports of ours in folders are passed over.

    Raises:
        ConfigurationError: a report names a file that is not on the disk.
        OSError: a place does not exist or cannot be read.
    """
    journals = _Journals()
    if isinstance(places, DownloadReport):
        yield from _reported(places, journals)
    elif not isinstance(places, str | os.PathLike):
        for place in places:
            yield from find_files(place)
    elif Path(places).is_dir():
        yield from filter(_is_download, map(journals.describe, _below(Path(places))))
    else:
        yield journals.describe(Path(places))


def _is_download(file: FoundFile) -> bool:
    # A type that is not spelt in small letters stands in the name as something else.
    fits = file.path.suffix == SUFFIX if file.asset is None else is_geojson(file.asset)
    return fits and (file.recorded or not is_export(file.path))


def _below(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(root, name)
            if path.suffix != ".part" and not name.startswith(".") and not path.is_symlink():
                yield path


def _reported(report: DownloadReport, journals: _Journals) -> Iterator[FoundFile]:
    for record in report.files:
        if record.path is None or not is_geojson(record.asset):
            continue
        path = Path(record.path)
        if not path.is_file():
            raise ConfigurationError(
                f"The report's {record.path} is not on this disk: hand over the folder or the "
                "files where they are now"
            )
        yield FoundFile(
            path=path, asset=record.asset, downloaded=journals.describe(path).downloaded
        )


class _Journals:
    """The journals beside the files, each read once."""

    def __init__(self) -> None:
        self._known: dict[Path, Journal | None] = {}

    def describe(self, path: Path) -> FoundFile:
        """Whose file it is: by the journal, else by its name."""
        folder = path.parent
        if folder not in self._known:
            self._known[folder] = _read(folder)
        journal = self._known[folder]
        known = None if journal is None else journal.files.get(path.name)
        if known is not None:
            moment = _sane(known.finished)
            return FoundFile(path=path, asset=known.asset, downloaded=moment, recorded=True)
        return FoundFile(path=path, asset=read_file_name(folder.resolve().name, path.name))


def _read(folder: Path) -> Journal | None:
    journal = None
    for number in count(1):
        page = _page(folder / page_name(number))
        journal = join_page(journal, page)
        if page is None or not page.full:
            break
    return journal


def _page(path: Path) -> Journal | None:
    try:
        with path.open("rb") as file:
            return read_journal(file.read(LARGEST))
    except OSError:
        return None


def _sane(moment: float) -> float | None:
    """Journals are read leniently here; one moment that no calendar has is not worth an error."""
    try:
        datetime.fromtimestamp(moment, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment
