"""How do many assets become whole files: few at a time, soonest to die first, none lost?"""

from __future__ import annotations

import asyncio
import errno
import gc
import pickle
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_fakes import CANARY, XML, FakeStore, Fault, detections, settle

from iceye_derivatives._core.download_settings import DownloadSettings
from iceye_derivatives._core.link_policy import UnsafeLink
from iceye_derivatives._core.plan import file_name
from iceye_derivatives.downloader import Downloader
from iceye_derivatives.errors import (
    ConfigurationError,
    ContentError,
    DiskFullError,
    DownloadFailedError,
    LinkRefusedError,
    LinkUnavailableError,
    NetworkError,
    StorageError,
    TransferError,
    UnsafeLinkError,
)
from iceye_derivatives.events import (
    DownloadReport,
    LinkRenewed,
    TransferEvent,
    TransferFailed,
    TransferFinished,
    TransferProgressed,
    TransferRetrying,
    TransferStarted,
)
from iceye_derivatives.leases import Leases
from iceye_derivatives.models import AssetRef, Derivative
from iceye_derivatives.protocols import FoundFile, PartialFile, Sink
from iceye_derivatives.sinks import DirectorySink, MemorySink

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("pieces")]

TINY = DownloadSettings(small=64, batch=32, progress_every=16)
"""Bodies above 64 bytes are streamed, so that small tests see both ways."""


def downloader(store: FakeStore, sink: Sink, **changes: object) -> Downloader:
    arguments: dict[str, object] = {"clock": store.clock, "jitter": lambda: 0.5, "settings": TINY}
    return Downloader(store, sink, **(arguments | changes))  # type: ignore[arg-type]


async def events_of(found: Downloader, derivatives: object) -> list[TransferEvent]:
    async with found.transfers(derivatives) as stream:  # type: ignore[arg-type]
        return [event async for event in stream]


def one(body: bytes = b"", *faults: Fault, kind: str = "geojson") -> tuple[FakeStore, Derivative]:
    store = FakeStore(faults=list(faults))
    return store, store.add("d1", body or detections(), kind=kind)


def check_law(store: FakeStore, files: dict[str, bytes], report: DownloadReport | None) -> None:
    """Whole or absent, under our names only, and the report tells the truth."""
    assert not store.left_open
    keys = {file_name(ref): key for ref, key in store.wanted().items()}
    assert set(files) <= set(keys)
    for name, body in files.items():
        assert body in store.versions[keys[name]]
    if report is None:
        return
    assert sorted(file_name(record.asset) for record in report.files) == sorted(keys)
    for record in report.files:
        found = files.get(file_name(record.asset))
        assert record.ok == (found is not None)
        if found is not None:
            assert (record.size, record.sha256) == (len(found), sha256(found).hexdigest())


def files_in(root: Path) -> dict[str, bytes]:
    """What claims to be whole: all but parts and journals."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.suffix != ".part" and not path.name.startswith(".")
    }


def parts_in(root: Path) -> set[str]:
    return {path.name for path in root.rglob("*.part")}


# -- the ordinary ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["memory", "directory"])
async def test_all_assets_come_home_checked_and_hashed(tmp_path: Path, kind: str) -> None:
    store = FakeStore()
    derivatives = [
        store.add("d1", detections()),
        store.add("d2", detections("y", 500), detections("z")),
        store.add("d3", b"\x00\x01", task_id="task-2", kind="tif"),
        store.add("empty"),
    ]
    sink = MemorySink() if kind == "memory" else DirectorySink(tmp_path)
    report = await downloader(store, sink).download(derivatives)
    report.raise_for_failures()
    files = sink.files if isinstance(sink, MemorySink) else files_in(tmp_path)
    check_law(store, files, report)
    assert len(report.files) == 4
    assert {record.path for record in report.files} == {sink.locate(name) for name in files}
    assert report.size == sum(map(len, files.values()))


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


async def test_an_async_iterable_is_downloaded_as_it_comes() -> None:
    """ "The first file is on disk while later derivatives are still being made.\""""
    store = FakeStore()
    first, second = store.add("d1", detections()), store.add("d2", detections())
    sink = MemorySink()

    async def watch() -> AsyncIterator[Derivative]:
        yield first
        while not sink.files:
            await anyio.lowlevel.checkpoint()
        yield second

    with anyio.fail_after(10):
        report = await downloader(store, sink).download(watch())
    check_law(store, sink.files, report)
    assert report.ok


async def test_no_derivatives_make_an_empty_report() -> None:
    store = FakeStore()
    assert await downloader(store, MemorySink()).download([]) == DownloadReport()


def test_a_downloader_without_slots_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="concurrency=0"):
        Downloader(FakeStore(), MemorySink(), concurrency=0)


@pytest.mark.parametrize("concurrency", [1, 3, 4, 11])
async def test_a_slot_is_held_until_the_body_is_closed(concurrency: int) -> None:
    """Trap (planet, slots): the worker limit is released when response headers arrive."""
    store = FakeStore()
    derivatives = [store.add(f"d{n}", detections("x", 100)) for n in range(12)]
    await downloader(store, MemorySink(), concurrency=concurrency).download(derivatives)
    assert store.open_most == concurrency
    assert store.open_now == 0


class Patient(MemorySink):
    """Keeps whoever stores something waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.storing = 0
        self.goes_on = anyio.Event()

    async def put(self, name: str, body: bytes, check: Callable[[bytes], str]) -> tuple[str, str]:
        self.storing += 1
        await self.goes_on.wait()
        return await super().put(name, body, check)


@pytest.mark.parametrize(
    ("concurrency", "size", "stored"), [(3, 1, 3), (8, 1, 10), (8, 64 * 1024 + 1, 8)]
)
async def test_a_line_does_not_stand_still_while_small_files_are_stored(
    concurrency: int, size: int, stored: int
) -> None:
    """But what fills the memory, or a slot of one's own choice, is not more than was asked for."""
    store, sink = FakeStore(), Patient()
    derivatives = [store.add(f"d{n}", detections("x", size)) for n in range(20)]
    found = downloader(store, sink, concurrency=concurrency, settings=DownloadSettings())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(found.download, derivatives)
        with anyio.fail_after(10):
            while sink.storing < stored:
                await anyio.lowlevel.checkpoint()
        for _ in range(100):
            await anyio.lowlevel.checkpoint()
        assert (sink.storing, len(store.requests), store.open_now) == (stored, stored, 0)
        sink.goes_on.set()
    assert len(sink.files) == 20
    assert store.open_most <= concurrency


async def test_whoever_fails_gives_back_his_slot() -> None:
    store = FakeStore(faults=[Fault(refuse=True)] * 999)
    derivatives = [store.add(f"d{n}", detections()) for n in range(40)]
    with anyio.fail_after(10):
        report = await downloader(store, MemorySink(), concurrency=4).download(derivatives)
    assert len(report.failures) == 40


async def test_the_soonest_to_die_goes_first() -> None:
    """Complaint 4 (flyteorg/flyte-sdk #1363).

    URLs were minted, then waited in a queue until dead.
    """
    store = FakeStore()
    lives = [3000.0, 100.0, 2000.0, 500.0]
    derivatives = []
    for n, store.life in enumerate(lives):
        derivatives.append(store.add(f"d{n}", detections()))
    await downloader(store, MemorySink(), concurrency=1).download(derivatives)
    assert [key for key, _, _ in store.requests] == [
        f"task-1/d{n}/0.geojson" for n in sorted(range(4), key=lives.__getitem__)
    ]


# -- what is there already -------------------------------------------------------------------------


async def test_a_whole_file_is_kept_and_costs_no_request(tmp_path: Path) -> None:
    store, derivative = one()
    sink = DirectorySink(tmp_path)
    first = await downloader(store, sink).download([derivative])
    again = await downloader(store, sink).download([derivative])
    assert len(store.requests) == 1
    assert again.files[0].kept
    assert not first.files[0].kept
    assert again.files[0].sha256 == first.files[0].sha256
    check_law(store, files_in(tmp_path), again)


async def test_overwriting_fetches_it_again(tmp_path: Path) -> None:
    store, derivative = one()
    sink = DirectorySink(tmp_path)
    for _ in range(2):
        report = await downloader(store, sink, overwrite=True).download([derivative])
    assert len(store.requests) == 2
    assert not report.files[0].kept


async def test_an_empty_file_under_a_good_name_is_fetched_anew() -> None:
    store, derivative = one()
    sink = MemorySink()
    sink.files[file_name(derivative.asset_refs()[0])] = b""
    report = await downloader(store, sink).download([derivative])
    check_law(store, sink.files, report)


async def test_a_derivative_handed_out_again_is_fetched_for_its_new_assets_only() -> None:
    """Promise 1: "if further assets of it appear later it is handed out again"."""
    store = FakeStore()
    whole = store.add("d1", detections("a"), detections("b"))
    early = Derivative(
        id=whole.id, task_id=whole.task_id, product_type=whole.product_type, assets=whole.assets[:1]
    )

    async def watch() -> AsyncIterator[Derivative]:
        yield early
        await settle()
        yield whole
        yield whole

    report = await downloader(store, MemorySink(), overwrite=True).download(watch())
    assert len(report.files) == 2
    assert sorted(key for key, _, _ in store.requests) == sorted(store.bodies)


# -- links -----------------------------------------------------------------------------------------


async def test_a_link_that_dies_on_the_way_is_renewed_and_the_file_goes_on() -> None:
    """Complaint 1 (aria2/aria2 #2197).

    Pieces asked for after expiry fail, and users change the URL by hand.
    """
    store, derivative = one(detections("x", 200), Fault(stop_after=70), Fault(expire=True))
    sink = MemorySink()
    events = await events_of(downloader(store, sink), [derivative])
    finished = events[-1]
    assert isinstance(finished, TransferFinished)
    check_law(store, sink.files, DownloadReport(files=(finished.record,)))
    assert (finished.record.renewals, finished.record.retries) == (1, 1)
    assert sum(isinstance(event, LinkRenewed) for event in events) == 1
    assert [headers.get("Range") for _, headers, _ in store.requests] == [
        None,
        "bytes=70-",
        "bytes=70-",
    ]


async def test_a_younger_link_of_what_still_waits_spares_a_listing() -> None:
    store = FakeStore(life=1.0)
    dying = store.add("d1", detections())
    store.life = 3600.0
    report = await downloader(store, MemorySink(), concurrency=1).download(
        [dying, store.sign(store.files["task-1"][0])]
    )
    assert [record.error for record in report.files] == [None]
    assert store.listings == []


async def test_a_store_that_refuses_fresh_links_gets_two_requests_and_one_listing() -> None:
    """Trap (capella, 403): an expired link's 403 is retried for ever."""
    store, derivative = one(b"", *[Fault(status=403, body=XML)] * 9)
    report = await downloader(store, MemorySink()).download([derivative])
    [record] = report.files
    assert isinstance(record.error, LinkRefusedError)
    assert (record.error.status, record.error.store_code) == (403, "AccessDenied")
    assert (len(store.requests), len(store.listings)) == (2, 1)


async def test_a_renewed_link_is_not_renewed_again_when_something_else_fails() -> None:
    store, derivative = one(b"", Fault(status=403, body=XML), Fault(status=503))
    report = await downloader(store, MemorySink()).download([derivative])
    assert report.ok
    assert (len(store.requests), len(store.listings)) == (3, 1)


async def test_many_refusals_of_fresh_links_make_no_storm() -> None:
    store = FakeStore(faults=[Fault(status=403, body=XML)] * 999)
    derivatives = [store.add(f"d{n}", detections()) for n in range(40)]
    report = await downloader(store, MemorySink(), concurrency=4).download(derivatives)
    assert len(report.failures) == 40
    assert len(store.listings) <= 2
    assert len(store.requests) <= 48


async def test_an_asset_that_is_not_listed_any_more_fails_by_itself() -> None:
    store = FakeStore()
    derivatives = [store.add(f"d{n}", detections()) for n in range(3)]
    store.clock.now += 4000
    store.hidden = {"d1"}
    sink = MemorySink()
    report = await downloader(store, sink).download(derivatives)
    [failure] = report.failures
    assert isinstance(failure.error, LinkUnavailableError)
    assert failure.error.path == sink.locate(file_name(failure.asset))
    check_law(store, sink.files, report)


# -- failures --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(refuse=True), TransferError),
        (Fault(stop_after=3), TransferError),
        (Fault(status=503), TransferError),
        (Fault(extra=b"x"), TransferError),
        (Fault(cut_after=10), TransferError),
        (
            Fault(status=200, body=b"<html>Sign in</html>", headers={"content-length": ""}),
            ContentError,
        ),
        (Fault(status=204, headers={"content-length": ""}), ContentError),
        (Fault(headers={"content-encoding": "gzip"}), ContentError),
        (Fault(status=206, headers={"content-range": "bytes 0-9/10"}), ContentError),
        (Fault(status=404), LinkRefusedError),
        (Fault(status=451), LinkRefusedError),
    ],
)
async def test_a_failed_file_is_a_record_and_stops_nobody(
    fault: Fault, error: type[Exception]
) -> None:
    """Trap (eodag, failures): a failed product is logged and dropped.

    Complaint 17 (earthaccess-dev/earthaccess #481): the bar reaches 100% with files missing.
    """
    store = FakeStore(etags=False)
    good, bad = store.add("good", detections()), store.add("bad", detections())
    sink = MemorySink()
    await downloader(store, sink).download([good])
    store.faults = [fault] * 99
    report = await downloader(store, sink).download([bad, good])
    check_law(store, sink.files, report)
    [failure] = report.failures
    assert type(failure.error) is error
    assert failure.error.asset == bad.asset_refs()[0]
    with pytest.raises(DownloadFailedError):
        report.raise_for_failures()


async def test_the_last_break_is_the_cause_and_the_tries_are_counted() -> None:
    store, derivative = one(b"", *[Fault(refuse=True)] * 99)
    events = await events_of(downloader(store, MemorySink()), [derivative])
    failed = events[-1]
    assert isinstance(failed, TransferFailed)
    assert failed.record.error is not None
    assert isinstance(failed.record.error.__cause__, NetworkError)
    assert len(store.requests) == failed.record.retries == 6
    waits = [event.seconds for event in events if isinstance(event, TransferRetrying)]
    assert waits == store.clock.slept == [1.0, 1.0, 2.0, 4.0, 8.0]
    assert failed.record.seconds == sum(waits)


async def test_retry_after_is_obeyed() -> None:
    """Trap (eodag, Retry-After): it is logged but not used."""
    store, derivative = one(b"", Fault(status=503, headers={"retry-after": "20"}))
    report = await downloader(store, MemorySink()).download([derivative])
    assert report.ok
    assert store.clock.slept == [20.5]


async def test_a_link_that_is_not_followed_is_an_error_of_its_own() -> None:
    store, derivative = one()

    @asynccontextmanager
    async def refuse(*_: object, **__: object) -> AsyncIterator[None]:
        raise UnsafeLink("its scheme is ftp")
        yield  # type: ignore[unreachable]  # or it were no generator

    store.open_link = refuse  # type: ignore[method-assign, assignment]
    report = await downloader(store, MemorySink()).download([derivative])
    assert isinstance(report.files[0].error, UnsafeLinkError)
    assert "ftp" in str(report.files[0].error)


class BrokenSink(MemorySink):
    """A sink whose disk fails at a chosen step."""

    def __init__(self, step: str, error: OSError) -> None:
        super().__init__()
        self.step, self.error = step, error

    async def find(self, name: str) -> FoundFile | None:
        self.fail("find")
        return await super().find(name)

    async def put(self, name: str, body: bytes, check: Callable[[bytes], str]) -> tuple[str, str]:
        self.fail("put")
        return await super().put(name, body, check)

    @asynccontextmanager
    async def create(self, name: str) -> AsyncIterator[PartialFile]:  # type: ignore[override]
        self.fail("create")
        async with super().create(name) as part:
            yield BrokenPart(self, part)
        self.fail("close")

    def fail(self, step: str) -> None:
        if step == self.step:
            raise self.error


class BrokenPart:
    def __init__(self, sink: BrokenSink, part: PartialFile) -> None:
        self._sink, self._part = sink, part

    async def write(self, data: bytes) -> None:
        self._sink.fail("write")
        await self._part.write(data)

    async def commit(self) -> str:
        self._sink.fail("commit")
        return await self._part.commit()


@pytest.mark.parametrize("step", ["find", "put", "create", "write", "commit", "close"])
@pytest.mark.parametrize(
    ("number", "error"),
    [(errno.ENOSPC, DiskFullError), (errno.EDQUOT, DiskFullError), (errno.EIO, StorageError)],
)
async def test_a_failing_disk_is_told_apart_and_never_retried(
    step: str, number: int, error: type[Exception]
) -> None:
    """ "A full disk is an error of its own and is not retried."

    Trap (parfive, writers): the writer dies of a full disk and the join never returns.
    """
    store, derivative = one(detections("x", 1 if step == "put" else 500))
    sink = BrokenSink(step, OSError(number, "the disk's own words"))
    report = await downloader(store, sink).download([derivative])
    [failure] = report.failures
    assert type(failure.error) is error
    assert isinstance(failure.error.__cause__, OSError)
    assert "the disk's own words" in str(failure.error)
    assert len(store.requests) <= 1


async def test_no_secret_is_in_any_event_record_error_or_traceback(tmp_path: Path) -> None:
    """Promise 5: "secrets never leave"."""
    page = f"<Error><Signature>{CANARY}</Signature> ?Expires=1&Signature={CANARY}</Error>".encode()
    faults = [Fault(status=403, body=page), Fault(status=200, body=page), Fault(status=503)]
    store = FakeStore(faults=[*faults, Fault(status=418, body=page), *[Fault(stop_after=1)] * 50])
    derivatives = [store.add(f"d{n}", detections("x", n * 50)) for n in range(5)]
    events = await events_of(downloader(store, DirectorySink(tmp_path), concurrency=2), derivatives)
    said = [repr(event) for event in events]
    for event in events:
        if isinstance(event, TransferFailed):
            error = event.record.error
            assert error is not None
            said += [str(error), repr(error.__dict__), pickle.dumps(error).decode("latin-1")]
            lines = traceback.TracebackException.from_exception(error, capture_locals=True)
            said += lines.format()
        if isinstance(event, TransferFinished | TransferFailed):
            said.append(pickle.dumps(event).decode("latin-1"))
    assert any(isinstance(event, TransferFailed) for event in events)
    assert [text for text in said if CANARY in text] == []


# -- the stream ------------------------------------------------------------------------------------


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
    """E7 of the style guide's experiments: a lone exception is unwrapped, without a context."""
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


async def test_links_are_forgotten_with_their_assets(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that lasts for weeks must not collect dead links, however often they come again."""
    kept: list[Leases] = []

    class Watched(Leases):
        def __init__(self, *arguments: object, **settings: object) -> None:
            super().__init__(*arguments, **settings)  # type: ignore[arg-type]
            kept.append(self)

    monkeypatch.setattr("iceye_derivatives.downloader.Leases", Watched)
    store, derivative = one()

    async def watch() -> AsyncIterator[Derivative]:
        sink_of.files.clear()
        yield derivative
        while not sink_of.files:
            await anyio.lowlevel.checkpoint()
        await settle()
        yield derivative

    sink_of = MemorySink()
    await downloader(store, sink_of).download(watch())
    [leases] = kept
    assert leases._tasks == {}


# -- laws ------------------------------------------------------------------------------------------

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
    scope = anyio.CancelScope()

    async def run() -> None:
        with scope:
            await found.download(derivatives)

    task = asyncio.get_running_loop().create_task(run())
    for _ in range(turns):
        await asyncio.sleep(0)
    if task.done():
        return True
    if plainly:
        task.cancel()
    else:
        scope.cancel()
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


async def test_a_name_is_made_of_ids_and_never_of_the_link() -> None:
    """Trap (up42, names): file name comes from a query parameter of the signed URL.

    Complaint (wandb/wandb #12592): names that a server chose leave the directory.
    Complaint (pypa/pip #6418): the same, by a header.
    """
    store = FakeStore()
    derivative = store.add("../../evil", detections(), task_id="/etc")
    sink = MemorySink()
    await downloader(store, sink).download([derivative])
    ref = AssetRef(
        task_id="/etc", derivative_id="../../evil", product_type="DC_VESSELS", asset_type="geojson"
    )
    assert list(sink.files) == [file_name(ref)]
