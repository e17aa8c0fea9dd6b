"""Does what `air-gapped.md` says hold: whom to trust, and the way past a proxy?"""

from __future__ import annotations

import ssl
import subprocess
import sys
from pathlib import Path

import anyio
import pytest
import trustme

from iceye_derivatives.simulator import Simulator, VirtualClock

pytestmark = pytest.mark.anyio

PROGRAM = """
import asyncio, sys
from iceye_derivatives import DerivativesClient, NetworkError

async def main():
    async with DerivativesClient.from_env(trust_env=%s) as client:
        print((await client.get_task(sys.argv[1])).status)

try:
    asyncio.run(main())
except NetworkError as error:
    print(error)
"""
NOWHERE = {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}


async def run(sim: Simulator, *, trust_env: bool = True, **settings: str) -> str:
    task_id = sim.add_task()
    done = await anyio.run_process(
        [sys.executable, "-c", PROGRAM % trust_env, task_id],
        env=sim.environ | {"PATH": "/usr/bin:/bin", "NO_PROXY": ""} | settings,
        stderr=subprocess.STDOUT,
    )
    return done.stdout.decode().strip()


async def test_an_authority_of_ours_is_trusted_by_its_file_and_by_nothing_else(
    tmp_path: Path,
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ours.pem"))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    async with Simulator(clock=VirtualClock(), tls=server) as sim:
        assert await run(sim, SSL_CERT_FILE=str(tmp_path / "ours.pem")) == "RECEIVED"
        assert "SSL_CERT_FILE" in await run(sim)


async def test_a_proxy_of_the_environment_is_heeded_unless_told_otherwise(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ours.pem"))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    trusted = {"SSL_CERT_FILE": str(tmp_path / "ours.pem"), **NOWHERE}
    async with Simulator(clock=VirtualClock(), tls=server) as sim:
        assert "proxy" in await run(sim, **trusted)
        assert await run(sim, trust_env=False, **trusted) == "RECEIVED"
