"""What does a sink in an object store promise, whoever keeps the store?

The tests of each store inherit these, and run them on a fixture `sink` of their own.
"""

from __future__ import annotations

import os
from functools import partial
from hashlib import sha256

import anyio
import obstore
import pytest

from iceye_derivatives.models import AssetRef
from iceye_derivatives.sinks import ObjectStoreSink

MIB = 1024 * 1024
NAME = "task-1/DC_VESSELS_d1.geojson"
BODY = b'{"type":"FeatureCollection","features":[]}'
REF = AssetRef(
    task_id="task-1", derivative_id="d1", product_type="DC_VESSELS", asset_type="geojson"
)


def hashed(body: bytes) -> str:
    """A check that all bytes pass."""
    return sha256(body).hexdigest()


def listed(sink: ObjectStoreSink) -> list[str]:
    """What everybody sees."""
    return [each["path"] for page in obstore.list(sink.store) for each in page]


class StorePromises:
    """For a subclass in the tests of each store."""

    @pytest.mark.parametrize("sizes", [[], [5], [3 * MIB, 1, 3 * MIB], [4 * MIB, 4 * MIB, 4 * MIB]])
    async def test_what_is_streamed_appears_only_at_its_commit(
        self, sink: ObjectStoreSink, sizes: list[int]
    ) -> None:
        pieces = [os.urandom(size) for size in sizes]
        async with sink.create(NAME) as part:
            for piece in pieces:
                await part.write(piece)
            assert await sink.find(NAME) is None
            assert listed(sink) == []
            path = await part.commit()
        found = await sink.find(NAME)
        assert found is not None
        assert (found.path, found.sha256) == (path, hashed(b"".join(pieces)))

    async def test_of_changes_at_the_same_time_none_is_lost(self, sink: ObjectStoreSink) -> None:
        def add(letter: str, before: bytes | None) -> bytes:
            return (before or b"") + letter.encode()

        async with anyio.create_task_group() as tasks:
            for letter in "abcdef":
                tasks.start_soon(sink.update_note, "collection.json", partial(add, letter))
        assert sorted((await sink.read_note("collection.json") or b"").decode()) == list("abcdef")
