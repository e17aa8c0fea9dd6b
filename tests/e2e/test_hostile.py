"""Does nothing that a hostile service sends become a file, fill the memory, or tell a secret?"""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import files_in, final_names
from hostile import GOOD, PLANTED, TASK_ID, answer, client_of, hostile

from iceye_derivatives import (
    ContentError,
    DownloadError,
    IceyeError,
    LimitExceededError,
    Limits,
    LinkRefusedError,
    TransferError,
    UnsafeLinkError,
)

pytestmark = pytest.mark.anyio

PAGE = f"<html><body>Denied: /file?Expires=1&Signature={PLANTED}</body></html>".encode()
XML = f"<?xml version='1.0'?><Error><Signature>{PLANTED}</Signature></Error>".encode()
MEBI = 1 << 20

REFUSED: dict[str, tuple[bytes, type[DownloadError], str]] = {
    "a page of HTML with status 200": (answer(PAGE), ContentError, "HTML"),
    "a page of HTML that says it is GeoJSON": (
        answer(PAGE, "Content-Type: application/geo+json"),
        ContentError,
        "HTML",
    ),
    "an XML error with status 200 (m9brady/eodms-api-client #8)": (
        answer(XML),
        ContentError,
        "XML",
    ),
    "JSON that is no GeoJSON": (answer(b'{"type":"Nothing"}'), ContentError, "GeoJSON"),
    "a problem body with status 200": (
        answer(json.dumps({"code": "X", "message": f"?Signature={PLANTED}"}).encode()),
        ContentError,
        "GeoJSON",
    ),
    "an empty body": (answer(b""), ContentError, "empty"),
    "truncated, with an end that looks right": (
        answer(GOOD, length=len(GOOD) + 50),
        TransferError,
        "body",
    ),
    "truncated, and nobody said how long it is": (
        answer(GOOD[:-9], length=None),
        ContentError,
        "middle|not JSON",
    ),
    "gzip where identity was asked for": (
        answer(gzip.compress(GOOD), "Content-Encoding: gzip"),
        ContentError,
        "compressed",
    ),
    "gzip that does not say so": (answer(gzip.compress(GOOD)), ContentError, "UTF-8"),
    "shorter than it says, by a chunk": (
        answer(b"4c\r\n" + GOOD + b"\r\n", "Transfer-Encoding: chunked", length=None),
        TransferError,
        "body",
    ),
    # aiohttp finds the bytes behind the end of the answer, or does not, as they arrive.
    "a body after 204": (answer(GOOD, status="204 No Content"), DownloadError, "204|no HTTP"),
    "206 without being asked": (
        answer(GOOD, f"Content-Range: bytes 0-{len(GOOD) - 1}/{len(GOOD)}", status="206 Partial"),
        ContentError,
        "unasked",
    ),
    "206 without being asked, of the middle": (
        answer(GOOD[5:], f"Content-Range: bytes 5-{len(GOOD) - 1}/{len(GOOD)}", status="206 P"),
        ContentError,
        "unasked",
    ),
    "two lengths": (answer(GOOD, "Content-Length: 5"), TransferError, "HTTP"),
    "a length and chunks": (
        answer(b"0\r\n\r\n", "Transfer-Encoding: chunked", length=3),
        TransferError,
        "HTTP",
    ),
    "no HTTP at all": (GOOD, TransferError, "HTTP"),
    "a header that goes on and on": (
        answer(GOOD, f"X-Long: {'x' * 100_000}"),
        TransferError,
        r"Limits\(header_bytes=…\)",
    ),
    "a redirect to another scheme": (
        answer(b"", "Location: file:///etc/passwd", status="302 F"),
        UnsafeLinkError,
        "scheme",
    ),
    "a redirect with a password": (
        answer(b"", f"Location: http://u:{PLANTED}@127.0.0.1/", status="302 F"),
        UnsafeLinkError,
        "password",
    ),
    "a redirect to plain http": (
        answer(b"", f"Location: http://cdn.example/?s={PLANTED}", status="302 F"),
        UnsafeLinkError,
        "plain http",
    ),
    "redirects in a circle": (
        answer(b"", f"Location: /file?Signature={PLANTED}", status="302 F"),
        UnsafeLinkError,
        r"Limits\(redirects=…\)",
    ),
    "403 for a link that was just signed": (answer(XML, status="403 F"), LinkRefusedError, "403"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_nothing_of_it_reaches_a_final_name(name: str, tmp_path: Path) -> None:
    """Each error is of its class, says what came, and keeps how it began without a secret.

    Trap (planet, final names): the next run sees half a file under its name and takes it for done.
    Complaint 25 (m9brady/eodms-api-client #8): an HTML page with success, or an XML error, is saved
    as the image.
    """
    raw, cls, words = REFUSED[name]
    async with hostile() as server, client_of(server) as client:
        server.store([raw])
        report = await client.download_task(TASK_ID, tmp_path)
    (record,) = report.files
    with pytest.raises(cls, match=words) as caught:
        raise record.error or AssertionError(files_in(tmp_path))
    assert final_names(tmp_path) == set()
    first = getattr(caught.value, "first_bytes", b"")
    assert PLANTED not in f"{caught.value!r}{caught.value.__cause__!r}{first!r}"
    assert first if cls is ContentError and words in {"HTML", "XML", "GeoJSON"} else True
    # A line that breaks is gone on with so many times in all; nothing else is asked for much.
    assert len(server.asked) < (60 if cls is TransferError else 10)


def cut(at: int, etag: str = '"v1"') -> bytes:
    """The file's beginning, then the line breaks."""
    return answer(GOOD[:at], f"ETag: {etag}", length=len(GOOD))


def part(begin: int, *, etag: str = '"v1"', body: bytes = GOOD) -> bytes:
    """What a Range of a good store brings."""
    return answer(
        body[begin:],
        f"ETag: {etag}",
        f"Content-Range: bytes {begin}-{len(body) - 1}/{len(body)}",
        status="206 Partial Content",
    )


@pytest.mark.parametrize(
    "answers",
    [
        (cut(20), part(20)),
        (cut(20), answer(GOOD, 'ETag: "v1"')),
        (cut(20), answer(GOOD, 'ETag: "v2"')),
        (cut(20), part(20, etag='"v2"'), answer(GOOD)),
        (cut(20), part(10), answer(GOOD)),
        (cut(20), part(30), answer(GOOD)),
        (cut(20), answer(GOOD[20:], status="206 P"), answer(GOOD)),
        (cut(20), part(20, body=GOOD + b" "), answer(GOOD)),
        (cut(20, 'W/"v1"'), answer(GOOD)),
        (cut(20), answer(status="416 R"), answer(GOOD)),
    ],
    ids=[
        *("a good part", "200 to a Range", "200 to a Range, changed", "206 of another file"),
        *("206 from before", "206 from behind", "206 from nowhere", "206 of another length"),
        *("a weak ETag", "416"),
    ],
)
async def test_whatever_a_range_is_answered_with_the_bytes_are_right(
    answers: tuple[bytes, ...], tmp_path: Path
) -> None:
    """A part is believed only where it is of the same file and goes on where we stood."""
    async with hostile() as server, client_of(server) as client:
        server.store(*([raw] for raw in answers))
        report = await client.download_task(TASK_ID, tmp_path)
    report.raise_for_failures()
    assert list(files_in(tmp_path).values()).count(GOOD) == len(final_names(tmp_path)) == 1


# --- ceilings --------------------------------------------------------------------------------


def endless(head: bytes, piece: bytes) -> Iterator[bytes]:
    """A body of one gibibyte."""
    yield head
    for _ in range((1 << 30) // len(piece)):
        yield piece


@pytest.fixture
def peak() -> Iterator[list[int]]:
    """How many bytes were in use at most, of this process and so of the server's as well."""
    tracemalloc.start()
    measured: list[int] = []
    try:
        yield measured
        measured.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
    assert measured[0] < 24 * MEBI


SPACES = b" " * 65536


@pytest.mark.usefixtures("peak")
@pytest.mark.parametrize("status", ["200 OK", "500 Internal Server Error"])
async def test_an_endless_answer_of_the_api_is_not_read_beyond_its_ceiling(status: str) -> None:
    """Memory stays flat, and the line is cut; of an error only the beginning is read at all."""
    async with hostile() as server, client_of(server, limits=Limits(json_bytes=2 * MEBI)) as client:
        head = answer(status=status, length=1 << 30)
        server.answers["/derivatives"] = [lambda _: endless(head, SPACES)]
        with pytest.raises(IceyeError) as caught:
            await client.look_at_derivatives(TASK_ID)
        sent = server.sent
    assert isinstance(caught.value, LimitExceededError) == (status == "200 OK")
    assert sent < 16 * MEBI, "a gibibyte was on offer"


@pytest.mark.usefixtures("peak")
async def test_a_bomb_is_not_unpacked_beyond_its_ceiling() -> None:
    """A thousand bytes unpack to a million."""
    bomb = gzip.compress(bytes(256 * MEBI), 9)
    tracemalloc.clear_traces()
    tracemalloc.reset_peak()
    async with hostile() as server, client_of(server, limits=Limits(json_bytes=2 * MEBI)) as client:
        server.answers["/derivatives"] = [[answer(bomb, "Content-Encoding: gzip")]]
        with pytest.raises(LimitExceededError, match="json_bytes"):
            await client.look_at_derivatives(TASK_ID)


@pytest.mark.usefixtures("peak")
@pytest.mark.parametrize("limit", ["bytes_per_file", "bytes_per_run"])
@pytest.mark.parametrize("announced", [True, False])
async def test_an_endless_file_is_not_read_beyond_its_ceiling(
    limit: str, announced: bool, tmp_path: Path
) -> None:
    """Where the head tells, not even one byte of it; else it is cut, and nothing is kept."""
    async with hostile() as server, client_of(server, limits=Limits(**{limit: 8 * MEBI})) as client:
        head = answer(length=1 << 30 if announced else None) + b'{"type":"FeatureCollection",'
        server.store(lambda _: endless(head, SPACES))
        report = await client.download_task(TASK_ID, tmp_path)
        sent = server.sent
    with pytest.raises(DownloadError, match=rf"Limits\({limit}=…\)"):
        raise report.files[0].error or AssertionError
    assert final_names(tmp_path) == set()
    assert sent < 32 * MEBI


async def test_a_listing_that_never_ends_is_left() -> None:
    """Every page has another cursor: no loop is seen, but the count."""
    async with hostile() as server, client_of(server, limits=Limits(pages_per_listing=7)) as client:
        server.answers["/derivatives"] = [
            lambda _: [answer(json.dumps({"data": [], "cursor": f"{len(server.asked)}"}).encode())]
        ]
        with pytest.raises(LimitExceededError, match="pages_per_listing"):
            await client.get_derivatives(TASK_ID)
    assert len(server.asked) == 7


async def test_pages_that_together_hold_too_much_are_left() -> None:
    """Each page is small enough alone."""
    limits = Limits(derivatives_per_task=5)
    async with hostile() as server, client_of(server, limits=limits) as client:

        def page(_: str) -> list[bytes]:
            number = len(server.asked)
            ids = [f"{number}-{index}" for index in range(2)]
            data = [{"id": i, "derivativeProductType": "DC_VESSELS"} for i in ids]
            return [answer(json.dumps({"data": data, "cursor": f"{number}"}).encode())]

        server.answers["/derivatives"] = [page]
        with pytest.raises(LimitExceededError, match="derivatives_per_task"):
            await client.get_derivatives(TASK_ID)
    assert len(server.asked) == 3


async def test_a_watch_ends_at_once_at_a_ceiling_and_says_how_to_raise_it() -> None:
    """Polling on would bring the same again for hours."""
    limits = Limits(id_length=3)
    async with hostile() as server, client_of(server, limits=limits) as client:
        with pytest.raises(LimitExceededError, match=r"Limits\(id_length=…\)"):
            [one async for one in client.watch_task(TASK_ID)]
    assert len(server.asked) == 1


async def test_links_to_other_hosts_are_not_opened(tmp_path: Path) -> None:
    """`allowed_hosts` holds what the API hands out as well as what the store redirects to."""
    async with hostile() as server, client_of(server, allowed_hosts=["*.cloudfront.net"]) as client:
        report = await client.download_task(TASK_ID, tmp_path)
    with pytest.raises(UnsafeLinkError, match="allowed_hosts"):
        raise report.files[0].error or AssertionError
    assert not any("/file" in head for head in server.asked)
