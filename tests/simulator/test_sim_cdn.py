"""Does the CDN send the bytes that were asked for, and refuse as CloudFront does?"""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sim_caller import Caller

from iceye_derivatives.simulator.ranges import BeyondEndError, Span, wanted

pytestmark = pytest.mark.anyio

ETAG = '"abc"'
DATE = "Fri, 15 Jan 2027 08:00:00 GMT"


def ask(headers: Mapping[str, str], size: int = 100) -> Span | None:
    return wanted(headers, size=size, etag=ETAG, last_modified=DATE)


@given(st.integers(0, 120), st.none() | st.integers(0, 120), st.integers(0, 100))
def test_a_single_range_is_what_slicing_gives(first: int, last: int | None, size: int) -> None:
    body = bytes(range(size))
    asked = {"range": f"bytes={first}-{'' if last is None else last}"}
    if last is not None and last < first:
        assert ask(asked, size) is None
    elif first >= size:
        with pytest.raises(BeyondEndError):
            ask(asked, size)
    else:
        span = ask(asked, size)
        assert span is not None
        assert body[span.start : span.stop] == body[first : None if last is None else last + 1]


@given(st.integers(1, 200))
def test_a_suffix_range_is_the_end_of_the_file(length: int) -> None:
    assert ask({"range": f"bytes=-{length}"}) == Span(max(100 - length, 0), 100)


@given(st.text(max_size=20))
def test_no_range_header_crashes(text: str) -> None:
    try:
        ask({"range": text})
    except BeyondEndError:
        assert text.strip().startswith("bytes=")


@pytest.mark.parametrize(
    "text", ["bytes=5-2", "bytes=0-1,5-6", "lines=1-2", "bytes=-", "bytes=a-b", "bytes 0-1", ""]
)
def test_disorderly_ranges_get_the_whole_file(text: str) -> None:
    assert ask({"range": text}) is None


@pytest.mark.parametrize("text", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_ranges_behind_the_end_get_nothing(text: str) -> None:
    with pytest.raises(BeyondEndError):
        ask({"range": text})


@pytest.mark.parametrize(
    ("validator", "part"),
    [
        (ETAG, True),
        (DATE, True),
        ('"other"', False),
        (f"W/{ETAG}", False),
        ("Fri, 15 Jan 2027 08:00:01 GMT", False),
    ],
)
def test_if_range_gives_the_part_only_of_the_same_file(validator: str, part: bool) -> None:
    span = ask({"range": "bytes=10-", "if-range": validator})
    assert span == (Span(10, 100) if part else None)


async def test_a_good_link_gives_the_file_with_what_resuming_needs(caller: Caller) -> None:
    reply = await caller.send("GET", await caller.a_link())
    assert reply.status == 200
    assert json.loads(reply.body)["type"] == "FeatureCollection"
    assert reply.headers["Content-Type"] == "application/geo+json"
    assert reply.headers["Content-Length"] == str(len(reply.body))
    assert reply.headers["Accept-Ranges"] == "bytes"
    assert reply.headers["ETag"].strip('"') != reply.headers["ETag"]
    assert reply.headers["Last-Modified"].endswith(" GMT")


async def test_a_file_can_be_fetched_in_two_parts(caller: Caller) -> None:
    link = await caller.a_link()
    whole = await caller.send("GET", link)
    first = await caller.send("GET", link, headers={"Range": "bytes=0-999"})
    rest = await caller.send(
        "GET", link, headers={"Range": "bytes=1000-", "If-Range": first.headers["ETag"]}
    )
    assert first.status == rest.status == 206
    assert rest.headers["Content-Range"] == (f"bytes 1000-{len(whole.body) - 1}/{len(whole.body)}")
    assert first.body + rest.body == whole.body


async def test_a_range_behind_the_end_is_416_with_the_size(caller: Caller) -> None:
    link = await caller.a_link()
    size = len((await caller.send("GET", link)).body)
    reply = await caller.send("GET", link, headers={"Range": f"bytes={size}-"})
    assert reply.status == 416
    assert reply.headers["Content-Range"] == f"bytes */{size}"


async def test_head_tells_the_size_and_sends_nothing(caller: Caller) -> None:
    link = await caller.a_link()
    get, head = await caller.send("GET", link), await caller.send("HEAD", link)
    assert head.status == 200
    assert head.body == b""
    assert head.headers["Content-Length"] == str(len(get.body))
    assert caller.sim.requests[-1].bytes_sent == 0


async def test_an_expired_link_is_refused_in_cloudfronts_words(caller: Caller) -> None:
    link = await caller.a_link()
    caller.clock.advance(3600)
    reply = await caller.send("GET", link)
    assert reply.status == 403
    assert b"<Error><Code>AccessDenied</Code><Message>Access denied</Message></Error>" in reply.body
    assert reply.headers["X-Cache"] == "Error from cloudfront"


async def test_a_link_with_one_parameter_more_is_refused(caller: Caller) -> None:
    assert (await caller.send("GET", f"{await caller.a_link()}&x=1")).status == 403


async def test_a_link_is_checked_byte_for_byte_on_the_wire(caller: Caller) -> None:
    """A percent-encoded letter means the same to a URL library, and is not what was signed."""
    link = await caller.a_link()
    path, query = link.split("?")
    letter = f"%{ord(query[0]):02X}"
    assert (await caller.send("GET", f"{path}?{letter}{query[1:]}")).status == 403
    assert (await caller.send("GET", link)).status == 200


async def test_a_token_at_the_cdn_is_recorded_and_refused(caller: Caller) -> None:
    reply = await caller.send("GET", await caller.a_link(), headers={"Authorization": "Bearer t"})
    assert reply.status == 400
    assert b"Only one auth mechanism allowed" in reply.body
    assert caller.sim.requests[-1].side == "cdn"
    assert caller.sim.requests[-1].headers["authorization"] == "Bearer t"


async def test_a_file_that_is_no_more_is_the_origins_denial(caller: Caller) -> None:
    """The bucket says "Access Denied" with a RequestId: a different fault than the CDN's."""
    url = caller.sim._links.sign("/no/such.geojson", now=caller.clock.time())
    reply = await caller.send("GET", url)
    assert reply.status == 403
    assert b"Access Denied" in reply.body
    assert b"<RequestId>" in reply.body


@pytest.mark.parametrize(
    ("method", "extra", "status"),
    [("POST", "", 403), ("DELETE", "", 403), ("GET", "&" + "x" * 9000, 413)],
)
async def test_what_cloudfront_does_not_take(
    caller: Caller, method: str, extra: str, status: int
) -> None:
    assert (await caller.send(method, await caller.a_link() + extra)).status == status


async def test_a_get_with_a_body_is_refused(caller: Caller) -> None:
    assert (await caller.send("GET", await caller.a_link(), data=b"x")).status == 403
