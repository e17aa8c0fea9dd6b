"""What does the stream of a download tell, and what becomes of the rest if it is left?"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from itertools import pairwise
from pathlib import Path

import anyio
import pytest
from attrs import evolve
from downloads import BrokenSink, check_law, downloader, events_of, files_in, one
from store_fakes import FakeStore, detections, settle

from iceye_derivatives._core.plan import file_name
from iceye_derivatives.errors import NetworkError
from iceye_derivatives.events import (
    DownloadReport,
    TransferFinished,
    TransferProgressed,
    TransferStarted,
)
from iceye_derivatives.models import Derivative
from iceye_derivatives.protocols import FoundFile
from iceye_derivatives.sinks import DirectorySink, MemorySink

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("pieces")]


@pytest.mark.parametrize("length", [1, 100])
async def test_events_tell_one_file_s_story_in_order_and_thinned(length: int) -> None:
    store, derivative = one(detections("x", length))
    started, *progress, finished = await events_of(downloader(store, MemorySink()), [derivative])
    ref = derivative.asset_refs()[0]
    size = len(store.bodies["task-1/d1/0.geojson"])
    assert started == TransferStarted(asset=ref, path=file_name(ref), total=size)
    assert all(isinstance(event, TransferProgressed) for event in progress)
    received = [event.received for event in progress if isinstance(event, TransferProgressed)]
    assert all(b - a >= 16 for a, b in pairwise(received[:-1]))
    assert received[-1] == size
    assert isinstance(finished, TransferFinished)
    assert finished.record.asset == ref


async def test_a_slow_reader_holds_transfers_back_and_loses_nothing() -> None:
    """Trap (parfive, queues): the queue of chunks has no bound."""
    store = FakeStore()
    derivatives = [store.add(f"d{n}", detections()) for n in range(10)]
    finished = 0
    async with downloader(store, MemorySink(), concurrency=2).transfers(derivatives) as events:
        async for event in events:
            await settle()
            finished += isinstance(event, TransferFinished)
            assert len(store.requests) <= finished + 2 + 1
    assert finished == 10


async def test_leaving_early_cancels_cleanly(tmp_path: Path) -> None:
    store = FakeStore()
    derivatives = [store.add(f"d{n}", detections("x", 200)) for n in range(10)]
    async with downloader(store, DirectorySink(tmp_path)).transfers(derivatives) as events:
        async for _ in events:
            break
    assert store.open_now == 0
    check_law(store, files_in(tmp_path), None)


async def test_a_generator_is_closed_with_the_context_also_while_its_assets_wait_for_room() -> None:
    store, closed = FakeStore(), list[bool]()
    first = store.add("d0", detections())
    many = evolve(first, assets=first.assets * 6000)

    async def source() -> AsyncGenerator[Derivative, None]:
        try:
            yield many
        finally:
            closed.append(True)

    async with downloader(store, MemorySink()).transfers(source()) as events:
        await events.receive()
        await settle()
    assert closed == [True]


async def test_closing_the_stream_is_leaving_too() -> None:
    store = FakeStore()
    derivatives = [store.add(f"d{n}", detections()) for n in range(10)]
    found = downloader(store, MemorySink(), concurrency=2)
    async with found.transfers(derivatives) as events:
        await events.receive()
        await events.aclose()
        await settle()
        assert store.open_now == 0
        assert len(store.requests) <= 3


@pytest.mark.parametrize("raised", [ValueError("mine"), ExceptionGroup("mine", [ValueError("a")])])
async def test_the_reader_s_own_error_arrives_as_what_it_is(raised: Exception) -> None:
    """A lone one is unwrapped, a group stays a group, and neither gets a context."""
    store = FakeStore()
    derivatives = [store.add(f"d{n}", detections()) for n in range(10)]
    with pytest.raises(type(raised)) as caught:
        async with downloader(store, MemorySink()).transfers(derivatives) as events:
            await events.receive()
            raise raised
    assert caught.value is raised
    assert raised.__context__ is None
    assert store.open_now == 0


async def test_a_bug_below_is_raised_as_what_it_is() -> None:
    store, derivative = one()
    sink = BrokenSink("put", OSError())
    sink.error = KeyError("a bug")  # type: ignore[assignment]
    with pytest.raises(KeyError, match="a bug"):
        await downloader(store, sink).download([derivative])


@pytest.mark.parametrize("synchronous", [False, True])
async def test_a_source_that_fails_lets_what_it_gave_finish_first(*, synchronous: bool) -> None:
    store = FakeStore()
    derivatives = [store.add(f"d{n}", detections("x", 300)) for n in range(3)]
    sink = MemorySink()

    def source() -> Iterator[Derivative]:
        yield from derivatives
        raise NetworkError("the watch ended")

    async def watch() -> AsyncIterator[Derivative]:
        for derivative in derivatives:
            yield derivative
        raise NetworkError("the watch ended")

    ended = []
    with pytest.raises(NetworkError, match="the watch ended"):
        async with downloader(store, sink).transfers(
            source() if synchronous else watch()
        ) as events:
            async for event in events:
                await settle()
                if isinstance(event, TransferFinished):
                    ended.append(event.record)
    check_law(store, sink.files, DownloadReport(files=tuple(ended)))
    assert len(ended) == 3


async def test_a_deadline_per_event_loses_nothing() -> None:
    """ "Safe and resumable" around `receive()`, in contrast to a generator's `anext()`."""
    store = FakeStore()
    derivatives = [store.add(f"d{n}", detections()) for n in range(3)]
    seen = []
    async with downloader(store, MemorySink()).transfers(derivatives) as events:
        with pytest.raises(anyio.EndOfStream):
            while True:
                with anyio.move_on_after(0):
                    await events.receive()
                with anyio.fail_after(5):
                    seen.append(await events.receive())
    assert sum(isinstance(event, TransferFinished) for event in seen) == 3


async def test_several_bugs_at_once_stay_a_group() -> None:
    store = FakeStore()
    derivatives = [store.add(f"d{n}", detections()) for n in range(2)]

    class Buggy(MemorySink):
        async def find(self, name: str) -> FoundFile | None:
            try:
                await anyio.sleep_forever()
            finally:
                raise KeyError(name)

    with pytest.raises(ExceptionGroup) as caught:
        async with downloader(store, Buggy()).transfers(derivatives):
            await settle()
            raise ValueError("mine")
    assert caught.group_contains(KeyError)
    assert caught.group_contains(ValueError)
