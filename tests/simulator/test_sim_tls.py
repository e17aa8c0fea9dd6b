"""Does the simulator speak TLS on both ports, so that a client can be seen to check it?"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import trustme
from sim_caller import TASKS, Caller

from iceye_derivatives import DerivativesClient
from iceye_derivatives.errors import NetworkError
from iceye_derivatives.simulator import Simulator, VirtualClock

pytestmark = pytest.mark.anyio


def of_server(ca: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert(*names).configure_cert(context)
    return context


def of_client(ca: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    ca.configure_trust(context)
    return context


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
async def refusals_are_no_news() -> None:
    """In debug mode, asyncio takes a handshake that a client ends for an error of the server's."""
    asyncio.get_running_loop().set_debug(False)


@pytest.fixture
async def safe(ca: trustme.CA) -> AsyncIterator[Simulator]:
    async with Simulator(clock=VirtualClock(), tls=of_server(ca, "127.0.0.1")) as sim:
        yield sim


@pytest.mark.usefixtures("refusals_are_no_news")
async def test_both_ports_speak_tls_and_nothing_else(safe: Simulator, ca: trustme.CA) -> None:
    connector = aiohttp.TCPConnector(ssl=of_client(ca))
    async with aiohttp.ClientSession(connector=connector) as session:
        caller = Caller(safe, session)
        assert (await caller.api("GET", TASKS)).status == 200
        link = await caller.a_link()
        assert link.startswith(f"{safe.cdn_base_url}/")
        assert (await caller.send("GET", link)).status == 200
        with pytest.raises(aiohttp.ClientError):
            await caller.send("GET", link.replace("https://", "http://"))
    assert {safe.api_base_url[:8], safe.cdn_base_url[:8], safe.token_url[:8]} == {"https://"}


async def test_a_reset_and_a_cut_work_through_tls(safe: Simulator, ca: trustme.CA) -> None:
    """Complaint 3 (Sage-Bionetworks/synapsePythonClient #1126).

    A 403 may be an expired link or a real refusal, and TLS closes are neither.
    """
    connector = aiohttp.TCPConnector(ssl=of_client(ca))
    async with aiohttp.ClientSession(connector=connector) as session:
        caller = Caller(safe, session)
        link = await caller.a_link()
        safe.faults.add("reset_body", sent=2_000)
        safe.faults.add("truncated_body", sent=3_000)
        assert [len(await caller.what_comes(link)) for _ in range(2)] == [2_000, 3_000]
        safe.faults.add("cut_connection", side="cdn", times=2)
        with pytest.raises(aiohttp.ClientConnectionError):
            await caller.send("GET", link)


async def test_a_client_that_trusts_the_authority_gets_every_file(
    safe: Simulator, ca: trustme.CA, tmp_path: Path
) -> None:
    task_id = safe.add_task()
    async with DerivativesClient.from_env(
        safe.environ, clock=safe.clock, ssl_context=of_client(ca), rate=1_000.0
    ) as client:
        report = await client.download_task(task_id, tmp_path)
    report.raise_for_failures()
    assert len(list(tmp_path.rglob("*.geojson"))) == 3


@pytest.mark.usefixtures("refusals_are_no_news")
@pytest.mark.parametrize("wrong", ["authority", "name"])
async def test_a_wrong_certificate_is_refused(wrong: str, ca: trustme.CA) -> None:
    issuer = trustme.CA() if wrong == "authority" else ca
    tls = of_server(issuer, "127.0.0.1" if wrong == "authority" else "platform.example")
    async with Simulator(clock=VirtualClock(), tls=tls) as sim:
        task_id = sim.add_task()
        async with DerivativesClient.from_env(
            sim.environ, clock=sim.clock, ssl_context=of_client(ca), rate=1_000.0
        ) as client:
            with pytest.raises(NetworkError):
                await client.get_derivatives(task_id)
    assert sim.requests == []
