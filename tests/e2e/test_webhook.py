"""Do ICEYE's callbacks wake watches, and is everything else that comes harmless?"""

from __future__ import annotations

import ast
import inspect
import json
from base64 import b64encode
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import anyio
import anyio.abc
import pytest
from aiohttp import web
from helpers import ALL_TYPES, good_request

from iceye_derivatives import (
    ConfigurationError,
    DerivativesClient,
    StaticToken,
    Watch,
    webhook,
)
from iceye_derivatives.simulator import Callbacks, Simulator, TaskPlan, Travel
from iceye_derivatives.webhook import texts_in, webhook_application

pytestmark = pytest.mark.anyio

BASIC = ("iceye", "correct-horse:battery")
HEADER = "Basic " + b64encode(b"iceye:correct-horse:battery").decode()
SLOW = TaskPlan(
    accepted_after=600.0,
    imaged_after=60 * 3600.0,
    fulfilled_after=600.0,
    done_after=1.0,
    derivative_delays=dict.fromkeys(ALL_TYPES, 0.0),
)


class Ear:
    """Who is nudged; knows the tasks that begin with "task-"."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def nudge(self, task_id: str) -> bool:
        if task_id.startswith("task-"):
            self.heard.append(task_id)
        return task_id.startswith("task-")


@asynccontextmanager
async def mounted(application: web.Application) -> AsyncGenerator[str, None]:
    """The application below a path of somebody's own server, on a free port."""
    root = web.Application()
    root.add_subapp("/from-iceye", application)
    runner = web.AppRunner(root)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/from-iceye"
    finally:
        await runner.cleanup()


async def post(url: str, body: bytes, authorization: str | None = HEADER) -> tuple[int, Any]:
    headers = {} if authorization is None else {"Authorization": authorization}
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=body, headers=headers) as answer,
    ):
        return answer.status, (answer.headers.get("WWW-Authenticate"), await answer.text())


@pytest.mark.parametrize(
    ("body", "heard"),
    [
        ({"data": {"taskID": "task-1", "status": "DONE"}}, ["task-1"]),
        (["task-1", "task-1", {"task-2": None}], ["task-1", "task-2"]),
        ({"resource": "/api/tasking/v2/tasks/task-9/derivatives?a=b"}, ["task-9"]),
        ("task-3", ["task-3"]),
        ({"id": 7, "x": None, "y": [True, 1.5]}, []),
    ],
)
async def test_each_id_in_any_shape_is_nudged_once(body: Any, heard: list[str]) -> None:
    ear = Ear()
    async with mounted(webhook_application(ear, basic=BASIC)) as url:
        assert (await post(url, json.dumps(body).encode()))[0] == 204

    assert ear.heard == heard


@pytest.mark.parametrize("body", [b"", b"\xff{", b"[" * 60_000, b'{"a": NaN'])
async def test_what_is_no_json_is_taken_and_means_nothing(body: bytes) -> None:
    ear = Ear()
    async with mounted(webhook_application(ear, basic=BASIC)) as url:
        assert (await post(url, body))[0] == 204

    assert ear.heard == []


async def test_a_long_body_is_refused_and_a_long_list_is_cut() -> None:
    ear = Ear()
    async with mounted(webhook_application(ear, basic=BASIC)) as url:
        assert (await post(url, json.dumps("task" * 100_000).encode()))[0] == 413

    assert ear.heard == []
    assert len(list(texts_in(json.dumps(["t"] * 20_000).encode()))) <= 2_000


@pytest.mark.parametrize(("over", "status"), [(0, 204), (1, 413)])
async def test_the_longest_body_that_is_taken_is_the_callers_to_say(over: int, status: int) -> None:
    body = json.dumps("x" * 98).encode() + b" " * over
    async with mounted(webhook_application(Ear(), basic=BASIC, max_bytes=100)) as url:
        assert (await post(url, body))[0] == status


async def test_a_callback_is_answered_before_anything_is_asked_of_the_api() -> None:
    """ICEYE need not wait for ICEYE: here the API never answers, and the callback is, at once."""
    asked = anyio.Event()

    async def silent(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            asked.set()
            await anyio.sleep_forever()

    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1") as api,
        anyio.create_task_group() as group,
    ):
        group.start_soon(api.serve, silent)
        port = api.extra(anyio.abc.SocketAttribute.local_port)
        async with (
            DerivativesClient(base_url=f"http://127.0.0.1:{port}", auth=StaticToken("t")) as client,
            client.watch_tasks(["task-1"]),
            mounted(webhook_application(client, basic=BASIC)) as url,
        ):
            with anyio.fail_after(10):
                await asked.wait()
                answers = [(await post(url, b'"task-1"'))[0] for _ in range(3)]
        group.cancel_scope.cancel()

    assert answers == [204] * 3


def test_credentials_are_compared_in_constant_time_and_nowhere_else() -> None:
    """What cannot be seen from outside: `==` on a secret would tell, byte by byte, how far it fits.

    So the class that holds them compares nothing itself, and the one function that does is made of
    digests of one length and `hmac.compare_digest`.
    """
    tree = {
        one.name: one
        for one in ast.parse(inspect.getsource(webhook)).body
        if isinstance(one, ast.ClassDef | ast.FunctionDef)
    }
    door, same = tree["_Door"], tree["_is_same"]
    compared = [one for one in ast.walk(door) if isinstance(one, ast.Compare)]
    matched = [
        ast.unparse(one.pattern) for one in ast.walk(door) if isinstance(one, ast.match_case)
    ]

    assert {ast.unparse(one) for one in compared} <= {
        "self._basic is not None",
        "self._bearer is not None",
        "self._ask is not None",
        "basic is None",
    }
    assert matched == ["'basic'", "'bearer'", "'bearer'"]
    assert ast.unparse(same.body[-1]) == ("return hmac.compare_digest(_digest(given), expected)")


async def test_a_body_that_does_not_arrive_is_not_called_too_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(webhook, "_BODY_TIMEOUT", 0.01)
    ear = Ear()

    async def dripping() -> AsyncGenerator[bytes, None]:
        yield b'"task-1'
        await anyio.sleep_forever()

    async with (
        mounted(webhook_application(ear, basic=BASIC)) as url,
        aiohttp.ClientSession() as session,
        session.post(url, data=dripping(), headers={"Authorization": HEADER}) as answer,
    ):
        assert answer.status == 408

    assert ear.heard == []


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Basic",
        "Basic !!!",
        "Basic " + b64encode(b"iceye:wrong").decode(),
        "Basic " + b64encode(b"iceye").decode(),
        "Bearer correct-horse:battery",
        "Bearer é",
    ],
)
async def test_missing_and_wrong_credentials_are_answered_alike(authorization: str | None) -> None:
    ear = Ear()
    async with mounted(webhook_application(ear, basic=BASIC)) as url:
        answer = await post(url, b'"task-1"', authorization)

    assert answer == (401, ('Basic realm="callbacks"', ""))
    assert ear.heard == []


async def test_no_scheme_is_offered_that_opens_nothing() -> None:
    offered = []
    for door in (
        webhook_application(Ear(), bearer=_is_good),
        webhook_application(Ear(), basic=BASIC, bearer="issued-by-us"),
    ):
        async with mounted(door) as url:
            _, (challenge, _) = await post(url, b"", None)
            offered.append(challenge)

    assert offered == [
        'Bearer realm="callbacks"',
        'Basic realm="callbacks", Bearer realm="callbacks"',
    ]


async def _is_good(token: str) -> bool:
    return token == "issued-by-us"


@pytest.mark.parametrize("bearer", ["issued-by-us", _is_good])
async def test_a_token_opens_it_too(bearer: str | Callable[[str], Awaitable[bool]]) -> None:
    ear = Ear()
    async with mounted(webhook_application(ear, bearer=bearer)) as url:
        assert (await post(url, b'"task-1"', "bearer issued-by-us"))[0] == 204
        assert (await post(url, b'"task-1"', "Bearer another"))[0] == 401
        assert (await post(url, b'"task-1"', HEADER))[0] == 401

    assert ear.heard == ["task-1"]


@pytest.mark.parametrize(
    ("basic", "bearer"),
    [
        (None, None),
        (("", ""), None),
        (("iceye", ""), None),
        (None, ""),
        (BASIC, ""),
        (("", ""), "issued-by-us"),
        (("", "password"), _is_good),
    ],
)
def test_without_credentials_or_with_an_empty_one_there_is_no_webhook(
    basic: tuple[str, str] | None, bearer: str | Callable[[str], Awaitable[bool]] | None
) -> None:
    with pytest.raises(ConfigurationError, match="lets anybody in"):
        webhook_application(Ear(), basic=basic, bearer=bearer)


async def _watched(sim: Simulator, client: DerivativesClient, *, push: bool) -> tuple[int, float]:
    """Requests, and seconds from ready to handed out, of a task that is ordered now."""
    sim.world.plan = SLOW
    before = len(sim.requests)
    task = await client.create_task(good_request(sim, webhook_id="hook-1"))
    ordered = sim.world.get_task(task.id, now=sim.clock.time())
    assert ordered["notifications"] == {"webhook": {"id": "hook-1"}}
    watch = Watch(task.id)
    got = [
        (one.id, sim.clock.time())
        async for one in client.watch_task(task.id, watch=watch, push=push)
    ]
    ready = sim.world.ready_times(task.id)
    assert watch.finished
    assert sorted(one for one, _ in got) == sorted(ready)
    return len(sim.requests) - before, max(moment - ready[one] for one, moment in got)


async def test_with_callbacks_a_watch_costs_a_few_requests_and_is_early(
    sim: Simulator, client: DerivativesClient
) -> None:
    """Order with the webhook's id, callback, nudge, derivatives: over loopback from end to end."""
    plain, _ = await _watched(sim, client, push=False)
    async with (
        mounted(webhook_application(client, basic=BASIC)) as url,
        Callbacks(sim, url, HEADER) as callbacks,
    ):
        pushed, delay = await _watched(sim, client, push=True)
        # The watch has all it wants a second before the task is DONE, of which is told, too.
        await sim.clock.sleep(60.0)

    assert callbacks.answers == [204] * 3
    assert delay < 60
    assert pushed < min(plain, 24)


async def test_nothing_that_a_callback_says_is_believed(
    sim: Simulator, client: DerivativesClient
) -> None:
    """Neither a status nor a derivative nor a link: it costs a look, and the API has the word."""
    sim.world.plan = SLOW
    task = await client.create_task(good_request(sim))
    forged = {
        "taskID": task.id,
        "status": "CANCELED",
        "data": [{"id": "forged", "assets": {"geojson": {"href": "http://127.0.0.1:9/forged"}}}],
    }
    got: list[str] = []
    async with mounted(webhook_application(client, basic=BASIC)) as url:

        async def lie() -> None:
            for _ in range(5):
                await sim.clock.sleep(3600.0)
                with sim.clock.hold():
                    assert (await post(url, json.dumps(forged).encode()))[0] == 204

        async with anyio.create_task_group() as group:
            group.start_soon(lie)
            got += [one.id async for one in client.watch_task(task.id, push=True)]

    assert sorted(got) == sorted(sim.world.ready_times(task.id))
    assert not any("forged" in seen.path for seen in sim.requests)


@pytest.mark.parametrize(
    "travel",
    [
        Travel(lost=1),
        Travel(lost=2),
        Travel(doubled=True),
        Travel(late=1800.0),
        Travel(body="garbage"),
        Travel(body="huge"),
    ],
    ids=str,
)
async def test_whatever_happens_to_callbacks_nothing_is_lost(
    sim: Simulator, client: DerivativesClient, travel: Travel
) -> None:
    async with (
        mounted(webhook_application(client, basic=BASIC)) as url,
        Callbacks(sim, url, HEADER, travel),
    ):
        requests, _ = await _watched(sim, client, push=True)

    assert requests < 200
