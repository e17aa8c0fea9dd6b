"""Does a call reach the API with its token, in its turn, and is its answer read with care?"""

from __future__ import annotations

import gzip
import logging

import anyio
import pytest
from aiohttp import web
from anyio.lowlevel import checkpoint
from loopback import FakeClock, serving
from transports import CREATE, TASK, Keeper, api

from iceye_derivatives._core.limits import Limits
from iceye_derivatives._core.pace import Pacer
from iceye_derivatives._core.requests import USER_AGENT, get_task, list_tasks
from iceye_derivatives.errors import NetworkError, RateLimitedError, ServerError
from iceye_derivatives.events import PaceChanged

pytestmark = pytest.mark.anyio


async def test_a_call_carries_the_token_and_our_headers() -> None:
    """The path as quoted: a proxy or a server must see the same id."""
    async with (
        serving(web.json_response({"id": "x"})) as server,
        api(server.url + "/api/") as sender,
    ):
        response = await sender.send(get_task("a/b?c"))

    assert (response.status, response.body) == (200, b'{"id": "x"}')
    assert response.headers["content-type"].startswith("application/json")
    (seen,) = server.seen
    assert (seen.method, seen.target) == ("GET", "/api/tasking/v2/tasks/a%2Fb%3Fc")
    assert seen.headers["authorization"] == "Bearer planted-1"
    assert seen.headers["accept"] == "application/json, application/problem+json"
    assert seen.headers["user-agent"] == USER_AGENT
    assert "cookie" not in seen.headers


async def test_a_401_costs_one_new_token_and_one_repetition() -> None:
    """Of a createTask too: a 401 says that it was not carried out."""
    keeper = Keeper()
    async with (
        serving(web.Response(status=401), web.Response(status=201)) as server,
        api(server.url, keeper) as sender,
    ):
        response = await sender.send(CREATE)

    assert (response.status, keeper.rejected) == (201, ["planted-1"])
    assert [seen.headers["authorization"] for seen in server.seen] == [
        "Bearer planted-1",
        "Bearer planted-2",
    ]
    assert {seen.body for seen in server.seen} == {b'{"a":1}'}


async def test_a_second_401_is_handed_on() -> None:
    """Two tokens refused is not the tokens' fault."""
    async with serving(web.Response(status=401)) as server, api(server.url) as sender:
        response = await sender.send(TASK)

    assert (response.status, len(server.seen)) == (401, 2)


async def test_the_same_token_is_not_sent_again_after_a_401() -> None:
    """A token that somebody brought along does not get better by asking twice."""
    async with (
        serving(web.Response(status=401)) as server,
        api(server.url, Keeper(["planted-1"])) as sender,
    ):
        response = await sender.send(TASK)

    assert (response.status, len(server.seen)) == (401, 1)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed_with_the_token(status: int) -> None:
    """The token goes to the API's origin alone; the answer is handed on as it is."""
    async with serving(web.Response()) as other:
        moved = web.Response(status=status, headers={"Location": other.url})
        async with serving(moved) as server, api(server.url) as sender:
            assert (await sender.send(TASK)).status == status

    assert other.seen == []


async def test_without_a_token_nothing_is_sent() -> None:
    """And the error says so, whatever it is: a createTask may be repeated on the strength of it."""
    keeper = Keeper(error=ServerError("token endpoint", status=500))
    async with serving(web.Response()) as server, api(server.url, keeper) as sender:
        with pytest.raises(ServerError) as caught:
            await sender.send(CREATE)

    assert not caught.value.sent
    assert server.seen == []


async def test_calls_are_paced() -> None:
    """A burst of ten, then five a second, on the injected clock; nobody is forgotten.

    Complaint 10 (planetlabs/planet-client-python #759): a session for each file defeats the limit;
    in order means one at a time.
    """
    clock = FakeClock()
    async with (
        serving(web.Response()) as server,
        api(server.url, clock=clock) as sender,
        anyio.create_task_group() as group,
    ):
        for number in range(1, 16):
            group.start_soon(sender.send, list_tasks(limit=number))

    assert len(clock.slept) >= 5
    assert sum(clock.slept) == pytest.approx(1.0, abs=1e-3)
    assert sorted(int(seen.target.rpartition("=")[2]) for seen in server.seen) == [*range(1, 16)]


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_pauses_every_call_of_the_client(status: int) -> None:
    """With the jitter on top: at most a burst's time."""
    clock = FakeClock()
    busy = web.Response(status=status, headers={"Retry-After": "30"})
    async with (
        serving(busy, web.Response()) as server,
        api(server.url, clock=clock, jitter=lambda: 0.5) as sender,
    ):
        assert (await sender.send(TASK)).status == status
        assert clock.slept == []
        await sender.send(CREATE)

    assert sum(clock.slept) == pytest.approx(31.0)


async def test_what_the_token_endpoint_asks_for_pauses_every_call_of_the_client() -> None:
    """Nothing goes without a token; it is told once, whoever else stood in the queue for it."""
    clock, told = FakeClock(), list[PaceChanged]()
    keeper = Keeper(error=RateLimitedError("slowly", status=429, retry_after=30.0))

    async def refused() -> None:
        with pytest.raises(RateLimitedError):
            await sender.send(TASK)

    async with (
        serving(web.Response()) as server,
        api(server.url, keeper, clock=clock, jitter=lambda: 0.5, on_pace=told.append) as sender,
    ):
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(refused)
        assert (clock.slept, server.seen) == ([], [])
        keeper.error = None
        await sender.send(TASK)

    assert sum(clock.slept) == pytest.approx(31.0)
    assert [each.paused for each in told] == pytest.approx([31.0, 0.0])


async def test_the_pace_is_told_when_it_falls_and_when_it_has_come_back() -> None:
    """Else a gauge of it would show the lowest rate for the rest of the process."""
    clock, told = FakeClock(), list[PaceChanged]()
    async with (
        serving(web.Response(status=429), web.Response()) as server,
        api(server.url, clock=clock, on_pace=told.append) as sender,
    ):
        for minutes in (0, 1, 4, 20, 20):
            clock.now += 60 * minutes
            await sender.send(TASK)

    assert [(each.rate, each.set_rate) for each in told] == [(2.5, 5.0), (5.0, 5.0)]


@pytest.mark.parametrize("status", [200, 404, 503])
async def test_a_clock_that_is_behind_is_noticed_by_any_answer_and_told_once(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Forecasts are corrected by it, so whoever waits is not late; but it is worth setting."""
    caplog.set_level(logging.DEBUG, "iceye_derivatives")
    clock = FakeClock()  # it shows 2026-01-01
    ahead = web.Response(status=status, headers={"Date": "Thu, 01 Jan 2026 01:00:00 GMT"})
    alike = web.Response(status=status, headers={"Date": "Thu, 01 Jan 2026 00:00:00 GMT"})
    async with serving(ahead, ahead, alike) as server, api(server.url, clock=clock) as sender:
        found = list[float]()
        for _ in range(3):
            await sender.send(TASK)
            found.append(sender.clock_lag.seconds)

    assert found == [3600.0, 3600.0, 0.0]
    told = [record for record in caplog.records if "clock" in record.getMessage()]
    assert [record.args for record in told] == [(3600.0,)]
    assert told[0].getMessage() == (
        "The clock of this machine is 3600 s behind the API's, which forecasts are corrected by: "
        "set it"
    )


async def test_a_cancelled_call_leaves_the_queue_to_the_others() -> None:
    """Whoever waits for a slot and is cancelled costs nobody anything."""

    class Stuck(FakeClock):
        async def sleep(self, seconds: float, /) -> None:
            await anyio.sleep_forever()

    clock, pacer = Stuck(), Pacer(burst=1)
    async with (
        serving(web.Response()) as server,
        api(server.url, clock=clock, pacer=pacer) as sender,
    ):
        await sender.send(TASK)
        async with anyio.create_task_group() as group:
            group.start_soon(sender.send, TASK)
            await anyio.wait_all_tasks_blocked()
            group.cancel_scope.cancel()
        clock.now += 1
        await sender.send(TASK)

    assert len(server.seen) == 2


async def test_an_error_page_that_quotes_the_token_is_cleaned() -> None:
    """What is read from it ends up in messages."""
    page = web.Response(status=502, text="GET / with planted-1 failed")
    async with serving(page) as server, api(server.url) as sender:
        assert (await sender.send(TASK)).body == b"GET / with <redacted> failed"


async def test_a_packed_answer_is_unpacked() -> None:
    """Gateways compress; the API's answers are read as JSON, whatever was on the line."""
    packed = web.Response(body=gzip.compress(b"{}"), headers={"Content-Encoding": "gzip"})
    async with serving(packed) as server, api(server.url) as sender:
        assert (await sender.send(TASK)).body == b"{}"


@pytest.mark.parametrize(
    "packed",
    [gzip.compress(b"{}")[:-3], b"{}", gzip.compress(b"{}")[:9] + b"\xff" * 9],
    ids=["cut short", "not packed", "broken"],
)
async def test_an_answer_that_is_badly_packed_is_no_answer(packed: bytes) -> None:
    """Cut short, not packed at all, or broken in the middle."""
    answer = web.Response(body=packed, headers={"Content-Encoding": "gzip"})
    async with serving(answer) as server, api(server.url) as sender:
        with pytest.raises(NetworkError):
            await sender.send(TASK)


async def test_a_coding_that_nobody_asked_for_stays_as_it_is() -> None:
    """It is no JSON then, which says enough."""
    answer = web.Response(body=b"{}", headers={"Content-Encoding": "br"})
    async with serving(answer) as server, api(server.url) as sender:
        assert (await sender.send(TASK)).body == b"{}"
        assert server.seen[0].headers["accept-encoding"] == "gzip"


async def test_a_body_without_end_is_cut_off() -> None:
    """One byte more than allowed is kept, so that the reader of the answer can tell."""
    async with (
        serving(web.Response(body=b" " * 10_000_000)) as server,
        api(server.url, limits=Limits(json_bytes=100_000)) as sender,
    ):
        assert len((await sender.send(TASK)).body) == 100_001


async def test_no_cookie_is_kept() -> None:
    """A gateway's cookie would make calls depend on each other."""
    cookie = web.Response(headers={"Set-Cookie": "a=b; Path=/"})
    async with serving(cookie) as server:
        url = server.url.replace("127.0.0.1", "localhost")  # a jar takes none from bare addresses
        async with api(url) as sender:
            await sender.send(TASK)
            await sender.send(TASK)

    assert "cookie" not in server.seen[1].headers


async def test_however_many_calls_are_made_few_connections_are_open() -> None:
    """A fleet of a hundred thousand tasks asks through one transport: no task has a socket."""
    ports: set[object] = set()

    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        ports.add(request.transport.get_extra_info("peername"))
        await checkpoint()
        return web.Response(body=b"{}")

    async with (
        serving(answer) as server,
        api(server.url, connections=3) as transport,
        anyio.create_task_group() as tasks,
    ):
        for _ in range(60):
            tasks.start_soon(transport.send, TASK)
    assert len(ports) == 3
