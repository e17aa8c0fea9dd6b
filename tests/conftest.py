"""What every test shares: the event loop that async tests run on."""

from __future__ import annotations

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """Asyncio, as aiohttp needs; a test free of aiohttp may parametrise it with trio."""
    return "asyncio"
