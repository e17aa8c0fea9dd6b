"""Does a run that goes on for weeks need more memory than one of an hour?"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import count, pairwise
from pathlib import Path

import anyio
import pytest
from store_fakes import FakeClock, FakeResponse, Fault, detections

from iceye_derivatives import Asset, Derivative, SignedUrl, Snapshot
from iceye_derivatives.downloader import Downloader
from iceye_derivatives.events import FileRecord, TransferFinished
from iceye_derivatives.models import AssetRef
from iceye_derivatives.protocols import Sink
from iceye_derivatives.sinks import DirectorySink, MemorySink

pytestmark = pytest.mark.anyio

BODY = detections()
WARM, MORE = 300, 250
AHEAD = 20
"""How many assets wait at most: the queue's own bound, of thousands, would hide what grows."""
PER_ASSET = 250
"""Bytes that may stay of an asset that came home: its fingerprint, in a set that doubles."""


class Forgetful:
    """A store that answers for ever and remembers nothing."""

    def __init__(self) -> None:
        self.clock = FakeClock()

    async def look_at_derivatives(self, task_id: str) -> Snapshot:
        raise AssertionError(f"links live, yet {task_id} was listed")

    @asynccontextmanager
    async def open_link(
        self, url: SignedUrl, *, headers: Mapping[str, str]
    ) -> AsyncIterator[FakeResponse]:
        length = {"content-length": str(len(BODY)), "etag": '"v1"'}
        yield FakeResponse(200, length, BODY, 65536, Fault())


class Tasks:
    """Ever new tasks of two derivatives, each of which the next look hands in again."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._room = anyio.Event()
        self.came = 0

    def came_home(self) -> None:
        self.came += 1
        self._room.set()

    async def derivatives(self) -> AsyncIterator[Derivative]:
        for number in count():
            while number * 2 > self.came + AHEAD:
                self._room = anyio.Event()
                await self._room.wait()
            self._clock.now += 1
            url = SignedUrl(f"https://cdn.example/{number}?Signature=s")
            for derivative_id in ("a", "b", "a"):
                yield Derivative(
                    id=derivative_id,
                    task_id=f"task-{number:09d}",
                    product_type="DC_VESSELS",
                    assets=(Asset(type="geojson", url=url),),
                )


def alive() -> dict[str, int]:
    """How many objects there are that each asset has one of."""
    gc.collect()
    kinds = (AssetRef, Derivative, FileRecord, SignedUrl)
    objects = gc.get_objects()
    return {kind.__name__: sum(type(found) is kind for found in objects) for kind in kinds}


@pytest.mark.parametrize("kind", ["memory", "directory"])
async def test_what_has_come_home_is_forgotten_but_for_a_fingerprint(
    tmp_path: Path, kind: str
) -> None:
    """ "Unattended, for weeks": tasks come and go, and none of them leaves anything behind."""
    store = Forgetful()
    tasks = Tasks(store.clock)
    sink: Sink = MemorySink() if kind == "memory" else DirectorySink(tmp_path)
    downloader = Downloader(store, sink, clock=store.clock, jitter=lambda: 0.5, concurrency=4)
    then: dict[str, int] = {}
    now: dict[str, int] = {}
    held: list[int] = []
    tracemalloc.start()
    async with downloader.transfers(tasks.derivatives()) as events:
        async for event in events:
            if isinstance(event, TransferFinished):
                tasks.came_home()
                if isinstance(sink, MemorySink):
                    sink.files.clear()  # what the caller does with the files is the caller's
                    sink.notes.clear()
                if (tasks.came - WARM) % MORE == 0 and tasks.came >= WARM:
                    then, now = then or alive(), alive()
                    held.append(tracemalloc.get_traced_memory()[0])
                if len(held) == 3:  # not behind the run's end, which frees everything
                    break
    tracemalloc.stop()
    assert all(count <= then[kind] + 2 * AHEAD for kind, count in now.items()), (then, now)
    # What is imported or cached meanwhile is no leak: it comes once, and a leak twice.
    assert min(b - a for a, b in pairwise(held)) < PER_ASSET * MORE
