"""Does what counts bytes hand back all that it was given, however the counting ends?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from iceye_derivatives import SignedUrl, Snapshot
from iceye_derivatives._core.limits import Limits
from iceye_derivatives._core.metering import TooManyBytes
from iceye_derivatives._transport.metered import MeteredSource

pytestmark = pytest.mark.anyio

LINK = SignedUrl("https://cdn.example/a.geojson")
PIECES = (b"ab", b"cd", b"ef")


class Store:
    """One body in pieces, and a record of what was let go."""

    def __init__(self, *, announced: int = 6) -> None:
        self.status = 200
        self.headers = {"content-length": str(announced)}
        self.let_go: list[str] = []

    async def look_at_derivatives(self, task_id: str) -> Snapshot:
        raise AssertionError(f"nobody asked for {task_id}")

    @asynccontextmanager
    async def open_link(
        self, url: SignedUrl, *, headers: Mapping[str, str]
    ) -> AsyncIterator[Store]:
        try:
            yield self
        finally:
            self.let_go.append("answer")

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            for piece in PIECES:
                yield piece
        finally:
            self.let_go.append("body")


async def test_a_body_below_the_ceiling_passes_as_it_is_and_is_let_go() -> None:
    store = Store()
    async with MeteredSource(store, Limits(bytes_per_run=6)).open_link(LINK, headers={}) as answer:
        assert [piece async for piece in answer.chunks()] == [*PIECES]
    assert store.let_go == ["body", "answer"]


async def test_an_answer_that_says_that_it_is_too_long_is_let_go_before_its_body_is_read() -> None:
    store = Store()
    with pytest.raises(TooManyBytes):
        async with MeteredSource(store, Limits(bytes_per_run=5)).open_link(LINK, headers={}):
            raise AssertionError("it was handed on")
    assert store.let_go == ["answer"]


async def test_a_body_that_is_longer_than_it_said_ends_where_the_ceiling_is() -> None:
    store = Store(announced=2)
    read: list[bytes] = []
    async with MeteredSource(store, Limits(bytes_per_run=5)).open_link(LINK, headers={}) as answer:
        with pytest.raises(TooManyBytes):
            async for piece in answer.chunks():
                read.append(piece)  # noqa: PERF401 - it is cut off: a comprehension would be lost
    assert read == [b"ab", b"cd"]
    assert store.let_go[-1] == "answer"


async def test_closing_what_is_counted_closes_what_the_source_gave() -> None:
    store = Store()
    async with MeteredSource(store, Limits()).open_link(LINK, headers={}) as answer:
        chunks = answer.chunks()
        assert await anext(chunks) == b"ab"
        await chunks.aclose()  # type: ignore[attr-defined]  # as the downloader does where it can
        assert store.let_go == ["body"]
