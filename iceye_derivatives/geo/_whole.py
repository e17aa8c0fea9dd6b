"""How does a file appear under its name whole, or not at all?"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["made_whole", "write_whole"]


@contextmanager
def made_whole(path: Path) -> Iterator[Path]:
    """Where to write meanwhile: beside the place, under the same name, in a hidden folder.

    The file is synced and takes its place when the block ends well; else nothing is left of it.

    Raises:
        OSError: the disk refuses; a folder that is missing is named.
    """
    try:
        hidden = tempfile.TemporaryDirectory(prefix=".", suffix=".part", dir=path.parent)
    except OSError as error:
        # Nobody has asked for the hidden one.
        raise OSError(error.errno, error.strerror, str(path.parent)) from error
    with hidden as folder:
        new = Path(folder, path.name)
        yield new
        with new.open("rb+") as file:
            os.fsync(file.fileno())
        new.replace(path)


def write_whole(path: Path, body: bytes) -> None:
    """Write a file of these bytes."""
    with made_whole(path) as new:
        new.write_bytes(body)
