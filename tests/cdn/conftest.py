"""A real nginx as store, and as TLS before the API, under a certificate authority of our own."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme
from cdn_stage import Stage, staged

from iceye_derivatives import DerivativesClient

_LARGE = 20 * 1024 * 1024


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """The one that the client is told to trust."""
    return trustme.CA()


@pytest.fixture(scope="session")
def trust(authority: trustme.CA) -> ssl.SSLContext:
    """What a user gives as `ssl_context`: the system's list, and the private authority."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture(scope="session")
def certificates(authority: trustme.CA) -> dict[str, bytes]:
    """A good one, and three that are none: by name, key and chain in one PEM."""
    past = datetime(2001, 1, 1, tzinfo=UTC), datetime(2001, 1, 2, tzinfo=UTC)
    leaves = {
        "good": authority.issue_cert("127.0.0.1"),
        "another_authority": trustme.CA().issue_cert("127.0.0.1"),
        "another_name": authority.issue_cert("127.0.0.2", "cdn.example"),
        "expired": authority.issue_cert("127.0.0.1", not_before=past[0], not_after=past[1]),
    }
    return {name: leaf.private_key_and_cert_chain_pem.bytes() for name, leaf in leaves.items()}


@pytest.fixture(scope="session")
def large() -> bytes:
    """A collection of at least 20 MiB, no two pages of which are the same."""
    one = '{"type":"Feature","geometry":{"type":"Point","coordinates":[4.0,51.9]},"properties":%s}'
    features: list[str] = []
    size = 0
    while size < _LARGE:
        features.append(one % json.dumps({"id": len(features), "note": "x" * 2000}))
        size += len(features[-1])
    return ('{"type":"FeatureCollection","features":[' + ",".join(features) + "]}").encode()


@pytest.fixture
async def stage(
    tmp_path: Path, trust: ssl.SSLContext, certificates: dict[str, bytes]
) -> AsyncIterator[Stage]:
    """Simulator and nginx; a test starts nginx with the settings that it wants."""
    folder = tmp_path / "nginx"
    folder.mkdir()
    for name, pem in certificates.items():
        (folder / f"{name}.pem").write_bytes(pem)
    async with staged(folder, trust) as made:
        yield made


@pytest.fixture
async def client(stage: Stage) -> AsyncIterator[DerivativesClient]:
    """A client over https to both."""
    async with stage.client() as made:
        yield made


@pytest.fixture
def found(tmp_path: Path) -> Path:
    """Where files go."""
    return tmp_path / "found"
