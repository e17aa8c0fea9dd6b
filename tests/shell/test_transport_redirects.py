"""Where may a store's redirect lead, and how often?"""

from __future__ import annotations

import pytest
from aiohttp import web
from loopback import everything, serving
from transports import QUERY, fetch, files, moved

from iceye_derivatives._core.link_policy import UnsafeLink
from iceye_derivatives.errors import NetworkError

pytestmark = pytest.mark.anyio


async def test_a_redirect_goes_through_the_proxy_of_where_it_leads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    away = web.Response(status=302, headers={"Location": "http://store.invalid/x"})
    async with serving(away) as server, serving(web.Response(body=b"file")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        async with files(trust_env=True, allow_http=True) as opener:
            assert await fetch(opener, server.url) == (200, b"file")
    assert [len(one.seen) for one in (server, proxy)] == [1, 1]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_followed_byte_for_byte(status: int) -> None:
    """With the headers of the first request."""
    async with serving(web.Response(body=b"abc")) as other:
        target = f"{other.url}/b%2F{QUERY}"
        async with serving(moved(target, status)) as server, files() as opener:
            assert await fetch(opener, server.url, Range="bytes=0-") == (200, b"abc")

    assert other.seen[0].target == f"/b%2F{QUERY}"
    assert other.seen[0].headers["range"] == "bytes=0-"


@pytest.mark.parametrize("status", [200, 201, 304, 404])
async def test_nothing_but_a_redirect_leads_elsewhere(status: int) -> None:
    async with (
        serving(web.Response(body=b"abc")) as other,
        serving(moved(other.url, status)) as server,
        files() as opener,
    ):
        assert (await fetch(opener, server.url))[0] == status

    assert other.seen == []


async def test_a_redirect_within_the_store_may_be_relative() -> None:
    """And three are followed, but not a fourth."""
    end = web.Response(body=b"abc")
    async with serving(moved("/1"), moved("/2"), moved("3"), end) as server, files() as opener:
        assert await fetch(opener, server.url) == (200, b"abc")
    async with serving(moved("/again")) as server, files() as opener:
        with pytest.raises(UnsafeLink, match="3 times") as caught:
            await fetch(opener, f"{server.url}/{QUERY}")
        assert opener._session._session is not None
        assert opener._session._session.connector is not None
        assert not opener._session._session.connector._acquired

    assert len(server.seen) == 4
    assert "planted" not in everything(caught.value)


@pytest.mark.parametrize(
    "location",
    [
        "http://cdn.invalid/planted",
        "https://user:planted@cdn.invalid/",
        "ftp://cdn.invalid/planted",
        "file:///etc/planted",
        "https://cdn.invalid/plänted",
    ],
)
async def test_an_unsafe_redirect_is_not_followed(location: str) -> None:
    """Nothing is looked up or sent, and the reason does not repeat the link."""
    async with serving(moved(location)) as server, files() as opener:
        with pytest.raises(UnsafeLink) as caught:
            await fetch(opener, server.url)

    assert "planted" not in everything(caught.value)


async def test_plain_http_is_the_callers_to_allow() -> None:
    """Then the line breaks where the name does not exist, and no sooner."""
    async with files() as strict, files(allow_http=True) as lax:
        with pytest.raises(UnsafeLink):
            await fetch(strict, "http://cdn.invalid/a")
        with pytest.raises(NetworkError):
            await fetch(lax, "http://cdn.invalid/a")


async def test_no_redirect_leads_from_a_public_store_to_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The store is public by its name; a proxy stands in for the way to it."""
    async with serving(web.Response()) as inner, serving(moved(f"{inner.url}/x")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        async with files(trust_env=True, allow_http=True) as opener:
            with pytest.raises(UnsafeLink, match="private") as caught:
                await fetch(opener, f"http://store.example/a{QUERY}")

    assert (len(proxy.seen), inner.seen) == (1, [])
    assert "planted" not in everything(caught.value)
