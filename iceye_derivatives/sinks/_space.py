"""How much room does a folder's disk have left?"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress

from iceye_derivatives.sharing import Space

__all__ = ["space_of"]


def space_of(path: str) -> Space | None:
    """Of the folder, or of the nearest one above it that is there; None where nobody can tell."""
    here = os.path.abspath(path)  # noqa: PTH100 - strings, as in the sink
    while True:
        with suppress(FileNotFoundError, NotADirectoryError):
            # What `shutil` calls free is what users may have: not the reserve of root.
            return Space(disk=f"{os.stat(here).st_dev:x}", free=shutil.disk_usage(here).free)  # noqa: PTH116
        above = os.path.dirname(here)  # noqa: PTH120
        if above == here:
            return None
        here = above
