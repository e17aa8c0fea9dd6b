"""Does a link reach its store byte for byte, and what comes back reach whoever asked?"""

from __future__ import annotations

import gzip

import aiohttp
import anyio
import pytest
from aiohttp import web
from anyio.lowlevel import checkpoint
from loopback import raw_serving, serving
from transports import QUERY, fetch, files

from iceye_derivatives._core.requests import USER_AGENT
from iceye_derivatives.models import SignedUrl

pytestmark = pytest.mark.anyio


async def test_a_link_travels_byte_for_byte_and_without_our_token() -> None:
    """A store that signs its URLs refuses any other spelling.

    Complaint 6 (asfadmin/Discovery-asf_search #46): a bearer header beside a signature: "only one
    auth mechanism".
    """
    async with serving(web.Response(body=b"abc")) as server, files() as opener:
        answer = await fetch(opener, f"{server.url}/a%2Fb/c.geojson{QUERY}", Range="bytes=1-")

    assert answer == (200, b"abc")
    (seen,) = server.seen
    assert seen.target == f"/a%2Fb/c.geojson{QUERY}"
    assert seen.headers == {
        "host": server.url.removeprefix("http://"),
        "accept": "*/*",
        "accept-encoding": "identity",
        "range": "bytes=1-",
        "user-agent": USER_AGENT,
    }


@pytest.mark.parametrize("borrow", [False, True])
async def test_a_packed_file_stays_packed(borrow: bool) -> None:
    """Sizes, digests and strong ETags mean the bytes on the line, in a borrowed session too."""
    body = gzip.compress(b"{}")
    packed = web.Response(body=body, headers={"Content-Encoding": "gzip"})
    async with (
        serving(packed) as server,
        aiohttp.ClientSession() as borrowed,
        files(session=borrowed if borrow else None) as opener,
    ):
        assert await fetch(opener, server.url) == (200, body)


@pytest.mark.parametrize("borrow", [False, True])
async def test_of_a_body_that_is_read_slowly_little_waits_in_memory(borrow: bool) -> None:
    """Whatever aiohttp's default: what waits is lost with the process, and fetched again."""
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 8000000\r\n\r\n" + bytes(8_000_000)
    async with (
        raw_serving(whole) as url,
        aiohttp.ClientSession() as borrowed,
        files(session=borrowed if borrow else None) as opener,
        opener.open_link(SignedUrl(url), headers={}) as response,
    ):
        chunks = response.chunks()
        for _ in range(5):
            for _ in range(50):  # the loop reads on for us as long as it is let
                await checkpoint()
            assert len(await anext(chunks)) <= 320 * 1024


@pytest.mark.parametrize("status", [403, 404, 416, 503, 304])
async def test_any_status_is_handed_on(status: int) -> None:
    """What it means is decided above, with the body in hand."""
    body = b"" if status == 304 else b"<Code>AccessDenied</Code>"
    async with serving(web.Response(status=status, body=body)) as server, files() as opener:
        assert await fetch(opener, server.url) == (status, body)


async def test_headers_are_known_by_lower_case_names() -> None:
    """And one that came twice holds both."""
    headers = [("ETag", '"x"'), ("X-Cache", "a"), ("X-Cache", "b")]
    async with (
        serving(web.Response(headers=headers)) as server,
        files() as opener,
        opener.open_link(SignedUrl(server.url), headers={}) as response,
    ):
        assert response.headers["etag"] == '"x"'
        assert response.headers["x-cache"] == "a, b"


async def test_a_connection_serves_again_only_after_a_whole_body() -> None:
    """The rest of an abandoned body would have to be read first, however large it is."""
    large = web.Response(body=b"x" * 5_000_000)
    async with (
        serving(web.Response(body=b"abc"), web.Response(body=b"abc"), large) as server,
        files() as opener,
    ):
        await fetch(opener, server.url)
        await fetch(opener, server.url)
        async with opener.open_link(SignedUrl(server.url), headers={}) as response:
            async for _ in response.chunks():
                break
        await fetch(opener, server.url)

    peers = [seen.peer for seen in server.seen]
    assert peers[0] == peers[1] == peers[2] != peers[3]


async def test_as_many_links_are_open_at_a_time_as_are_asked_for() -> None:
    """Who opens links says how many: a pool that is smaller would make the rest wait unseen."""
    here, all_here = 0, anyio.Event()

    async def together(request: web.Request) -> web.StreamResponse:
        nonlocal here
        here += 1
        if here == 64:
            all_here.set()
        await all_here.wait()
        return web.Response(body=b"x")

    async with serving(together) as server, files() as transport:
        async with anyio.create_task_group() as tasks:
            for _ in range(64):
                tasks.start_soon(fetch, transport, f"{server.url}/file")
        assert here == 64
