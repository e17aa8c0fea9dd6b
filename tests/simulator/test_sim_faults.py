"""Does every fault do what its description says, as often as it was told?"""

from __future__ import annotations

import asyncio
import json
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import anyio
import pytest
from sim_caller import TASKS, Caller, order
from yarl import URL

from iceye_derivatives.simulator import Simulator, TaskPlan

pytestmark = pytest.mark.anyio

PLAN = TaskPlan(imaged_after=200.0)


async def partial(caller: Caller) -> str:
    """Give a task of which some derivatives are there and some are not."""
    task_id = caller.sim.add_task(plan=PLAN)
    caller.clock.advance(2_700)
    return task_id


@pytest.mark.parametrize("accept", ["application/problem+json", "*/*"])
async def test_unauthorized_strikes_once_and_revokes_nothing(caller: Caller, accept: str) -> None:
    caller.sim.faults.add("unauthorized")
    statuses = [(await caller.api("GET", TASKS, accept=accept)).status for _ in range(2)]
    assert statuses == [401, 200]
    assert [request.fault for request in caller.sim.requests] == ["unauthorized", None]


async def test_unauthorized_at_the_token_endpoint_is_an_invalid_client(caller: Caller) -> None:
    caller.sim.faults.add("unauthorized", side="token")
    reply = await caller.send("POST", caller.sim.token_url)
    assert (reply.status, reply.json["error"]) == (401, "invalid_client")


async def test_forbidden(caller: Caller) -> None:
    caller.sim.faults.add("forbidden", path="/derivatives")
    assert (await caller.api("GET", TASKS)).status == 200
    assert (await caller.derivatives(await partial(caller))).status == 403


async def test_rate_limited_says_how_long_in_either_form_or_not_at_all(caller: Caller) -> None:
    for form in (None, "seconds", "date"):
        caller.sim.faults.add("rate_limited", retry_after=form, seconds=90)
    none, seconds, date = [await caller.api("GET", TASKS) for _ in range(3)]
    assert {none.status, seconds.status, date.status} == {429}
    assert "Retry-After" not in none.headers
    assert seconds.headers["Retry-After"] == "90"
    until = parsedate_to_datetime(date.headers["Retry-After"]).timestamp()
    assert until == caller.clock.time() + 90


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("body", ["json", "html", "empty"])
async def test_server_error_in_each_dress(caller: Caller, status: int, body: str) -> None:
    caller.sim.faults.add("server_error", status=status, body=body)
    reply = await caller.api("GET", TASKS)
    assert reply.status == status
    if body == "json":
        assert reply.json["code"]
    elif body == "html":
        assert reply.headers["Content-Type"].startswith("text/html")
    else:
        assert reply.body == b""


@pytest.mark.parametrize("side", ["api", "token", "cdn"])
async def test_cut_connection_sends_nothing(caller: Caller, side: Any) -> None:
    link = await caller.a_link()
    # aiohttp's client repeats a GET once by itself.
    caller.sim.faults.add("cut_connection", side=side, times=2)
    url = {"api": caller.sim.api_base_url, "token": caller.sim.token_url, "cdn": link}[side]
    with pytest.raises(aiohttp.ClientConnectionError):
        await caller.send("GET", url)
    assert [request.status for request in caller.sim.requests[-2:]] == [0, 0]


async def test_lost_create_leaves_a_task_behind(caller: Caller) -> None:
    caller.sim.faults.add("lost_create")
    body = order(caller.clock.time(), reference="mine")
    with pytest.raises(aiohttp.ClientConnectionError):
        await caller.api("POST", TASKS, json=body)
    (task,) = (await caller.api("GET", TASKS)).json["data"]
    assert task["reference"] == "mine"


async def test_cut_connection_leaves_no_task_behind(caller: Caller) -> None:
    caller.sim.faults.add("cut_connection")
    with pytest.raises(aiohttp.ClientConnectionError):
        await caller.api("POST", TASKS, json=order(caller.clock.time()))
    assert (await caller.api("GET", TASKS)).json["data"] == []


async def test_slow_headers_end_when_the_time_is_up(caller: Caller) -> None:
    caller.sim.faults.add("slow_headers", seconds=0.01)
    assert (await caller.api("GET", TASKS)).status == 200
    assert caller.sim.requests[-1].fault == "slow_headers"


async def test_slow_headers_and_stalled_bodies_end_when_the_client_goes(caller: Caller) -> None:
    link = await caller.a_link()
    tasks = len(asyncio.all_tasks())
    caller.sim.faults.add("slow_headers", side="cdn")
    caller.sim.faults.add("stalled_body")
    for status in (0, 200):
        with anyio.move_on_after(0.05) as scope:
            await caller.send("GET", link)
        assert scope.cancelled_caught
        assert caller.sim.requests[-1].status == status
        with anyio.fail_after(5):
            while len(asyncio.all_tasks()) > tasks:  # noqa: ASYNC110 (there is no event for it)
                await anyio.sleep(0.001)
    assert (await caller.send("GET", link)).status == 200


async def test_a_stall_does_not_hold_the_clock(caller: Caller) -> None:
    link = await caller.a_link()
    caller.sim.faults.add("stalled_body")
    async with anyio.create_task_group() as group:
        group.start_soon(caller.send, "GET", link)
        before = caller.clock.time()
        with anyio.fail_after(5):
            await caller.clock.sleep(60)
        assert caller.clock.time() == before + 60
        group.cancel_scope.cancel()


async def test_truncated_body_promises_more_than_it_sends(caller: Caller) -> None:
    link = await caller.a_link()
    size = len((await caller.send("GET", link)).body)
    caller.sim.faults.add("truncated_body", sent=100)
    with pytest.raises(aiohttp.ClientPayloadError):
        await caller.send("GET", link)
    assert caller.sim.requests[-1].bytes_sent == 100
    assert size > 100


async def test_the_first_bytes_of_a_truncated_body_arrive(caller: Caller) -> None:
    link = await caller.a_link()
    caller.sim.faults.add("truncated_body", sent=5_000)
    async with (
        aiohttp.ClientSession() as session,
        session.get(URL(link, encoded=True)) as response,
    ):
        assert len(await response.content.readexactly(5_000)) == 5_000


async def test_an_early_dead_url_stays_dead_and_a_new_one_is_good(caller: Caller) -> None:
    caller.sim.faults.add("early_dead_url")
    task_id = await partial(caller)
    link = (await caller.links(task_id))["DC_VESSELS"]
    replies = [await caller.send("GET", link) for _ in range(2)]
    assert [reply.status for reply in replies] == [403, 403]
    honest = parsedate_to_datetime(replies[0].headers["Date"]).timestamp()
    assert honest == int(caller.clock.time())
    again = (await caller.links(task_id))["DC_VESSELS"]
    assert (await caller.send("GET", again)).status == 200


async def test_a_refused_url_is_refused_however_fresh(caller: Caller) -> None:
    caller.sim.faults.add("refused_url", times=2)
    task_id = await partial(caller)
    statuses = []
    for _ in range(3):
        link = (await caller.links(task_id))["DC_VESSELS"]
        statuses.append((await caller.send("GET", link)).status)
    assert statuses == [403, 403, 200]


async def test_a_replaced_file_has_a_new_etag_and_no_parts(caller: Caller) -> None:
    link = await caller.a_link()
    before = await caller.send("GET", link)
    caller.sim.faults.add("replaced_file")
    after = await caller.send("GET", link, headers={"Range": "bytes=10-"})
    assert after.status == 200
    assert after.headers["ETag"] != before.headers["ETag"]
    assert "Content-Range" not in after.headers


async def test_flap_404_strikes_a_206_and_nothing_else(caller: Caller) -> None:
    caller.sim.faults.add("flap_404")
    assert (await caller.api("GET", TASKS)).status == 200
    task_id = await partial(caller)
    assert [(await caller.derivatives(task_id)).status for _ in range(2)] == [404, 206]


async def test_html_200(caller: Caller) -> None:
    caller.sim.faults.add("html_200")
    reply = await caller.api("GET", TASKS)
    assert reply.status == 200
    assert reply.headers["Content-Type"].startswith("text/html")


async def test_empty_assets_200_is_complete_by_its_status_only(caller: Caller) -> None:
    caller.sim.faults.add("empty_assets_200")
    reply = await caller.derivatives(await partial(caller))
    assert reply.status == 200
    assert [] in [each["assets"] for each in reply.json["data"]]


async def test_missing_type_200_lacks_one(caller: Caller) -> None:
    caller.sim.faults.add("missing_type_200")
    reply = await caller.derivatives(await partial(caller))
    assert reply.status == 200
    assert len(reply.json["data"]) == 2


async def test_unknown_type_adds_a_stranger(caller: Caller) -> None:
    caller.sim.faults.add("unknown_type")
    reply = await caller.derivatives(await partial(caller))
    assert reply.status == 206
    assert reply.json["data"][-1]["derivativeProductType"] == "DC_BUILDINGS"


async def test_wrong_content_is_no_geojson_of_the_right_size(caller: Caller) -> None:
    link = await caller.a_link()
    good = await caller.send("GET", link)
    caller.sim.faults.add("wrong_content")
    bad = await caller.send("GET", link)
    assert bad.headers["Content-Length"] == good.headers["Content-Length"]
    assert json.loads(bad.body) == {"type": "Nothing"}


async def test_faults_strike_in_the_order_they_were_added(caller: Caller) -> None:
    caller.sim.faults.add("rate_limited", times=2)
    caller.sim.faults.add("server_error", status=503)
    statuses = [(await caller.api("GET", TASKS)).status for _ in range(4)]
    assert statuses == [429, 429, 503, 200]


async def test_a_fault_may_let_some_requests_pass_first(caller: Caller) -> None:
    caller.sim.faults.add("server_error", skip=2)
    statuses = [(await caller.api("GET", TASKS)).status for _ in range(4)]
    assert statuses == [200, 200, 500, 200]


async def test_what_a_fault_lets_pass_leaves_no_trace(caller: Caller) -> None:
    link = await caller.a_link()
    caller.sim.faults.add("early_dead_url", skip=1)
    assert [(await caller.send("GET", link)).status for _ in range(3)] == [200, 403, 403]


async def test_a_refusal_may_also_be_slow(caller: Caller) -> None:
    caller.sim.faults.add("rate_limited")
    caller.sim.faults.add("slow_headers", seconds=0.01)
    assert (await caller.api("GET", TASKS)).status == 429
    assert caller.sim.requests[-1].fault == "rate_limited+slow_headers"


async def test_a_fault_without_count_lasts_until_cleared(caller: Caller) -> None:
    caller.sim.faults.add("server_error", times=None)
    assert {(await caller.api("GET", TASKS)).status for _ in range(5)} == {500}
    assert [armed.fault.name for armed in caller.sim.faults] == ["server_error"]
    caller.sim.faults.clear()
    assert (await caller.api("GET", TASKS)).status == 200
    assert not list(caller.sim.faults)


@pytest.mark.parametrize(
    ("name", "settings", "known"),
    [
        ("nonsense", {}, "stalled_body"),
        ("flap_404", {"side": "cdn"}, "api"),
        ("rate_limited", {"minutes": 1}, "retry_after"),
        ("rate_limited", {"retry_after": "hours"}, "seconds"),
        ("flap_404", {"minutes": 1}, "none"),
        ("flap_404", {"times": 0}, "above 0"),
        ("flap_404", {"skip": -1}, "whole number"),
        ("slow_headers", {"seconds": "long"}, "is a number"),
        ("slow_headers", {"seconds": True}, "is a number"),
        ("reset_body", {"sent": 1.5}, "is a whole number"),
        ("truncated_body", {"sent": -1}, "a whole number or nothing"),
        ("changed_etag", {"etag": 1}, "a string"),
    ],
)
def test_what_there_is_not_is_refused_with_what_there_is(
    name: str, settings: dict[str, Any], known: str
) -> None:
    with pytest.raises(ValueError, match=known):
        Simulator().faults.add(name, **settings)
