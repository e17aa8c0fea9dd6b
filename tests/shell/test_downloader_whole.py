"""Whatever breaks, and wherever a run is cancelled: is each file whole or absent?"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest
from cancelling import begun
from downloads import check_law, downloader, files_in, one, parts_in
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_fakes import FakeStore, Fault, detections

from iceye_derivatives.downloader import Downloader
from iceye_derivatives.models import Derivative
from iceye_derivatives.protocols import PartialFile, Sink
from iceye_derivatives.sinks import DirectorySink, MemorySink

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("pieces")]


async def test_a_streamed_file_that_is_replaced_on_the_way_comes_home_anew() -> None:
    """The first bytes, their hash and their part are all forgotten."""
    store, derivative = one(detections("x", 300), Fault(stop_after=200), Fault(replace=True))
    parts = live = 0

    class Counting(MemorySink):
        @asynccontextmanager
        async def create(self, name: str) -> AsyncIterator[PartialFile]:  # type: ignore[override]
            nonlocal parts, live
            assert not live
            async with super().create(name) as part:
                parts, live = parts + 1, live + 1
                yield part
            live -= 1

    store.versions["task-1/d1/0.geojson"] = [b""] * 100  # the next version is above 64 bytes
    sink = Counting()
    report = await downloader(store, sink).download([derivative])
    assert report.ok
    assert parts == 2
    [body] = sink.files.values()
    assert body == store.bodies["task-1/d1/0.geojson"]
    assert report.files[0].sha256 == sha256(body).hexdigest()


FAULTS = st.one_of(
    st.just(Fault()),
    st.builds(Fault, status=st.sampled_from([400, 403, 404, 408, 416, 429, 500, 503])),
    st.builds(Fault, stop_after=st.integers(0, 150), expire=st.booleans()),
    st.builds(Fault, cut_after=st.integers(0, 150), replace=st.booleans()),
    st.builds(Fault, extra=st.just(b'{"type"'), replace=st.booleans()),
    st.builds(Fault, stop_after=st.integers(0, 90), replace=st.booleans()),
    st.just(Fault(refuse=True)),
    st.just(Fault(replace=True)),
    st.just(Fault(expire=True)),
    st.just(Fault(headers={"content-range": "bytes 3-9/10"})),
    st.just(Fault(headers={"content-encoding": "gzip"})),
    st.just(Fault(headers={"etag": ""})),
    st.just(Fault(headers={"etag": 'W/"1"'})),
    st.just(Fault(status=206)),
    st.builds(
        Fault,
        headers=st.builds(lambda n: {"content-length": str(n)}, st.integers(1, 200)),
        stop_after=st.none() | st.integers(0, 60),
    ),
    st.just(Fault(status=200, body=b"<html></html>", headers={"content-length": ""})),
)


@settings(
    max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    faults=st.lists(FAULTS, max_size=25),
    sizes=st.lists(st.integers(0, 120), min_size=1, max_size=4),
    chunk=st.integers(1, 60),
    concurrency=st.integers(1, 4),
    etags=st.booleans(),
)
def test_files_are_whole_or_absent_for_any_interleaving_of_faults(
    tmp_path_factory: pytest.TempPathFactory,
    faults: list[Fault],
    sizes: list[int],
    chunk: int,
    concurrency: int,
    *,
    etags: bool,
) -> None:
    """Promise 3: "a file under its final name is whole and checked".

    Complaint (microsoft/kiota-python #564): retried responses are never closed, the pool runs dry.
    Trap (aiohttp_retry, responses): one that will be retried is not released.
    """
    store = FakeStore(faults=list(faults), chunk=chunk, etags=etags)
    derivatives = [
        store.add(f"d{n}", detections(chr(97 + n), size)) for n, size in enumerate(sizes)
    ]
    root = tmp_path_factory.mktemp("law")
    memory = MemorySink()
    for sink in (memory, DirectorySink(root)):
        store.faults = list(faults)
        found = downloader(store, sink, concurrency=concurrency)
        report = asyncio.run(found.download(derivatives))
        files = memory.files if sink is memory else files_in(root)
        check_law(store, files, report)
        assert store.open_now == 0
        assert not report.ok or not parts_in(root)


@pytest.mark.parametrize("plainly", [False, True])
@pytest.mark.parametrize("kind", ["memory", "directory"])
async def test_cancelled_at_any_await_it_leaves_no_task_no_body_and_only_whole_files(
    tmp_path: Path, kind: str, *, plainly: bool
) -> None:
    """Promise 8, at each turn of the loop until the run ends, with both kinds of cancel.

    Complaint 21 (sentinelsat/sentinelsat #481): downloads in a notebook cannot be interrupted.
    """
    before = asyncio.all_tasks()
    turns, ended = 0, False
    while not ended:
        store = FakeStore(
            faults=[Fault(stop_after=70), Fault(), Fault(status=503), Fault(expire=True)], chunk=40
        )
        derivatives = [store.add("d1", detections("x", 150)), store.add("d2", detections("y"))]
        root, memory = tmp_path / str(turns), MemorySink()
        sink: Sink = memory if kind == "memory" else DirectorySink(root)
        ended = await cancelled_after(turns, downloader(store, sink), derivatives, plainly=plainly)
        check_law(store, memory.files if kind == "memory" else files_in(root), None)
        assert store.open_now == 0
        assert asyncio.all_tasks() == before
        turns += 1 if kind == "memory" or turns < 60 else 17
    assert turns > 40
    gc.collect()  # what was not closed warns here, and warnings are errors


async def cancelled_after(
    turns: int, found: Downloader, derivatives: list[Derivative], *, plainly: bool
) -> bool:
    """Whether the run ended by itself before it could be cancelled."""
    task, cancel = begun(partial(found.download, derivatives), plainly=plainly)
    for _ in range(turns):
        await asyncio.sleep(0)
    if task.done():
        return True
    cancel()
    await asyncio.wait([task])
    assert task.cancelled() or task.exception() is None
    return False


@pytest.mark.parametrize("turns", range(0, 60, 7))
async def test_after_a_cancelled_run_the_next_one_brings_the_rest(
    tmp_path: Path, turns: int
) -> None:
    """Complaint 22 (ASFHyP3/hyp3-sdk #137).

    Re-running downloads everything again, partial files pass for whole ones.
    """
    store = FakeStore()
    derivatives = [store.add(f"d{n}", detections(str(n), 100)) for n in range(4)]
    found = downloader(store, DirectorySink(tmp_path), concurrency=2)
    await cancelled_after(turns, found, derivatives, plainly=False)
    whole = len(files_in(tmp_path))
    store.requests.clear()
    report = await found.download(derivatives)
    check_law(store, files_in(tmp_path), report)
    if store.chunk == 7:
        assert len(store.requests) == 4 - whole
    else:  # fewer where all bytes of a file were marked already, and only its name was missing
        assert len(store.requests) <= 4 - whole


async def test_a_body_of_unknown_length_that_grows_is_streamed_in_bounded_memory() -> None:
    """Trap (parfive, queues): the queue of chunks has no bound."""
    store, derivative = one(detections("x", 5000), Fault(headers={"content-length": ""}))
    sink = MemorySink()
    written: list[int] = []

    class Watching(MemorySink):
        @asynccontextmanager
        async def create(self, name: str) -> AsyncIterator[PartialFile]:  # type: ignore[override]
            async with sink.create(name) as part:
                write = part.write

                async def measured(data: bytes) -> None:
                    written.append(len(data))
                    await write(data)

                part.write = measured  # type: ignore[method-assign]
                yield part

    report = await downloader(store, Watching()).download([derivative])
    assert report.ok
    assert max(written) <= 32 + 7
    assert sum(written) == report.size
