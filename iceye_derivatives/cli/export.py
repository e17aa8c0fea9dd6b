"""``export``: how do detections get into a GIS, a data frame or a spreadsheet?"""

from __future__ import annotations

from pathlib import Path

import click

from iceye_derivatives.cli.options import debug_option, detections_options
from iceye_derivatives.cli.wording import count
from iceye_derivatives.errors import ConfigurationError
from iceye_derivatives.geo import Detections

__all__ = ["export", "read_some"]


@click.command()
@detections_options
@click.option(
    "--to",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="A file that ends in .parquet, .gpkg, .csv or .geojson; it is replaced.",
)
@debug_option
def export(
    *,
    folder: Path,
    target: Path,
    class_property: str | None,
    confidence_property: str | None,
) -> None:
    """Write all detections in FOLDER into one file for a GIS, a data frame or a spreadsheet.

    Beside all properties stand the columns task_id, product_type, detection_class, confidence
    and a few more. GeoParquet and GeoPackage need the extra `geo`. The file may be in FOLDER:
    it is not read with the others the next time.
    """
    found = read_some(folder, class_property, confidence_property)
    found.export(target)
    click.echo(f"{count(len(found), 'detection')} of {_files(found)} in {target}")


def read_some(
    folder: Path, class_property: str | None, confidence_property: str | None
) -> Detections:
    """The detections in a folder.

    Raises:
        ConfigurationError: not one file of detections is there.
    """
    found = Detections.read(
        folder, class_property=class_property, confidence_property=confidence_property
    )
    if not found.sources:
        raise ConfigurationError(
            f"No whole file of detections is in {folder}: download a task into it first, "
            "or name the folder that `download --to` was given (an export is read where it is "
            "named itself)"
        )
    return found


def _files(found: Detections) -> str:
    tasks = {source.task_id for source in found.sources}
    return f"{count(len(tasks), 'task')} and {count(len(found.sources), 'file')}"
