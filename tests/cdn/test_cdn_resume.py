"""Does an interrupted transfer go on where it stood, by a real server's Range and ETag?"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest
from cdn_stage import Stage
from nginx_server import Seen

from iceye_derivatives import AssetRef, DerivativesClient, TransferProgressed, TransferRetrying
from iceye_derivatives._clock import SystemClock
from iceye_derivatives.events import DownloadEvent, TransferStarted

pytestmark = pytest.mark.anyio

RATE = "4m"
"""Slow enough that each of these files is far from whole when its transfer is cut."""


class Cut:
    """Does something to the server as soon as all transfers have got some bytes; keeps the story.

    The next of `hows` waits until all that the one before it cut have broken, and move again.
    """

    def __init__(self, *hows: Callable[[], None], transfers: int = 1) -> None:
        self._hows = list(hows)
        self._transfers = transfers
        self._moving: set[AssetRef] = set()
        self._breaking = False
        self.events: list[DownloadEvent] = []

    def __call__(self, event: DownloadEvent) -> None:
        self.events.append(event)
        if isinstance(event, TransferRetrying):
            self._moving.discard(event.asset)
            self._breaking = self._breaking and bool(self._moving)
        elif isinstance(event, TransferProgressed) and not self._breaking:
            self._moving.add(event.asset)
            if len(self._moving) == self._transfers and self._hows:
                self._breaking = True
                self._hows.pop(0)()

    @property
    def offsets(self) -> list[int]:
        """Where each try began."""
        return [event.offset for event in self.events if isinstance(event, TransferStarted)]

    @property
    def stood_at(self) -> int:
        """How many bytes had come when the line broke."""
        broke = next(
            i for i, event in enumerate(self.events) if isinstance(event, TransferRetrying)
        )
        return max(e.received for e in self.events[:broke] if isinstance(e, TransferProgressed))


async def test_a_transfer_that_is_cut_goes_on_at_the_byte_where_it_stood(
    stage: Stage, client: DerivativesClient, found: Path, large: bytes
) -> None:
    """A server that is reloaded drops its transfers: 206 from there, and no byte is sent twice.

    Trap (stac-asset, bodies): retry covers getting headers; a body that breaks is not retried.
    """
    stage.nginx.start(rate=RATE)
    order = stage.order(large)
    story = Cut(lambda: stage.nginx.reload(rate=None))

    report = await client.download_task(order.task_id, found, on_event=story)

    assert order.came_whole(report)
    first, rest = stage.nginx.seen()
    held = story.offsets[1]
    assert story.stood_at <= held <= first.sent < len(large)
    assert (first.status, rest.status) == (200, 206)
    assert (rest.range, rest.if_range) == (f"bytes={held}-", first.etag)
    assert rest.content_range == f"bytes {held}-{len(large) - 1}/{len(large)}"
    assert rest.sent == len(large) - held
    assert first.connection != rest.connection


async def test_transfers_that_are_all_cut_twice_fetch_each_byte_that_came_once(
    stage: Stage, client: DerivativesClient, found: Path, large: bytes
) -> None:
    """Held in memory or streamed to the disk: each goes on where it stood, both times."""
    stage.nginx.start(rate="1m")
    head, tail = large[: large.index(b"[") + 1], large[-2:]
    order = stage.order(*(head + b" " * size * 1_000_000 + tail for size in (2, 3, 5, 8)))
    story = Cut(stage.nginx.reload, lambda: stage.nginx.reload(rate=None), transfers=4)

    report = await client.download_task(order.task_id, found, on_event=story)

    assert order.came_whole(report)
    tries: dict[str, list[Seen]] = defaultdict(list)
    for one in stage.nginx.seen():
        tries[one.target].append(one)
    assert len(tries) == 4
    for first, second, last in tries.values():
        assert [first.status, second.status, last.status] == [200, 206, 206]
        assert 0 < second.begins <= first.sent
        assert second.begins < last.begins <= second.begins + second.sent
        assert last.begins + last.sent == last.total


async def test_a_link_that_dies_during_an_interrupted_transfer_is_renewed_and_resumed(
    stage: Stage, client: DerivativesClient, found: Path, large: bytes
) -> None:
    """ "A download begun in time runs to its end; any further Range GET after expiry fails".

    Complaint 2 (dimensionalOS/dimos #3913): one-hour URLs die during a long transfer; the test
    store never expired one.
    """
    stage.nginx.start(rate=RATE)
    # The listing of the watch, the first renewal (as it would die too soon), the second.
    stage.links.lifetimes = [4.0, 4.0, 3600.0]
    order = stage.order(large)
    story = Cut(lambda: stage.nginx.reload(rate=None))

    async def until_it_is_dead() -> None:
        await anyio.sleep(stage.links.expiries[-1] + 1 - SystemClock().time())

    stage.clock.meanwhile = until_it_is_dead

    report = await client.download_task(order.task_id, found, on_event=story)

    assert order.came_whole(report)
    first, refused, rest = stage.nginx.seen()
    assert [first.status, refused.status, rest.status] == [200, 403, 206]
    assert refused.target == first.target != rest.target
    assert refused.range == rest.range == f"bytes={story.offsets[1]}-"
    assert rest.sent == len(large) - story.offsets[1] < len(large)
    assert stage.listings() == 3


async def test_a_link_that_dies_before_its_time_is_renewed_and_resumed(
    stage: Stage, client: DerivativesClient, found: Path, large: bytes
) -> None:
    """The stated expiry is an upper bound: here the signer's key is changed long before it.

    Complaint 5 (chanzuckerberg/single-cell-data-portal #2266): links promised for a week die in
    hours.
    """
    stage.nginx.start(rate=RATE)
    order = stage.order(large)
    story = Cut(lambda: stage.nginx.reload(rate=None, secret="the-next-one"))
    stage.links.when_signing = lambda: setattr(stage.links, "secret", stage.nginx.settings.secret)

    report = await client.download_task(order.task_id, found, on_event=story)

    assert order.came_whole(report)
    first, refused, rest = stage.nginx.seen()
    assert [first.status, refused.status, rest.status] == [200, 403, 206]
    assert rest.range == f"bytes={story.offsets[1]}-"
    assert rest.sent == len(large) - story.offsets[1] < len(large)
    assert stage.listings() == 2


async def test_a_file_that_is_replaced_between_two_ranges_is_fetched_from_its_start(
    stage: Stage, client: DerivativesClient, found: Path, large: bytes
) -> None:
    """Two halves of two files are no file: `If-Range` has the store send the new one whole."""
    stage.nginx.start(rate=RATE)
    order = stage.order(large.replace(b"x", b"y"))
    (place,) = order.places.values()
    new = place.read_bytes()
    place.write_bytes(large)

    async def replaced() -> None:
        other = place.with_name("new")
        other.write_bytes(new)
        os.utime(other, (1, 1))
        other.replace(place)

    stage.clock.meanwhile = replaced
    story = Cut(lambda: stage.nginx.reload(rate=None))

    report = await client.download_task(order.task_id, found, on_event=story)

    assert order.came_whole(report)
    assert story.offsets == [0, 0]
    first, whole = stage.nginx.seen()
    assert (whole.status, whole.if_range) == (200, first.etag)
    assert whole.range not in ("", "bytes=0-")
    assert whole.sent == len(large)


async def test_a_server_that_is_killed_and_comes_back_is_waited_for(
    stage: Stage, client: DerivativesClient, found: Path, large: bytes
) -> None:
    """Killed in the middle, refusing connections for a while, and then the rest of the file."""
    stage.nginx.start(rate=RATE)
    order = stage.order(large)
    story = Cut(stage.nginx.kill)

    async def back_after_three_tries() -> None:
        if stage.clock.sleeps == 3:
            stage.nginx.start(rate=None)

    stage.clock.meanwhile = back_after_three_tries

    report = await client.download_task(order.task_id, found, on_event=story)

    assert order.came_whole(report)
    assert report.files[0].retries == 3
    (rest,) = stage.nginx.seen()  # nobody logged the first
    assert rest.status == 206
    assert rest.range == f"bytes={story.offsets[1]}-"
    assert rest.sent == len(large) - story.offsets[1] < len(large)


async def test_an_api_behind_the_same_server_is_waited_for_too(
    stage: Stage, client: DerivativesClient, found: Path
) -> None:
    """Nothing listens at first: the watch waits, and then all goes well."""
    order = stage.order(b'{"type":"FeatureCollection","features":[]}')

    async def comes_up() -> None:
        if stage.clock.sleeps == 3:
            stage.nginx.start()

    stage.clock.meanwhile = comes_up

    report = await client.download_task(order.task_id, found)

    assert order.came_whole(report)
