"""Does no name lead from a public API into a private network, whatever it is looked up to?"""

from __future__ import annotations

import socket
from typing import Any

import pytest
from aiohttp import web
from attrs import field, mutable
from loopback import serving
from transports import TASK, api, files
from transports import fetch as fetch_by

from iceye_derivatives._core.link_policy import UnsafeLink
from iceye_derivatives._transport.neighbourhood import Neighbourhood
from iceye_derivatives.errors import NetworkError

pytestmark = pytest.mark.anyio

PUBLIC = "https://api.example"
SECRET = "?Signature=planted"


@mutable
class Names:
    """A name service whose every name is this machine."""

    asked: list[str] = field(factory=list)

    def __call__(self, host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        self.asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """In place of the operating system's name service."""
    made = Names()
    monkeypatch.setattr(socket, "getaddrinfo", made)
    return made


async def fetch(url: str, near: Neighbourhood | None, **settings: Any) -> bytes:
    async with files(neighbourhood=near, **{"allow_http": True, **settings}) as transport:
        return (await fetch_by(transport, url))[1]


def named(url: str, host: str) -> str:
    return url.replace("127.0.0.1", host) + "/x" + SECRET


async def test_a_name_that_leads_inside_is_refused_before_connecting(names: Names) -> None:
    """Also as the first hop: the API is public, so its store is."""
    async with serving(web.Response(body=b"inside")) as server:
        with pytest.raises(UnsafeLink, match="by its name") as caught:
            await fetch(named(server.url, "rebound.example"), Neighbourhood(PUBLIC))
    assert (server.seen, names.asked) == ([], ["rebound.example"])
    assert "planted" not in repr(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None


async def test_a_redirect_to_a_name_that_leads_inside_is_not_followed(names: Names) -> None:
    """The store is named, and so may be private; where it redirects to is not."""
    async with serving(web.Response(body=b"inside")) as inner:
        away = web.Response(status=302, headers={"Location": named(inner.url, "rebound.example")})
        async with serving(away) as store:
            with pytest.raises(UnsafeLink, match="by its name"):
                await fetch(
                    named(store.url, "store.example"),
                    Neighbourhood(PUBLIC),
                    allowed_hosts=["store.example", "*.example"],
                )
    assert (len(store.seen), inner.seen) == (1, [])


async def test_what_was_judged_is_what_is_connected_to(names: Names) -> None:
    """One look-up: a second one could say something else."""
    async with serving(web.Response(body=b"file")) as server:
        link = named(server.url, "store.example")
        assert await fetch(link, Neighbourhood(PUBLIC), allowed_hosts=["store.example"]) == b"file"
        assert names.asked == ["store.example"]
        assert await fetch(link, None) == b"file"


async def test_a_private_api_may_have_a_private_store(names: Names) -> None:
    """Closed networks: where the API stands is learned from its own look-up."""
    async with serving(web.Response(body=b"file")) as server:
        url = server.url.replace("http://127.0.0.1", "https://api.corp.example")
        async with api(url) as transport:
            near = transport.neighbourhood
            assert near.is_public
            with pytest.raises(NetworkError):
                await transport.send(TASK)  # the test's server speaks no TLS
        assert not near.is_public
        assert await fetch(named(server.url, "store.example"), near) == b"file"


async def test_addresses_and_loopback_tell_by_themselves_where_an_api_stands() -> None:
    for private in (
        "http://127.0.0.1:8080",
        "http://localhost",
        "https://10.0.0.1",
        "https://[::1]",
    ):
        assert not Neighbourhood(private).is_public
    for public in (PUBLIC, "https://8.8.8.8", "https://[2606:4700::1111]:8443"):
        assert Neighbourhood(public).is_public


async def test_a_private_address_as_a_first_hop_is_refused_where_the_api_is_public() -> None:
    async with serving(web.Response(body=b"inside")) as server:
        with pytest.raises(UnsafeLink, match="private"):
            await fetch(f"{server.url}/x", Neighbourhood(PUBLIC))
    assert server.seen == []


async def test_a_private_proxy_is_the_way_out_but_no_destination(
    names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy looks the store's name up itself; a link to the proxy's own name is refused."""
    async with serving(web.Response(body=b"from afar")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.replace("127.0.0.1", "proxy.corp.example"))
        monkeypatch.setenv("no_proxy", "proxy.corp.example")
        near = Neighbourhood(PUBLIC)
        async with files(neighbourhood=near, allow_http=True, trust_env=True) as transport:
            assert (await fetch_by(transport, "http://store.example/x"))[1] == b"from afar"
            with pytest.raises(UnsafeLink, match="proxy"):
                await fetch_by(transport, named(proxy.url, "proxy.corp.example"))
    assert len(proxy.seen) == 1
    assert names.asked == ["proxy.corp.example"]
