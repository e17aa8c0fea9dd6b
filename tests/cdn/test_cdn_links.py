"""Do signed links travel byte for byte, and are dead ones renewed, against a real signer?"""

from __future__ import annotations

from pathlib import Path

import pytest
from cdn_stage import Stage, links_of

from iceye_derivatives import (
    DerivativesClient,
    DownloadEvent,
    LinkRefusedError,
    SignedUrl,
    TransferRetrying,
)

pytestmark = pytest.mark.anyio

BODY = b'{"type":"FeatureCollection","features":[]}'
ODD_PATH = "/odd/a%2Fb~c+d%20e%c3%A9%E2%82%aC/(1)%21*'@:,;=$&.geojson"
ODD_TERMS = "response-content-disposition=attachment%3B+filename%3d%22a~b%2Fc%C3%a9%22&x=%7E/?:@&"
CHANGES = [
    ("%2F", "%2f"),
    ("%2F", "/"),
    ("~", "%7E"),
    ("+", "%20"),
    ("+", "%2B"),
    ("%c3", "%C3"),
    ("'", "%27"),
    ("Expires=", "x=1&Expires="),
    ("Expires=", "Expires=9"),
    ("&Signature", "&&Signature"),
    ("&Signature=", "&Signature=A"),
]


async def status_of(client: DerivativesClient, link: str) -> int:
    async with client.open_link(SignedUrl(link), headers={}) as response:
        return response.status


async def test_odd_characters_of_a_signed_link_travel_as_they_are(
    stage: Stage, client: DerivativesClient, found: Path
) -> None:
    stage.nginx.start()
    stage.links.terms = ODD_TERMS
    order = stage.order(BODY, raw_paths=[ODD_PATH])

    report = await client.download_task(order.task_id, found)

    assert order.came_whole(report)
    (one,) = stage.nginx.seen()
    assert one.target.startswith(f"{ODD_PATH}?{ODD_TERMS}Expires=")


async def test_this_store_refuses_a_link_with_any_change(
    stage: Stage, client: DerivativesClient
) -> None:
    """Without this, the test above would prove nothing."""
    stage.nginx.start()
    stage.links.terms = ODD_TERMS
    order = stage.order(BODY, raw_paths=[ODD_PATH])
    (link,) = await links_of(client, order.task_id)
    good = link.reveal()
    changed = {good.replace(was, becomes, 1) for was, becomes in CHANGES} | {f"{good}&x=1"}

    assert good not in changed
    assert len(changed) == len(CHANGES) + 1
    assert await status_of(client, good) == 200
    assert {await status_of(client, each) for each in changed} == {403}


async def test_links_known_to_be_dead_are_not_tried(
    stage: Stage, client: DerivativesClient, found: Path
) -> None:
    """Listed long before a slot was free: one listing renews all, and the store sees none dead."""
    stage.nginx.start()
    stage.links.lifetimes = [-5.0] * 4 + [3600.0]
    order = stage.order(*[BODY] * 4)

    report = await client.download_task(order.task_id, found)

    assert order.came_whole(report)
    assert stage.listings() == 2
    assert [one.status for one in stage.nginx.seen()] == [200] * 4


async def test_dead_links_that_our_clock_takes_for_good_are_renewed_once(
    stage: Stage, client: DerivativesClient, found: Path
) -> None:
    """The store's 403 tells its time: one listing renews them all."""
    stage.nginx.start()
    stage.clock.ahead = -7200.0
    stage.links.lifetimes = [-5.0] * 4 + [3600.0]
    order = stage.order(*[BODY] * 4)

    report = await client.download_task(order.task_id, found, concurrency=4)

    assert order.came_whole(report)
    assert max(record.renewals for record in report.files) == 1
    assert stage.listings() == 2
    statuses = sorted(one.status for one in stage.nginx.seen())
    # Whoever asks only after the first renewal has a good link from the start.
    assert statuses[:4] == [200] * 4
    assert statuses[4:] == [403] * len(statuses[4:])
    assert 1 <= len(statuses[4:]) <= 4


async def test_a_store_that_refuses_a_fresh_link_is_not_stormed(
    stage: Stage, client: DerivativesClient, found: Path
) -> None:
    """Wrongly signed, though just listed: renewing will not help, and is not tried for ever.

    Trap (capella, 403): an expired link's 403 is retried for ever.
    """
    stage.nginx.start()
    order = stage.order(BODY)
    stage.links.base_url += "/moved"
    (kind,) = order.places

    report = await client.download_task(order.task_id, found)

    (record,) = report.failures
    error = record.error
    assert isinstance(error, LinkRefusedError)
    assert (error.status, error.store_code) == (403, "AccessDenied")
    assert record.derivative.product_type == kind
    assert not list(found.rglob("*.geojson"))
    assert len(stage.nginx.seen()) == stage.listings() == 2


async def test_a_file_that_is_there_only_after_its_link_is_fetched_when_it_is(
    stage: Stage, client: DerivativesClient, found: Path
) -> None:
    """A 404 of the store: listed before the file had reached it."""
    stage.nginx.start()
    order = stage.order(BODY)
    (place,) = order.places.values()
    place.unlink()

    def appear() -> None:
        if stage.listings() == 2:
            place.write_bytes(BODY)

    stage.links.when_signing = appear

    report = await client.download_task(order.task_id, found)

    assert order.came_whole(report)
    assert [one.status for one in stage.nginx.seen()] == [404, 200]


async def test_a_file_that_comes_to_the_store_late_is_waited_for(
    stage: Stage, client: DerivativesClient, found: Path
) -> None:
    """No listing helps any more: what helps is to ask again after a while."""
    stage.nginx.start()
    order = stage.order(BODY)
    (place,) = order.places.values()
    place.unlink()
    asked: list[float] = []

    def hear(happened: DownloadEvent) -> None:
        if isinstance(happened, TransferRetrying):
            asked.append(happened.seconds)
            if len(asked) == 2:
                place.write_bytes(BODY)

    report = await client.download_task(order.task_id, found, on_event=hear)

    assert order.came_whole(report)
    assert [one.status for one in stage.nginx.seen()] == [404, 404, 404, 200]
    assert all(10 <= seconds <= 20 for seconds in asked)


async def test_a_file_that_stays_away_is_said_so_and_fetched_by_the_next_run(
    stage: Stage, client: DerivativesClient, found: Path
) -> None:
    stage.nginx.start()
    order = stage.order(BODY)
    (place,) = order.places.values()
    place.unlink()

    report = await client.download_task(order.task_id, found)
    place.write_bytes(BODY)
    again = await client.download_task(order.task_id, found)

    assert isinstance(report.files[0].error, LinkRefusedError)
    assert report.files[0].error.status == 404
    assert order.came_whole(again)
    assert [one.status for one in stage.nginx.seen()] == [404] * 5 + [200]
