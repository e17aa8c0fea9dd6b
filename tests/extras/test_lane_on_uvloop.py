"""Does a file come straight over the line on uvloop too, whose transports are its own?"""

from __future__ import annotations

import asyncio
import ssl
from itertools import pairwise

import pytest
import trustme
import uvloop
from anyio.lowlevel import checkpoint

from iceye_derivatives._transport import FileTransport, SessionSettings, lanes
from iceye_derivatives.errors import NetworkError
from iceye_derivatives.models import SignedUrl

BODY = bytes(range(256)) * 4096
OK = b"HTTP/1.1 200 OK\r\n"
ANSWERS = {
    "long": OK + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY,
    "short": b"HTTP/1.1 206 Partial\r\nContent-Length: 5\r\n\r\nhello",
    "chunked": OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "refused": b"HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\n<no>",
    "with more behind it": OK + b"Content-Length: 3\r\n\r\nhello",
}


async def outcomes(answer: bytes, cuts: list[int], ca: trustme.CA | None) -> list[object]:
    """What three requests give, and over how many connections."""
    made = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal made
        made += 1
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                for start, end in pairwise([0, *cuts, len(answer)]):
                    writer.write(answer[start:end])
                    await writer.drain()
                    await checkpoint()
        except (asyncio.IncompleteReadError, OSError):
            writer.close()

    here = there = None
    if ca is not None:
        here = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        ca.issue_cert("127.0.0.1").configure_cert(here)
        there = ssl.create_default_context()
        ca.configure_trust(there)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=here)
    port = server.sockets[0].getsockname()[1]
    link = SignedUrl(f"http{'s' if ca else ''}://127.0.0.1:{port}/a?Signature=b")
    settings = SessionSettings(
        connect_timeout=30.0, read_timeout=60.0, trust_env=False, ssl_context=there
    )
    transport = FileTransport(settings)
    found: list[object] = []
    for _ in range(3):
        try:
            async with transport.open_link(link, headers={}) as response:
                body = b"".join([chunk async for chunk in response.chunks()])
                found.append((response.status, body))
        except NetworkError as error:
            found.append(f"{error}".replace(f"{port}", "port"))
    await transport.aclose()
    server.close()
    return [*found, made]


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
@pytest.mark.parametrize("cuts", [[], [9], [60]])
def test_each_answer_is_what_it_is_through_a_session(
    answer: bytes, cuts: list[int], monkeypatch: pytest.MonkeyPatch, *, tls: bool
) -> None:
    ca = trustme.CA() if tls else None
    straight = uvloop.run(outcomes(answer, cuts, ca))
    monkeypatch.setattr(lanes, "_fits", lambda *_: False)
    assert straight == uvloop.run(outcomes(answer, cuts, ca))


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("length", [5, 100 * 1024, 640 * 1024, len(BODY)])
def test_an_empty_line_behind_a_body_means_nothing(
    length: int, monkeypatch: pytest.MonkeyPatch, *, tls: bool
) -> None:
    """A session uses the connection again, and a lane does not: so much may differ."""
    ca = trustme.CA() if tls else None
    answer = OK + b"Content-Length: %d\r\n\r\n" % length + BODY[:length] + b"\r\n"
    *straight, _ = uvloop.run(outcomes(answer, [], ca))
    assert straight == [(200, BODY[:length])] * 3
    monkeypatch.setattr(lanes, "_fits", lambda *_: False)
    *by_session, _ = uvloop.run(outcomes(answer, [], ca))
    assert straight == by_session
