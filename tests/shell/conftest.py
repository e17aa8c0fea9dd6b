"""What several tests of the shell are run with."""

from __future__ import annotations

import pytest
from store_fakes import FakeStore


@pytest.fixture(params=[7, 1 << 20], ids=["in pieces", "at one time"])
def pieces(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that comes at one time goes a shorter way, to the same end."""
    monkeypatch.setattr(FakeStore, "pieces", request.param)
