"""Do links and redirects lead where each fault says, and die when it says?"""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from sim_caller import TASKS, Caller
from yarl import URL

from iceye_derivatives.simulator import FAULTS
from iceye_derivatives.simulator.fault_kit.hrefs import PRIVATE

pytestmark = pytest.mark.anyio


async def test_long_promise_states_a_week_and_dies_in_minutes(caller: Caller) -> None:
    """Complaint 5 (chanzuckerberg/single-cell-data-portal #2266).

    Links promised for a week die in hours.
    """
    task_id = caller.a_whole_task()
    caller.sim.faults.add("long_promise", states=604_800, lives=120)
    link = (await caller.links(task_id))["DC_VESSELS"]
    assert int(URL(link).query["Expires"]) == int(caller.clock.time()) + 604_800
    statuses = []
    for _ in range(3):
        statuses.append((await caller.send("GET", link)).status)
        caller.clock.advance(60)
    assert statuses == [200, 200, 403]
    fresh = (await caller.links(task_id))["DC_VESSELS"]
    caller.clock.advance(1_800)
    assert (await caller.send("GET", fresh)).status == 200


async def test_origin_denied_in_the_buckets_words(caller: Caller) -> None:
    caller.sim.faults.add("origin_denied")
    reply = await caller.send("GET", await caller.a_link())
    assert reply.status == 403
    assert b"<RequestId>" in reply.body
    assert b"<HostId>" in reply.body


async def test_cached_404_lasts_for_its_seconds_whatever_the_link(caller: Caller) -> None:
    task_id = caller.a_whole_task()
    caller.sim.faults.add("cached_404", seconds=10)
    statuses = []
    for wait in (0, 5, 4.9, 0.2):
        caller.clock.advance(wait)
        link = (await caller.links(task_id))["DC_VESSELS"]
        statuses.append((await caller.send("GET", link)).status)
    assert statuses == [404, 404, 404, 200]
    other = (await caller.links(task_id))["DC_AIRCRAFT"]
    assert (await caller.send("GET", other)).status == 200


async def test_a_cached_404_is_for_those_with_a_good_link(caller: Caller) -> None:
    link = await caller.a_link()
    caller.sim.faults.add("cached_404")
    assert (await caller.send("GET", link)).status == 404
    assert (await caller.send("GET", f"{link}x")).status == 403


@pytest.mark.parametrize(
    ("name", "settings", "start"),
    [
        ("odd_scheme_link", {"scheme": "file"}, "file:///"),
        ("odd_scheme_link", {"scheme": "gopher"}, "gopher://"),
        ("odd_scheme_link", {"scheme": "none"}, "//"),
        ("foreign_link", {}, "https://files.simulator.invalid/"),
        *(("private_link", {"host": host}, f"https://{host}/") for host in PRIVATE),
        ("credentialed_link", {}, "http://user:simulated-password@127.0.0.1:"),
        ("broken_link", {"kind": "relative"}, "escaped.geojson"),
        ("broken_link", {"kind": "newline"}, "https://files.simulator.invalid/\r\n"),
    ],
)
async def test_links_that_nobody_should_follow(
    caller: Caller, name: str, settings: dict[str, Any], start: str
) -> None:
    task_id = caller.a_whole_task()
    caller.sim.faults.add(name, **settings)
    assert all(link.startswith(start) for link in (await caller.links(task_id)).values())


async def test_no_default_leads_out_of_this_machine(caller: Caller) -> None:
    """So that a run over all faults stays on it; names below .invalid are never looked up."""
    task_id = caller.a_whole_task()
    for name in ("private_link", "redirect_to_private"):
        assert FAULTS[name].settings["host"] == "127.0.0.1:9"
    for name in ("odd_scheme_link", "foreign_link"):
        caller.sim.faults.add(name)
        hosts = {URL(link).host for link in (await caller.links(task_id)).values()}
        assert hosts == {"files.simulator.invalid"}


async def test_a_credentialed_link_opens_the_file(caller: Caller) -> None:
    """Who follows it has sent a header that the link asked for: the CDN says so."""
    task_id = caller.a_whole_task()
    caller.sim.faults.add("credentialed_link")
    link = (await caller.links(task_id))["DC_VESSELS"]
    bare = link.replace("user:simulated-password@", "")
    assert (await caller.send("GET", bare)).status == 200
    assert (await caller.send("GET", link)).status == 400


async def test_an_unsigned_link_is_refused(caller: Caller) -> None:
    task_id = caller.a_whole_task()
    caller.sim.faults.add("unsigned_link")
    link = (await caller.links(task_id))["DC_VESSELS"]
    assert "?" not in link
    assert (await caller.send("GET", link)).status == 403


@pytest.mark.parametrize("side", ["cdn", "api"])
@pytest.mark.parametrize(
    ("name", "settings", "location"),
    [
        ("redirect_to_itself", {"status": 308}, "{own}{target}"),
        ("redirect_outside", {}, "https://files.simulator.invalid{target}"),
        ("redirect_outside", {"scheme": "http"}, "http://files.simulator.invalid{target}"),
        ("redirect_across", {}, "{other}{target}"),
        ("redirect_by_other_name", {}, "{named}{target}"),
        ("redirect_to_private", {"host": "[fd00::1]"}, "http://[fd00::1]/latest/meta-data/"),
        ("redirect_to_scheme", {"scheme": "file"}, "file:///etc/hostname"),
        ("redirect_with_credentials", {}, "{signed}{target}"),
        ("redirect_to_nowhere", {}, ""),
        ("redirect_to_nowhere", {"location": "missing"}, None),
    ],
)
async def test_redirects(
    caller: Caller, side: Any, name: str, settings: dict[str, Any], location: str | None
) -> None:
    sim, link = caller.sim, await caller.a_link()
    own, other = sim.cdn_base_url, sim.api_base_url
    if side == "api":
        own, other, link = other, own, f"{sim.api_base_url}{TASKS}?limit=1"
    sim.faults.add(name, side=side, **settings)
    reply = await caller.send("GET", link, allow_redirects=False)
    assert reply.status == settings.get("status", 302)
    places = {
        "own": own,
        "other": other,
        "named": own.replace("127.0.0.1", "localhost"),
        "signed": own.replace("://", "://user:simulated-password@"),
        "target": link.removeprefix(own),
    }
    expected = None if location is None else location.format(**places)
    assert reply.headers.get("Location") == expected


async def test_a_redirect_to_itself_once_is_a_detour(caller: Caller) -> None:
    caller.sim.faults.add("redirect_to_itself", times=3)
    assert (await caller.send("GET", await caller.a_link())).status == 200
    assert [request.status for request in caller.sim.requests[-4:]] == [302, 302, 302, 200]


async def test_a_skewed_clock_dates_and_judges_by_itself(caller: Caller) -> None:
    link = await caller.a_link()
    caller.sim.faults.add("skewed_clock", times=None, seconds=3_500)
    reply = await caller.send("GET", link)
    shown = parsedate_to_datetime(reply.headers["Date"]).timestamp()
    assert (reply.status, shown) == (200, int(caller.clock.time()) + 3_500)
    caller.clock.advance(100)
    assert (await caller.send("GET", link)).status == 403


async def test_an_api_with_a_skewed_clock_signs_by_it_and_hides_nothing(caller: Caller) -> None:
    task_id = caller.a_whole_task()
    caller.sim.faults.add("skewed_clock", times=None, side="api", seconds=-600)
    reply = await caller.derivatives(task_id)
    now = int(caller.clock.time())
    assert parsedate_to_datetime(reply.headers["Date"]).timestamp() == now - 600
    assert len(reply.json["data"]) == 3
    links = await caller.links(task_id)
    assert {int(URL(link).query["Expires"]) for link in links.values()} == {now + 3_000}


async def test_a_skewed_clock_goes_with_every_other_fault(caller: Caller) -> None:
    caller.sim.faults.add("skewed_clock", times=None, side="api", seconds=60)
    caller.sim.faults.add("rate_limited", retry_after="date", seconds=30)
    caller.sim.faults.add("slow_headers", seconds=0.01)
    reply = await caller.api("GET", TASKS)
    assert caller.sim.requests[-1].fault == "skewed_clock+rate_limited+slow_headers"
    until = parsedate_to_datetime(reply.headers["Retry-After"]).timestamp()
    assert until == int(caller.clock.time()) + 90


async def test_faults_before_the_answer_strike_once_each_by_name(caller: Caller) -> None:
    for seconds in (60, 600):
        caller.sim.faults.add("skewed_clock", side="api", seconds=seconds)
    now = int(caller.clock.time())
    shown = [
        parsedate_to_datetime((await caller.api("GET", TASKS)).headers["Date"]).timestamp() - now
        for _ in range(3)
    ]
    assert shown == [60, 600, 0]


async def test_a_garbled_date(caller: Caller) -> None:
    caller.sim.faults.add("garbled_date", side="api")
    assert (await caller.api("GET", TASKS)).headers["Date"] == "yesterday"
