"""What the bridges' tests share: a browser, and files of detections."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import Browser

sys.path.append(str(Path(__file__).parents[1] / "geo"))  # geo_files.py, shared with the pure tests


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, with its network cut."""
    with Browser() as browser:
        yield browser
