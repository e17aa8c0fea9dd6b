"""Do files come with the wrong bytes, parts and validators that each fault promises?"""

from __future__ import annotations

import gzip
import json
from hashlib import md5
from typing import Any

import pytest
from sim_caller import TASKS, Caller

pytestmark = pytest.mark.anyio

FROM_TEN = {"Range": "bytes=10-"}


@pytest.fixture
async def link(caller: Caller) -> str:
    return await caller.a_link()


@pytest.fixture
async def good(caller: Caller, link: str) -> bytes:
    return (await caller.send("GET", link)).body


async def test_xml_200(caller: Caller, link: str) -> None:
    """Complaint 25 (m9brady/eodms-api-client #8).

    An HTML page with success, or an XML error, is saved as the image.
    """
    caller.sim.faults.add("xml_200")
    reply = await caller.send("GET", link)
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/xml")
    assert reply.body.startswith(b"<?xml")


@pytest.mark.parametrize("side", ["cdn", "api", "token"])
async def test_json_error_200(caller: Caller, link: str, side: Any) -> None:
    caller.sim.faults.add("json_error_200", side=side)
    url = {"cdn": link, "api": f"{caller.sim.api_base_url}{TASKS}", "token": caller.sim.token_url}
    reply = await (caller.api("GET", TASKS) if side == "api" else caller.send("GET", url[side]))
    if side == "token":
        # A GET there is no good answer that could be spoilt.
        assert (reply.status, caller.sim.requests[-1].fault) == (405, None)
    else:
        assert (reply.status, reply.json["code"]) == (200, "internal_error")


async def test_empty_200(caller: Caller, link: str) -> None:
    caller.sim.faults.add("empty_200")
    reply = await caller.send("GET", link)
    assert (reply.status, reply.body) == (200, b"")


async def test_cropped_geojson_looks_whole_from_outside(
    caller: Caller, link: str, good: bytes
) -> None:
    caller.sim.faults.add("cropped_geojson")
    body = (await caller.send("GET", link)).body
    assert len(body) == len(good)
    assert body[-2:] == good[-2:] == b"]}"
    assert body[: len(good) // 4] == good[: len(good) // 4]
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


async def test_bit_rot_shows_in_the_etag_only(caller: Caller, link: str, good: bytes) -> None:
    caller.sim.faults.add("bit_rot")
    reply = await caller.send("GET", link)
    assert [a == b for a, b in zip(reply.body, good, strict=True)].count(False) == 1
    assert reply.json.keys() == json.loads(good).keys()
    true = md5(good, usedforsecurity=False).hexdigest()
    assert reply.headers["ETag"] == f'"{true}"'


async def test_odd_encoding_of_each_kind(caller: Caller, link: str, good: bytes) -> None:
    bodies = {}
    for kind in ("invalid", "utf_16", "nul"):
        caller.sim.faults.add("odd_encoding", kind=kind)
        bodies[kind] = (await caller.send("GET", link)).body
    with pytest.raises(UnicodeDecodeError):
        bodies["invalid"].decode()
    assert bodies["utf_16"].decode("utf-16") == good.decode()
    with pytest.raises(json.JSONDecodeError):
        json.loads(bodies["nul"].decode())


async def test_byte_order_mark(caller: Caller, link: str, good: bytes) -> None:
    caller.sim.faults.add("byte_order_mark")
    body = (await caller.send("GET", link)).body
    assert body != good
    assert body.decode("utf-8-sig") == good.decode()


async def test_wrong_content_type(caller: Caller, link: str, good: bytes) -> None:
    caller.sim.faults.add("wrong_content_type")
    reply = await caller.send("GET", link)
    assert (reply.headers["Content-Type"], reply.body) == ("text/html", good)


async def test_deep_json_is_good_json(caller: Caller, link: str) -> None:
    caller.sim.faults.add("deep_json", depth=50)
    inner = (await caller.send("GET", link)).json["features"]
    for _ in range(49):
        (inner,) = inner
    assert inner == []


async def test_gzip_weak_etag_comes_although_identity_was_asked_for(
    caller: Caller, link: str, good: bytes
) -> None:
    caller.sim.faults.add("gzip_weak_etag")
    raw = await caller.bytes_of(
        link, headers={"Accept-Encoding": "identity", "Connection": "close"}
    )
    head, _, body = raw.partition(b"\r\n\r\n")
    assert b"Content-Encoding: gzip" in head
    assert b'ETag: W/"' in head
    assert gzip.decompress(body) == good


async def test_gzip_bomb_unfolds(caller: Caller) -> None:
    caller.sim.faults.add("gzip_bomb", size=1_000_000)
    # Unfolded here: older aiohttp stops behind the first member of a gzip body.
    reply = await caller.api("GET", TASKS, auto_decompress=False)
    unfolded = gzip.decompress(reply.body)
    assert len(unfolded) > 1_000_000
    assert json.loads(unfolded)["data"] == []
    assert caller.sim.requests[-1].bytes_sent < 10_000


async def test_ignored_range(caller: Caller, link: str, good: bytes) -> None:
    caller.sim.faults.add("ignored_range")
    reply = await caller.send("GET", link, headers=FROM_TEN)
    assert (reply.status, reply.body) == (200, good)
    assert caller.sim.requests[-1].headers["range"] == "bytes=10-"


async def test_ignored_if_range(caller: Caller, link: str, good: bytes) -> None:
    """Complaint 24 (boto/s3transfer #86): ranged reads mixed two revisions of one object."""
    caller.sim.faults.add("ignored_if_range")
    reply = await caller.send("GET", link, headers={**FROM_TEN, "If-Range": '"older"'})
    assert (reply.status, reply.body) == (206, good[10:])


async def test_unasked_206_is_half_a_file(caller: Caller, link: str, good: bytes) -> None:
    caller.sim.faults.add("unasked_206")
    assert (await caller.send("GET", link, headers=FROM_TEN)).body == good[10:]
    reply = await caller.send("GET", link)
    assert (reply.status, reply.body) == (206, good[: (len(good) + 1) // 2])
    assert reply.headers["Content-Range"] == f"bytes 0-{len(reply.body) - 1}/{len(good)}"


async def test_wrong_content_range_of_each_kind(caller: Caller, link: str, good: bytes) -> None:
    size, found = len(good), {}
    for what in ("start", "end", "total", "unit", "missing", "garbage", "unsatisfied"):
        caller.sim.faults.add("wrong_content_range", what=what)
        reply = await caller.send("GET", link, headers=FROM_TEN)
        assert (reply.status, reply.body) == (206, good[10:])
        found[what] = reply.headers.get("Content-Range")
    assert found == {
        "start": f"bytes 11-{size - 1}/{size}",
        "end": f"bytes 10-{size - 2}/{size}",
        "total": f"bytes 10-{size - 1}/{size + 1}",
        "unit": f"pages 10-{size - 1}/{size}",
        "missing": None,
        "garbage": "bytes from here to there",
        "unsatisfied": f"bytes */{size}",
    }


async def test_unsatisfiable_range_is_no_proof_of_a_whole_file(
    caller: Caller, link: str, good: bytes
) -> None:
    """Trap (capella, resuming).

    From the file's size, with no validator; 416 is taken for "complete".
    """
    caller.sim.faults.add("unsatisfiable_range")
    reply = await caller.send("GET", link, headers=FROM_TEN)
    assert (reply.status, reply.headers["Content-Range"]) == (416, f"bytes */{len(good)}")


async def test_changed_etag_on_a_part(caller: Caller, link: str, good: bytes) -> None:
    caller.sim.faults.add("changed_etag")
    reply = await caller.send("GET", link, headers=FROM_TEN)
    assert (reply.status, reply.headers["ETag"]) == (206, '"changed"')


async def test_weak_etag_and_no_validator(caller: Caller, link: str) -> None:
    strong = (await caller.send("GET", link)).headers["ETag"]
    caller.sim.faults.add("weak_etag")
    caller.sim.faults.add("no_validator")
    assert (await caller.send("GET", link)).headers["ETag"] == f"W/{strong}"
    assert not {"ETag", "Last-Modified"} & (await caller.send("GET", link)).headers.keys()


async def test_spliced_xml_is_a_part_of_the_right_size(
    caller: Caller, link: str, good: bytes
) -> None:
    """Complaint 25: an XML error is spliced into the image."""
    caller.sim.faults.add("spliced_xml")
    reply = await caller.send("GET", link, headers=FROM_TEN)
    assert (reply.status, len(reply.body)) == (206, len(good) - 10)
    assert reply.headers["Content-Range"] == f"bytes 10-{len(good) - 1}/{len(good)}"
    assert reply.body.startswith(b"<?xml")
