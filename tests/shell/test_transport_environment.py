"""What of the environment is heeded: a proxy, found once for each host, and no netrc?"""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest
from aiohttp import web
from loopback import serving
from transports import QUERY, TASK, api, fetch, files

from iceye_derivatives._transport import proxies
from iceye_derivatives._transport.proxies import Proxies

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("after", ["?", "/?", "#", "/a/b?"])
async def test_looking_for_a_proxy_keeps_nothing_of_a_link_but_its_host(after: str) -> None:
    found = Proxies(trust_env=True)
    await found.lookup(f"https://store.example{after}Signature=planted")
    assert "planted" not in repr(vars(found))


async def test_the_proxy_of_one_host_is_not_anothers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a link is written as no link of a store is."""
    monkeypatch.setattr(proxies, "_look_up", lambda _, host: f"http://proxy-of-{host}")
    found = Proxies(trust_env=True)
    for _ in range(2):
        for scheme in ("https", "HTTPS"):
            for host in ("a.example", "b.example"):
                assert await found.lookup(f"{scheme}://{host}/x") == f"http://proxy-of-{host}"


async def test_all_who_begin_at_once_look_for_a_proxy_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first files of a run: each look takes a thread."""
    looks: list[tuple[str, str]] = []
    monkeypatch.setattr(proxies, "_look_up", lambda *key: looks.append(key))
    found = Proxies(trust_env=True)
    async with anyio.create_task_group() as tasks:
        for number in range(3):
            tasks.start_soon(found.lookup, f"https://store.example/{number}")
    assert looks == [("https", "store.example")]


async def test_who_trusts_no_environment_looks_for_no_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks: list[tuple[str, str]] = []
    monkeypatch.setattr(proxies, "_look_up", lambda *key: looks.append(key))
    assert await Proxies(trust_env=False).lookup("https://store.example/x") is None
    assert looks == []


async def test_netrc_is_never_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ``default`` entry would send that password to the store, and aiohttp refuses our token."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login planted password planted\n")
    monkeypatch.setenv("NETRC", str(netrc))
    async with (
        serving(web.Response()) as server,
        api(server.url, trust_env=True) as sender,
        files(trust_env=True) as opener,
    ):
        await sender.send(TASK)
        await fetch(opener, server.url)

    assert server.seen[0].headers["authorization"] == "Bearer planted-1"
    assert "authorization" not in server.seen[1].headers


async def test_the_proxy_of_the_environment_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closed networks have no other way out; with ``trust_env=False`` it is left alone."""
    async with serving(web.Response(body=b"via proxy")) as proxy, serving(web.Response()) as server:
        monkeypatch.setenv("http_proxy", proxy.url.replace("//", "//user:word@"))
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        async with files(trust_env=True) as opener:
            assert await fetch(opener, f"{server.url}/a{QUERY}") == (200, b"via proxy")
        async with files(trust_env=False) as opener:
            assert await fetch(opener, server.url) == (200, b"")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        async with files(trust_env=True) as opener:
            assert await fetch(opener, server.url) == (200, b"")

    assert [len(proxy.seen), len(server.seen)] == [1, 2]
    assert proxy.seen[0].target == f"{server.url}/a{QUERY}"
    assert proxy.seen[0].headers["proxy-authorization"].startswith("Basic ")
