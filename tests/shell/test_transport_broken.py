"""Whatever breaks on the line: is it one error of ours, and no secret in it or in the log?"""

from __future__ import annotations

import asyncio
import logging
from contextlib import nullcontext
from functools import partial

import pytest
from aiohttp import web
from loopback import everything, library_locals, raw_serving, serving
from transports import LISTING, QUERY, api, fetch, files

from iceye_derivatives.errors import NetworkError
from iceye_derivatives.models import SignedUrl

pytestmark = pytest.mark.anyio

BROKEN: list[tuple[bytes | None, str, bool]] = [
    (None, "nothing came within the time allowed", True),
    (b"", "closed before an answer came", True),
    (b"planted\r\n\r\n", "what came is no HTTP answer", True),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", "the body broke off", True),
    (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nplanted\r\n",
        "the body broke off|what came is no HTTP answer",
        True,
    ),
    (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 7\r\n\r\nplanted",
        "the body broke off",
        True,
    ),
]


def _judge(error: NetworkError, *, sent: bool) -> None:
    assert error.sent is sent
    assert error.__cause__ is error.__context__ is None
    assert "127.0.0.1" in str(error) or "invalid" in str(error)
    assert "planted" not in everything(error)


@pytest.mark.parametrize(("answer", "words", "sent"), BROKEN, ids=range(6))
async def test_every_broken_answer_is_one_error_of_ours(
    answer: bytes | None, words: str, sent: bool
) -> None:
    """It names host and kind, and drags no error of aiohttp along."""
    async with raw_serving(answer) as url, api(url, read_timeout=0.1) as sender:
        with pytest.raises(NetworkError, match=words) as caught:
            await sender.send(LISTING)
    _judge(caught.value, sent=sent)


@pytest.mark.parametrize(("answer", "words", "sent"), BROKEN[:5], ids=range(5))
async def test_every_broken_file_is_one_error_of_ours(
    answer: bytes | None, words: str, sent: bool
) -> None:
    """The same for links, whose text is a secret; packed bodies are not unpacked there.

    Trap (earthaccess, timeouts): no timeout on the GET, and a 404 is retried like a broken line.
    Complaint 16 (earthaccess-dev/earthaccess #1128): 1,627 of 1,628 files done, then nothing for
    hours.
    """
    async with raw_serving(answer) as url, files(read_timeout=0.1) as opener:
        with pytest.raises(NetworkError, match=words) as caught:
            await fetch(opener, f"{url}/a{QUERY}")
    _judge(caught.value, sent=sent)


async def test_what_breaks_before_sending_says_so() -> None:
    """A refused port, a name that does not exist, and TLS that cannot be agreed on."""
    async with raw_serving(b"") as gone:
        pass
    async with raw_serving(b"no TLS here") as plain, files() as opener:
        for url, words in (
            (gone, "no connection could be made"),
            ("https://cdn.invalid", "name was not found"),
            (plain.replace("http:", "https:"), "no TLS connection"),
        ):
            with pytest.raises(NetworkError, match=words) as caught:
                await fetch(opener, f"{url}/a{QUERY}")
            _judge(caught.value, sent=False)


async def test_an_error_of_the_caller_is_left_alone() -> None:
    """What is raised inside the context is not taken for an error of the line."""
    async with serving(web.Response(body=b"abc")) as server, files() as opener:
        with pytest.raises(ValueError, match="theirs"):
            async with opener.open_link(SignedUrl(server.url), headers={}):
                raise ValueError("theirs")
        with pytest.raises(OSError, match="disk") as caught:
            async with opener.open_link(SignedUrl(f"{server.url}/{QUERY}"), headers={}):
                raise OSError("disk")

    assert "planted" not in library_locals(caught.value)


async def test_the_log_tells_what_was_asked_and_no_secret(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """At DEBUG, from every logger, whether it went well or not.

    Trap (planet, logs): each request URL is logged at INFO and all headers at DEBUG.
    """
    caplog.set_level(logging.DEBUG)
    asyncio.get_running_loop().set_debug(True)
    answer = web.Response(body=b"planted", headers={"Date": "Thu, 01 Jan 2026 00:00:00 GMT"})
    async with serving(answer) as server, raw_serving(b"planted") as broken:
        for url in (server.url, broken):
            async with api(url) as sender, files() as opener:
                for call in (
                    partial(sender.send, LISTING),
                    partial(fetch, opener, f"{url}/a{QUERY}"),
                ):
                    with nullcontext() if url == server.url else pytest.raises(NetworkError):
                        await call()

    ours = [record.getMessage() for record in caplog.records if record.name == "iceye_derivatives"]
    assert ours == [
        "GET /api/tasking/v2/tasks → 200 in 0.00 s",
        f"GET {server.url}/a?<redacted> → 200",
    ]
    assert "planted" not in caplog.text
