"""``map``: where are the detections, to be looked at?"""

from __future__ import annotations

from pathlib import Path

import click

from iceye_derivatives.cli.export import read_some
from iceye_derivatives.cli.options import debug_option, detections_options
from iceye_derivatives.cli.wording import count
from iceye_derivatives.errors import ConfigurationError
from iceye_derivatives.geo._whole import write_whole

__all__ = ["show_map"]


@click.command("map")
@detections_options
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("map.html"),
    show_default=True,
    help="A page (.html), or a still picture for a report (.png, extra `geo`).",
)
@click.option("--open", "open_it", is_flag=True, help="Open it when it is written.")
@click.option("--title", help="What stands above it; the default names the products.")
@click.option(
    "--basemap",
    metavar="URL",
    help="Tiles below the detections, such as https://tiles.example/{z}/{x}/{y}.png: the one "
    "host that the page then talks to. Without it the page sends no request at all.",
)
@click.option("--attribution", default="", help="What the owner of the basemap wants to be said.")
@debug_option
def show_map(
    *,
    folder: Path,
    output: Path,
    open_it: bool,
    title: str | None,
    basemap: str | None,
    attribution: str,
    class_property: str | None,
    confidence_property: str | None,
) -> None:
    """Draw all detections in FOLDER on a map: one file that needs no network and no server.

    The page counts by product and class, filters by class, confidence and time, and shows all
    properties of what is clicked.
    """
    found = read_some(folder, class_property, confidence_property)
    match output.suffix.lower():
        case ".html" | ".htm":
            body = found.to_html(title=title, basemap=basemap, attribution=attribution).encode()
        case ".png":
            body = found.to_png(title=title, note=attribution)
        case _:
            raise ConfigurationError(
                f"{output.name!r} does not tell by its suffix what to draw: it is .html or .png"
            )
    write_whole(output, body)
    click.echo(f"{count(len(found), 'detection')} on the map in {output}")
    if open_it:
        click.launch(str(output.resolve()))
