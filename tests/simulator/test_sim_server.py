"""Does the simulator come and go cleanly, keep honest records, and keep secrets out of logs?"""

from __future__ import annotations

import ast
import logging
import sys
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from pathlib import Path

import aiohttp
import anyio
import pytest
from sim_caller import TASKS, Caller

import iceye_derivatives.simulator as package
from iceye_derivatives.simulator import Simulator, VirtualClock, serve

pytestmark = pytest.mark.anyio

FILES = sorted(Path(package.__file__).parent.rglob("*.py"))
IMPURE = {
    "__init__.py": set(),
    "__main__.py": {"asyncio"},
    "callbacks.py": {"aiohttp", "anyio"},
    "clock.py": {"asyncio", "time"},
    "detections.py": {"random"},
    "sightings.py": {"random"},
    "serve.py": {"asyncio"},
    "server.py": {"aiohttp", "anyio"},
    "wire.py": {"asyncio", "aiohttp", "socket"},
}


def imports(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_simulator_is_a_world_of_its_own(file: Path) -> None:
    """It shares no code with the library: it is a second reading of ICEYE's page."""
    for name in imports(file):
        top = name.partition(".")[0]
        if top == "iceye_derivatives":
            assert name.startswith("iceye_derivatives.simulator")
        else:
            own = {"pytest"} if file.name == "pytest_plugin.py" else set()
            assert top in sys.stdlib_module_names | {"attrs", "aiohttp", "anyio"} | own


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_only_the_shell_knows_time_chance_and_the_loop(file: Path) -> None:
    effects = {
        "asyncio",
        "anyio",
        "aiohttp",
        "time",
        "random",
        "os",
        "socket",
        "secrets",
        "threading",
    }
    used = {name.partition(".")[0] for name in imports(file)} & effects
    assert used <= IMPURE.get(file.name, set())


async def test_the_four_variables_lead_to_it(sim: Simulator) -> None:
    assert sim.environ == {
        "ICEYE_API_BASE_URL": sim.api_base_url,
        "ICEYE_TOKEN_URL": sim.token_url,
        "ICEYE_CLIENT_ID": sim.client_id,
        "ICEYE_CLIENT_SECRET": sim.client_secret,
    }
    assert sim.token_url.startswith(sim.api_base_url)
    assert sim.cdn_base_url != sim.api_base_url


async def test_every_answer_is_dated_by_the_one_clock(caller: Caller) -> None:
    link = await caller.a_link()
    caller.clock.advance(1_000)
    replies = [
        await caller.api("GET", TASKS),
        await caller.send("POST", caller.sim.token_url),
        await caller.send("GET", link),
    ]
    for reply in replies:
        assert parsedate_to_datetime(reply.headers["Date"]).timestamp() == caller.clock.time()


async def test_time_stands_still_while_a_request_is_handled(caller: Caller) -> None:
    start = caller.clock.time()

    async def body() -> AsyncIterator[bytes]:
        yield b"{"
        await anyio.sleep(0.02)
        group.start_soon(caller.clock.sleep, 10)
        await anyio.sleep(0.02)
        assert caller.clock.time() == start
        yield b"}"

    async with anyio.create_task_group() as group:
        assert (await caller.api("POST", TASKS, data=body())).status == 400
    assert caller.clock.time() == start + 10


async def test_every_request_is_recorded(caller: Caller) -> None:
    link = await caller.a_link()
    await caller.send("GET", link, headers={"Range": "bytes=0-9", "X-Test": "Yes"})
    record = caller.sim.requests[-1]
    assert (record.side, record.method, record.status) == ("cdn", "GET", 206)
    assert f"{caller.sim.cdn_base_url}{record.path}?{record.query}" == link
    assert record.headers["x-test"] == "Yes"
    assert record.time == caller.clock.time()
    assert record.bytes_sent == 10
    assert record.fault is None


async def test_a_simulator_that_runs_for_weeks_keeps_the_latest_requests() -> None:
    """So many at least and an eighth more at most, unless all of them are asked for."""
    for keep, most in ((16, 18), (None, 100)):
        async with (
            Simulator(clock=VirtualClock(), keep_requests=keep) as sim,
            aiohttp.ClientSession() as session,
        ):
            for number in range(100):
                async with session.get(f"{sim.api_base_url}/{number}"):
                    pass
                assert sim.requests[-1].path == f"/{number}"
                assert len(sim.requests) + sim.requests_forgotten == number + 1
                assert min(number + 1, keep or 100) <= len(sim.requests) <= most


async def test_no_repr_and_no_log_record_holds_a_secret(
    caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        link = await caller.a_link()
        await caller.send("GET", link)
    signature = link.partition("Signature=")[2]
    token = caller.sim.requests[0].headers["authorization"].partition(" ")[2]
    for text in (caplog.text, repr(caller.sim.requests)):
        assert signature not in text
        assert token not in text


async def test_leaving_ends_what_stalls() -> None:
    """Both callers end by themselves, or the test's own time limit says so."""
    sim = Simulator(clock=VirtualClock())
    async with aiohttp.ClientSession() as session, anyio.create_task_group() as group, sim:
        caller = Caller(sim, session)
        link = await caller.a_link()
        sim.faults.add("stalled_body")
        sim.faults.add("slow_headers", side="api")
        group.start_soon(_cut_off, caller, link)
        group.start_soon(_cut_off, caller, sim.api_base_url + TASKS)
        while len(sim.requests) < 3:  # noqa: ASYNC110 (the simulator has no event for it)
            await anyio.sleep(0.001)
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(sim.api_base_url)


async def _cut_off(caller: Caller, url: str) -> None:
    with pytest.raises(aiohttp.ClientError):
        await caller.send("GET", url)


async def test_a_taken_port_leaves_nothing_open() -> None:
    async with Simulator() as first:
        port = int(first.api_base_url.rpartition(":")[2])
        second = Simulator(port=port)
        with pytest.raises(OSError, match="in use"):
            await second.__aenter__()
        assert not second._runners


async def test_it_can_be_entered_again() -> None:
    sim = Simulator(clock=VirtualClock())
    for _ in range(2):
        async with sim, aiohttp.ClientSession() as session:
            assert (await Caller(sim, session).api("GET", TASKS)).status == 200


async def test_serve_runs_until_cancelled_and_says_when_it_is_ready() -> None:
    ready: list[Simulator] = []
    async with anyio.create_task_group() as group:

        def on_ready(sim: Simulator) -> None:
            ready.append(sim)
            group.cancel_scope.cancel()

        await serve(on_ready=on_ready, clock=VirtualClock(), faults=["rate_limited:3"])
    (sim,) = ready
    assert [armed.times for armed in sim.faults] == [3]
    assert not sim._runners


@pytest.mark.parametrize("fault", ["nonsense", "rate_limited:0", "rate_limited:x"])
async def test_serve_refuses_faults_that_are_none(fault: str) -> None:
    with pytest.raises(ValueError, match="fault"):
        await serve(faults=[fault])


@pytest.mark.parametrize("signing", ["canned", "custom"])
async def test_links_of_both_kinds_open_the_cdn(signing: str) -> None:
    async with (
        Simulator(clock=VirtualClock(), signing=signing, detections=3) as sim,  # type: ignore[arg-type]
        aiohttp.ClientSession() as session,
    ):
        caller = Caller(sim, session)
        link = await caller.a_link()
        reply = await caller.send("GET", link)
        assert len(reply.json["features"]) == 3
        assert ("Policy=" in link) is (signing == "custom")


async def test_lifetimes_can_be_short() -> None:
    async with (
        Simulator(clock=VirtualClock(), token_lifetime=10, link_lifetime=20) as sim,
        aiohttp.ClientSession() as session,
    ):
        caller = Caller(sim, session)
        link = await caller.a_link()
        token = sim.tokens.issue(now=caller.clock.time())
        headers = {"Authorization": f"Bearer {token}"}
        caller.clock.advance(10)
        assert (await caller.send("GET", sim.api_base_url + TASKS, headers=headers)).status == 401
        assert (await caller.send("GET", link)).status == 200
        caller.clock.advance(10)
        assert (await caller.send("GET", link)).status == 403
