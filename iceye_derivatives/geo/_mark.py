"""How is an export of ours told from what was downloaded, both being GeoJSON?

An export often lands in the folder that it was made of.  Were it read with the rest, the same
command would count everything twice the next time.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

__all__ = ["is_export", "write_export"]

_MARKED: Final = {"type": "FeatureCollection", "generator": "iceye-derivatives export"}
"""RFC 7946, 6.1: a GeoJSON object may have members of its own; others pass them over."""
_BEGINNING: Final = json.dumps(_MARKED)[:-1].encode("ascii")


def write_export(path: Path, features: Sequence[dict[str, Any]]) -> None:
    """Write the features with our mark in front."""
    with path.open("w", encoding="ascii", newline="\n") as file:
        json.dump({**_MARKED, "features": features}, file)


def is_export(path: Path) -> bool:
    """Whether a file begins as `write_export` makes it.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return file.read(len(_BEGINNING)) == _BEGINNING
