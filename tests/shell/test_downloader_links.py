"""Is a link that dies renewed in time, no oftener than it must be, and forgotten at its end?"""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
import pytest
from downloads import check_law, downloader, events_of, one
from store_fakes import XML, FakeStore, Fault, detections, settle

from iceye_derivatives._core.plan import file_name
from iceye_derivatives.errors import LinkRefusedError, LinkUnavailableError
from iceye_derivatives.events import DownloadReport, LinkRenewed, TransferFinished
from iceye_derivatives.leases import Leases
from iceye_derivatives.models import Derivative
from iceye_derivatives.sinks import MemorySink

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("pieces")]


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
