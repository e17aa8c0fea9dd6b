"""A file for a sink, and what of it can be seen in a folder or among the open handles."""

from __future__ import annotations

import sys
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import pytest

posix = pytest.mark.skipif(sys.platform == "win32", reason="links and modes of POSIX")

NAME = "task-1/DC_VESSELS_d1.geojson"
BODY = b'{"type":"FeatureCollection","features":[]}'


def hashed(body: bytes) -> str:
    return sha256(body).hexdigest()


def tree(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir()}


def open_handles(root: Path) -> list[str]:
    """What this process has open at that path or below it, also what was deleted there."""
    found: list[str] = []
    for entry in list(Path("/proc/self/fd").iterdir()):
        with suppress(FileNotFoundError):  # the handle that lists them is gone by now
            found.append(str(entry.readlink()))
    return [path for path in found if path.startswith(str(root))]
