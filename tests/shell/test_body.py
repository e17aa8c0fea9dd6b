"""Where are the bytes of a file between the network and the sink?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import cast

import pytest
from anyio.lowlevel import checkpoint
from attrs import field, mutable
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives._body import Body
from iceye_derivatives._core.download_settings import DownloadSettings
from iceye_derivatives._core.transfer_errors import TransferErrors
from iceye_derivatives.models import AssetRef
from iceye_derivatives.sharing import PartMark, Place

pytestmark = pytest.mark.anyio

KIB = 1024
"""Where sizes matter a kibibyte is played by a byte."""
MEBI = 1024
LONGEST = GATHERED = 320
"""The longest piece, and what waits to be read at most: of a `Lane`, as of aiohttp's reader."""
ASSET = AssetRef(task_id="task-1", derivative_id="d1", product_type="DC_VESSELS", asset_type="tif")


@mutable
class Slow:
    """A disk that stores a batch only when it is given the next one."""

    came: Callable[[], int] = field(default=lambda: 0)
    """How many bytes the file has until now."""
    given: int = 0
    behind: list[int] = field(factory=list)
    """Bytes that had come and were not given to it before, each time it was given some."""
    batches: list[int] = field(factory=list)
    mark: PartMark | None = None
    stamp: str | None = None

    @asynccontextmanager
    async def stream(self) -> AsyncIterator[Slow]:
        yield self

    async def take(self, pieces: Sequence[bytes], *_: object) -> None:
        self.behind.append(self.came() - self.given)
        await checkpoint()
        self.batches.append(sum(map(len, pieces)))
        self.given += self.batches[-1]

    async def settle(self) -> None: ...


@given(sizes=st.lists(st.integers(1, LONGEST), min_size=1, max_size=60))
async def test_a_mebibyte_at_most_is_held_that_is_not_being_stored(sizes: list[int]) -> None:
    """What a killed process fetches twice, beside the batch that it was just making durable."""
    plain = DownloadSettings()
    settings = DownloadSettings(small=plain.small // KIB, batch=plain.batch // KIB)
    disk = Slow()
    body = Body(ASSET, cast("Place", disk), settings, TransferErrors(ASSET, "x"))
    disk.came = lambda: body.size
    async with body:
        for size in sizes:
            assert body.size - disk.given + GATHERED <= MEBI
            await body.write(bytes(size))
    first, *later = disk.behind or [0]
    assert first <= MEBI  # all of it begins to be stored
    assert all(size + GATHERED <= MEBI for size in later)
    assert all(size <= settings.batch + LONGEST for size in disk.batches)
