"""A file fails: what is tried again, what is recorded, and what is told without a secret?"""

from __future__ import annotations

import errno
import pickle
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from downloads import BrokenSink, check_law, downloader, events_of, one
from store_fakes import CANARY, FakeStore, Fault, detections

from iceye_derivatives._core.link_policy import UnsafeLink
from iceye_derivatives.errors import (
    ContentError,
    DiskFullError,
    DownloadFailedError,
    LinkRefusedError,
    NetworkError,
    StorageError,
    TransferError,
    UnsafeLinkError,
)
from iceye_derivatives.events import TransferFailed, TransferFinished, TransferRetrying
from iceye_derivatives.sinks import DirectorySink, MemorySink

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("pieces")]


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
    with pytest.raises(DownloadFailedError, match=r"^1 of 2 files failed; the others are whole"):
        report.raise_for_failures()


async def test_where_every_file_failed_no_others_are_told_of() -> None:
    store, derivative = one(b"", *[Fault(status=403, body=b"No.")] * 99)
    report = await downloader(store, MemorySink()).download([derivative])
    with pytest.raises(DownloadFailedError, match=r"^1 of 1 files failed; running again"):
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
