"""Are answers lost, late, short and endless on their way, as each fault says?"""

from __future__ import annotations

import json

import aiohttp
import pytest
from sim_caller import TASKS, Caller

pytestmark = pytest.mark.anyio


def halves(raw: bytes) -> tuple[bytes, bytes]:
    head, _, body = raw.partition(b"\r\n\r\n")
    return head, body


async def test_slow_drip_sends_all_of_it_in_pieces(caller: Caller) -> None:
    link = await caller.a_link()
    good = await caller.send("GET", link)
    caller.sim.faults.add("slow_drip", rate=len(good.body) * 20.0)
    assert (await caller.send("GET", link)).body == good.body
    assert caller.sim.requests[-1].fault == "slow_drip"
    assert caller.sim.requests[-1].bytes_sent == len(good.body)


async def test_reset_body_is_got_over_only_by_going_on_where_one_stood(caller: Caller) -> None:
    """Complaint 9 (planetlabs/planet-client-python #974).

    The peer closes in the middle of a body and the whole order fails.
    """
    link = await caller.a_link()
    good = (await caller.send("GET", link)).body
    caller.sim.faults.add("reset_body", times=None, sent=4_096)
    got, rounds = b"", 0
    while len(got) < len(good):
        got += await caller.what_comes(link, headers={"Range": f"bytes={len(got)}-"})
        rounds += 1
    assert got == good
    assert rounds == -(-len(good) // 4_096)


async def test_reset_body_ends_in_a_reset_and_not_in_an_end(caller: Caller) -> None:
    link = await caller.a_link()
    caller.sim.faults.add("reset_body")
    with pytest.raises(ConnectionResetError):
        await caller.bytes_of(link)


async def test_wrong_length_may_say_less_than_there_is(caller: Caller) -> None:
    link = await caller.a_link()
    size = len((await caller.send("GET", link)).body)
    caller.sim.faults.add("wrong_length", by=-7)
    head, body = halves(await caller.bytes_of(link))
    assert f"Content-Length: {size - 7}".encode() in head
    assert len(body) == size


async def test_wrong_length_may_say_more_than_there_is(caller: Caller) -> None:
    link = await caller.a_link()
    size = len((await caller.send("GET", link)).body)
    caller.sim.faults.add("wrong_length", times=2, by=7)
    with pytest.raises(aiohttp.ClientPayloadError):
        await caller.send("GET", link)
    head, body = halves(await caller.bytes_of(link))
    assert f"Content-Length: {size + 7}".encode() in head
    assert len(body) == size


async def test_absurd_length_promises_a_disk_full(caller: Caller) -> None:
    link = await caller.a_link()
    caller.sim.faults.add("absurd_length", length=10**15)
    head, body = halves(await caller.bytes_of(link))
    assert b"Content-Length: 1000000000000000" in head
    assert json.loads(body)["type"] == "FeatureCollection"


async def test_no_content_with_body(caller: Caller) -> None:
    link = await caller.a_link()
    caller.sim.faults.add("no_content_with_body")
    head, body = halves(await caller.bytes_of(link))
    assert head.startswith(b"HTTP/1.1 204 ")
    assert b"Content-Length" not in head
    assert json.loads(body)["type"] == "FeatureCollection"


async def test_endless_body_repeats_features_up_to_its_size(caller: Caller) -> None:
    link = await caller.a_link()
    caller.sim.faults.add("endless_body", size=300_000)
    reply = await caller.send("GET", link)
    assert len(reply.body) == 300_000
    assert "Content-Length" not in reply.headers
    feature, _, more = reply.body.partition(b'"features":[')[2].partition(b"},{")
    assert json.loads(feature + b"}")["type"] == "Feature"
    assert more.startswith(feature.removeprefix(b"{"))
    assert caller.sim.requests[-1].bytes_sent == 300_000


async def test_endless_body_of_an_answer_ends_in_blanks(caller: Caller) -> None:
    caller.sim.faults.add("endless_body", side="api", size=100_000)
    reply = await caller.api("GET", TASKS)
    assert len(reply.body) == 100_000
    assert reply.json["data"] == []


async def test_huge_headers_are_more_than_a_client_takes(caller: Caller) -> None:
    link = await caller.a_link()
    caller.sim.faults.add("huge_headers", size=100, count=3)
    caller.sim.faults.add("huge_headers")
    reply = await caller.send("GET", link)
    assert [reply.headers[f"X-Fault-{number}"] for number in range(3)] == ["x" * 100] * 3
    with pytest.raises(aiohttp.ClientResponseError, match="8190"):
        await caller.send("GET", link)


async def test_html_404_is_of_nobody(caller: Caller) -> None:
    caller.sim.faults.add("html_404")
    reply = await caller.api("GET", TASKS)
    assert (reply.status, reply.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
