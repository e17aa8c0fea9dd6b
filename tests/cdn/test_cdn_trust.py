"""Is nobody trusted whose certificate is not good, and is that said?"""

from __future__ import annotations

from pathlib import Path

import pytest
from cdn_stage import Stage

from iceye_derivatives import (
    DerivativesClient,
    NetworkError,
    RetryPolicy,
    StaticToken,
    TransferError,
)
from iceye_derivatives.downloader import DownloadSettings

pytestmark = pytest.mark.anyio

BODY = b'{"type":"FeatureCollection","features":[]}'
BAD = {
    "another_authority": "unable to get local issuer certificate",
    "another_name": "IP address mismatch, certificate is not valid for '127.0.0.1'.",
    "expired": "certificate has expired",
}


@pytest.mark.parametrize("certificate", BAD)
async def test_a_store_with_a_bad_certificate_gets_no_request(
    stage: Stage, client: DerivativesClient, found: Path, certificate: str
) -> None:
    """Tried again within its budget, as a proxy's bad day may pass; never asked, never stored."""
    stage.nginx.start(certificate=certificate)
    order = stage.order(BODY)

    report = await client.download_task(order.task_id, found)

    (record,) = report.failures
    assert isinstance(record.error, TransferError)
    cause = record.error.__cause__
    assert isinstance(cause, NetworkError)
    assert f"its certificate is not trusted ({BAD[certificate]})" in str(cause)
    assert "ssl_context" in str(cause)
    assert str(cause) in str(record.error)
    assert not cause.sent
    assert record.retries == DownloadSettings().retries + 1
    assert not [path for path in found.rglob("*") if path.is_file()]
    assert stage.nginx.seen() == []


@pytest.mark.parametrize("certificate", BAD)
async def test_an_api_with_a_bad_certificate_gets_no_token(stage: Stage, certificate: str) -> None:
    stage.nginx.start(api_certificate=certificate)
    async with DerivativesClient(
        base_url=stage.nginx.api_url,
        auth=StaticToken("canary"),
        ssl_context=stage.trust,
        clock=stage.clock,
    ) as client:
        with pytest.raises(NetworkError, match="certificate is not trusted") as caught:
            await client.get_task("t")

    assert not caught.value.sent
    assert stage.clock.sleeps == RetryPolicy().attempts - 1
    assert stage.nginx.seen_by_api() == []


async def test_a_token_endpoint_with_a_bad_certificate_gets_no_secret(
    stage: Stage, client: DerivativesClient
) -> None:
    stage.nginx.start(api_certificate="another_authority")

    with pytest.raises(NetworkError, match="certificate is not trusted"):
        await client.get_task("t")

    assert stage.nginx.seen_by_api() == []


async def test_a_private_authority_is_not_trusted_unless_asked_for(stage: Stage) -> None:
    stage.nginx.start()

    async with stage.client(ssl_context=None) as client:
        with pytest.raises(NetworkError, match="certificate is not trusted"):
            await client.get_task("t")

    assert stage.nginx.seen_by_api() == []
