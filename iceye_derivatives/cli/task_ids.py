"""Which tasks was a command given: as arguments, in a file, or on stdin?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TextIO

import click

from iceye_derivatives.errors import ConfigurationError

__all__ = ["ids_of", "ids_option"]

ids_option = click.option(
    "--ids-from",
    "ids_file",
    # As editors on Windows write it: the mark of a byte order in front belongs to no id.
    type=click.File(encoding="utf-8-sig"),
    metavar="FILE",
    help="Read further task ids, one a line; - reads them from stdin. What follows a # is passed "
    "over.",
)


def ids_of(task_ids: Sequence[str], ids_file: TextIO | None) -> tuple[str, ...]:
    """All ids that a command was given, each once.

    Raises:
        click.UsageError: there is none.
        ConfigurationError: the file is no text in UTF-8.
    """
    listed = () if ids_file is None else _listed(ids_file)
    found = tuple(dict.fromkeys([*task_ids, *listed]))
    if not found:
        raise click.UsageError("Name a task id, or a file of them with --ids-from.")
    return found


def _listed(file: TextIO) -> Iterator[str]:
    try:
        for line in file:
            if name := line.partition("#")[0].strip():
                yield name
    except UnicodeDecodeError:
        raise ConfigurationError(
            f"The task ids in {file.name} are not written in UTF-8: save the file as UTF-8 first"
        ) from None
