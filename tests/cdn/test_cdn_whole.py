"""Do files come whole from a real server, over TLS, and is nothing sent that should not be?"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import anyio
import pytest
from cdn_stage import Stage, links_of

from iceye_derivatives import Backoff, DerivativesClient, DirectorySink, Downloader
from iceye_derivatives.downloader import DownloadSettings

pytestmark = pytest.mark.anyio


def small(number: int) -> bytes:
    return b'{"type":"FeatureCollection","features":[],"number":%d}' % number


async def test_many_small_files_and_a_large_one_over_few_connections(
    stage: Stage, client: DerivativesClient, found: Path, large: bytes
) -> None:
    stage.nginx.start()
    order = stage.order(large, *map(small, range(80)))

    report = await client.download_task(order.task_id, found, concurrency=6)

    assert order.came_whole(report)
    seen = stage.nginx.seen()
    assert [one.status for one in seen] == [200] * 81
    assert len({one.connection for one in seen}) <= 6
    assert all(one.tls.startswith("TLSv1.") for one in seen)


async def test_the_token_goes_to_the_api_alone(
    stage: Stage, client: DerivativesClient, found: Path
) -> None:
    """Complaint 6 (asfadmin/Discovery-asf_search #46).

    A bearer header beside a signature: "only one auth mechanism".
    """
    stage.nginx.start()
    order = stage.order(small(1), small(2))

    await client.download_task(order.task_id, found)

    api = stage.nginx.seen_by_api()
    assert any(one.authorization.startswith("Bearer ") for one in api)
    assert all(one.tls for one in api)
    seen = stage.nginx.seen()
    assert len(seen) == 2
    assert [(one.authorization, one.accept_encoding) for one in seen] == [("", "identity")] * 2


async def test_a_store_that_likes_to_compress_is_asked_not_to(
    stage: Stage, client: DerivativesClient, found: Path
) -> None:
    """Sizes, hashes and strong ETags mean the bytes on disk only where nothing is compressed."""
    stage.nginx.start(gzip=True)
    order = stage.order(b'{"type":"FeatureCollection","features":[' + b" " * 50_000 + b"]}")

    report = await client.download_task(order.task_id, found)

    assert order.came_whole(report)
    (link,) = await links_of(client, order.task_id)
    async with client.open_link(link, headers={"Accept-Encoding": "gzip"}) as tempted:
        assert tempted.headers["content-encoding"] == "gzip"
    assert [one.etag.startswith('"') for one in stage.nginx.seen()] == [True, False]


async def test_no_more_transfers_at_a_time_than_the_store_bears(stage: Stage, found: Path) -> None:
    """The store answers 503 above two at a time: all files come, each in its turn.

    Complaint 10 (planetlabs/planet-client-python #759): a session for each file defeats the limit;
    in order means one at a time.
    """
    stage.nginx.start(connections=2, rate="2m")
    order = stage.order(*(small(number) + b" " * 300_000 for number in range(8)))
    # The refusals come in real time, so there is real, if short, waiting between the tries.
    stage.clock.meanwhile = partial(anyio.sleep, 0.02)
    settings = DownloadSettings(
        retries=1000, retries_in_total=1000, backoff=Backoff(initial=0.1, maximum=0.1)
    )

    async with stage.client() as client:
        snapshot = await client.get_derivatives(order.task_id)
        downloader = Downloader(
            client, DirectorySink(found), concurrency=8, clock=stage.clock, settings=settings
        )
        report = await downloader.download(snapshot.derivatives)

    assert order.came_whole(report)
    refused = [one for one in stage.nginx.seen() if one.status == 503]
    assert len(refused) == sum(record.retries for record in report.files) > 0


async def test_a_slow_line_is_no_silent_one(stage: Stage, found: Path) -> None:
    """`read_timeout` limits silence: a body may take longer, as long as something comes.

    Complaint 18 (stac-utils/stac-asset #161): a five-minute total timeout makes large files
    impossible.
    """
    stage.nginx.start(rate="1m")
    order = stage.order(small(1) + b" " * 3_000_000)

    async with stage.client(read_timeout=1.5) as client:
        report = await client.download_task(order.task_id, found)

    assert order.came_whole(report)
    (one,) = stage.nginx.seen()
    assert one.took > 1.5
