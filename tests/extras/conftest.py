"""What the bridges' tests share: a browser, an object store, and files of detections."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import Browser
from s3_server import S3Server, serving

sys.path.append(str(Path(__file__).parents[1] / "geo"))  # geo_files.py, shared with the pure tests


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, with its network cut."""
    with Browser() as browser:
        yield browser


@pytest.fixture
def s3() -> Iterator[S3Server]:
    """A store with one bucket, which is empty."""
    with serving() as server:
        yield server
