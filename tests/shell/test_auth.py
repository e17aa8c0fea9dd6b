"""Are tokens fetched as documented, shared, renewed in time, and never shown?"""

from __future__ import annotations

import pickle
from base64 import b64encode
from itertools import pairwise
from random import Random
from typing import Any

import anyio
import pytest
from aiohttp import web
from anyio.lowlevel import checkpoint
from attrs import field, mutable
from loopback import FakeClock, everything, raw_serving, serving

from iceye_derivatives._auth import ClientCredentials, StaticToken, TokenKeeper
from iceye_derivatives._core.requests import USER_AGENT
from iceye_derivatives.errors import (
    AuthenticationError,
    ConfigurationError,
    IceyeError,
    NetworkError,
    RateLimitedError,
    ServerError,
    UnexpectedResponseError,
)
from iceye_derivatives.protocols import AccessToken, TokenSource

pytestmark = pytest.mark.anyio

SECRET = "planted-secret-0123456789"
GOOD = {"token_type": "Bearer", "expires_in": 3600, "access_token": "planted-token", "scope": "x"}
both_backends = pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])


def credentials(url: str, **settings: Any) -> ClientCredentials:
    return ClientCredentials(f"{url}/v1/token", "our-id", SECRET, trust_env=False, **settings)


async def test_the_token_request_is_the_one_of_the_docs() -> None:
    """POST, Basic, a form with the grant alone, and the headers of their example."""
    async with serving(web.json_response(GOOD)) as server:
        token = await credentials(server.url).fetch_token()

    assert (token.value, token.expires_in) == ("planted-token", 3600.0)
    (seen,) = server.seen
    assert (seen.method, seen.target, seen.body) == (
        "POST",
        "/v1/token",
        b"grant_type=client_credentials",
    )
    basic = b64encode(f"our-id:{SECRET}".encode()).decode()
    assert seen.headers == {
        "host": server.url.removeprefix("http://"),
        "accept": "application/json, application/problem+json",
        "accept-encoding": seen.headers["accept-encoding"],
        "authorization": f"Basic {basic}",
        "cache-control": "no-cache",
        "content-length": "29",
        "content-type": "application/x-www-form-urlencoded",
        "user-agent": USER_AGENT,
    }


@pytest.mark.parametrize(
    ("status", "cls"),
    [
        (400, AuthenticationError),
        (401, AuthenticationError),
        (403, AuthenticationError),
        (404, ConfigurationError),
        (429, RateLimitedError),
        (500, ServerError),
    ],
)
async def test_a_refusal_is_told_without_the_secret(status: int, cls: type[IceyeError]) -> None:
    """Even where the endpoint quotes the request back."""
    basic = b64encode(f"our-id:{SECRET}".encode()).decode()
    body = {"error": "invalid_client", "error_description": f"{SECRET} or {basic} is wrong"}
    async with serving(web.json_response(body, status=status)) as server:
        with pytest.raises(cls, match="is wrong") as caught:
            await credentials(server.url).fetch_token()

    assert SECRET not in everything(caught.value)
    assert basic not in everything(caught.value)


async def test_no_redirect_is_followed_with_the_secret() -> None:
    """Not even to the same host: the URL was configured by a person."""
    async with serving(web.json_response(GOOD)) as other:
        moved = web.Response(status=307, headers={"Location": f"{other.url}/v1/token"})
        async with serving(moved) as server:
            with pytest.raises(UnexpectedResponseError, match="307"):
                await credentials(server.url).fetch_token()

    assert other.seen == []


async def test_a_silent_endpoint_is_given_up() -> None:
    """And the error holds nothing of aiohttp's.

    Trap (earthaccess, timeouts): no timeout on the GET, and a 404 is retried like a broken line.
    """
    async with raw_serving(None) as url:
        with pytest.raises(
            NetworkError, match=r"127\.0\.0\.1:\d+ failed: .*time allowed"
        ) as caught:
            await credentials(url, timeout=0.05).fetch_token()

    assert caught.value.__cause__ is caught.value.__context__ is None
    assert SECRET not in everything(caught.value)


def test_credentials_are_neither_shown_nor_pickled() -> None:
    """A repr ends up in logs, a pickle in files."""
    for source in (credentials("http://localhost"), StaticToken("planted-token")):
        assert "planted" not in repr(source)
        with pytest.raises(TypeError, match="does not pickle"):
            pickle.dumps(source)
        assert isinstance(source, TokenSource)


@pytest.mark.parametrize(
    "arguments",
    [
        ("http://id.example/token", "id", SECRET),
        ("id.example/token", "id", SECRET),
        ("https://id.example/token", "", SECRET),
        ("https://id.example/token", "id", ""),
        ("https://id.example/token", f"id:{SECRET}", SECRET),
        (f"https://id:{SECRET}@id.example/token", "id", SECRET),
    ],
)
def test_credentials_that_cannot_work_are_refused(arguments: tuple[str, str, str]) -> None:
    """Before anything is sent, and without repeating them."""
    with pytest.raises(ConfigurationError) as caught:
        ClientCredentials(*arguments)

    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("token", ["", " ", "two words", "planted\nline", "plantéd"])
def test_a_token_that_no_header_may_hold_is_refused(token: str) -> None:
    """A quoted or broken paste is found at once."""
    with pytest.raises(ConfigurationError, match="quotes") as caught:
        StaticToken(token)

    assert "plant" not in str(caught.value)


async def test_a_static_token_is_given_as_it_is() -> None:
    """Less the white space that a shell or a file adds."""
    assert (await StaticToken(" abc\n").fetch_token()).value == "abc"


@mutable
class Source:
    """Gives t1, t2, …; waits at its gate, if it has one; fails with its error, if it has one."""

    gate: anyio.Event | None = None
    error: IceyeError | None = None
    life: float | None = 3600.0
    asked: int = 0
    inside: int = 0
    most: int = field(default=0)

    async def fetch_token(self) -> AccessToken:
        self.asked += 1
        self.inside += 1
        self.most = max(self.most, self.inside)
        number = self.asked
        try:
            await checkpoint()
            if self.gate is not None:
                await self.gate.wait()
            if self.error is not None:
                raise self.error
            return AccessToken(value=f"t{number}", expires_in=self.life)
        finally:
            self.inside -= 1


@both_backends
async def test_however_many_calls_wait_one_request_is_in_flight() -> None:
    """And all of them get its token."""
    source, got = Source(gate=anyio.Event()), list[str]()
    keeper = TokenKeeper(source, FakeClock())

    async def call() -> None:
        got.append(await keeper.get())

    async with anyio.create_task_group() as group:
        for _ in range(50):
            group.start_soon(call)
        await anyio.wait_all_tasks_blocked()
        assert source.gate is not None
        source.gate.set()

    assert (source.asked, got) == (1, ["t1"] * 50)


@both_backends
async def test_a_failure_is_shared_by_those_who_waited_for_it() -> None:
    """50 waiting calls and a wrong password make one refused request, not 50."""
    source = Source(gate=anyio.Event(), error=AuthenticationError("no", status=401))
    keeper, caught = TokenKeeper(source, FakeClock()), list[IceyeError]()

    async def call() -> None:
        with pytest.raises(AuthenticationError) as error:
            await keeper.get()
        caught.append(error.value)

    async with anyio.create_task_group() as group:
        for _ in range(50):
            group.start_soon(call)
        await anyio.wait_all_tasks_blocked()
        assert source.gate is not None
        source.gate.set()

    assert source.asked == 1
    assert len({id(error) for error in caught}) == 50, "each caller has an error of its own"


@both_backends
@pytest.mark.parametrize(
    ("failure", "asked"),
    [
        (NetworkError("no line"), 0.0),
        (ServerError("down", status=503), 0.0),
        (ServerError("down", status=503, retry_after=7.0), 7.0),
        (RateLimitedError("slowly", status=429, retry_after=60.0), 60.0),
        (AuthenticationError("no", status=401), 0.0),
    ],
    ids=["no answer", "5xx", "5xx for 7 s", "429 for 60 s", "wrong password"],
)
async def test_an_endpoint_that_fails_is_left_alone_for_a_while(
    failure: IceyeError, asked: float
) -> None:
    """The law, whoever calls: for its ``Retry-After``, or a pause that doubles up to half a minute.

    Lesson (200 tasks, a token endpoint that answers 429): the turnstile lets calls in one by one,
    so that each of them was a new one to the keeper, and asked at once.
    """
    source, clock, draw = Source(error=failure), FakeClock(), Random(7)
    keeper, moments = TokenKeeper(source, clock), list[float]()

    async def call() -> None:
        with pytest.raises(type(failure)):
            await keeper.get()

    for _ in range(400):
        before = source.asked
        async with anyio.create_task_group() as group:
            for _ in range(draw.randint(1, 4)):
                group.start_soon(call)
        if source.asked > before:
            moments.append(clock.now)
        clock.now += draw.expovariate(1)

    assert len(moments) == source.asked >= 6, "all that call together share one failure"
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert all(gap >= max(asked, min(30.0, 2.0**number)) - 1e-6 for number, gap in enumerate(gaps))


@both_backends
async def test_after_a_failure_a_call_waits_for_its_turn_and_gets_a_token() -> None:
    """Each try of a call is a real one: what failed a moment ago is not told to who comes now."""
    source, clock = Source(error=NetworkError("no line")), FakeClock()
    keeper = TokenKeeper(source, clock)
    for pause in (1.0, 2.0, 4.0):
        with pytest.raises(NetworkError):
            await keeper.get()
        source.error = NetworkError("no line") if pause < 4 else None
    assert await keeper.get() == "t4"
    assert clock.slept == pytest.approx([1.0, 2.0, 4.0])
    keeper.reject("t4")
    source.error = NetworkError("no line")
    with pytest.raises(NetworkError):
        await keeper.get()
    source.error = None
    assert (await keeper.get(), clock.slept[3:]) == ("t6", pytest.approx([1.0]))


@both_backends
async def test_the_last_word_of_the_endpoint_is_told_at_once() -> None:
    """When to come is for the whole client to wait for, and a wrong password for nobody."""
    source, clock = Source(error=RateLimitedError("slow", status=429, retry_after=60)), FakeClock()
    keeper, left = TokenKeeper(source, clock), list[float | None]()
    for seconds in (0, 20, 39):
        clock.now += seconds
        with pytest.raises(RateLimitedError) as caught:
            await keeper.get()
        left.append(caught.value.retry_after)

    assert (left, source.asked, clock.slept) == ([60.0, 40.0, 1.0], 1, [])
    source.error = AuthenticationError("no", status=401)
    clock.now += 1
    for _ in range(3):
        with pytest.raises(AuthenticationError):
            await keeper.get()
    assert (source.asked, clock.slept) == (2, [])
    source.error = None
    clock.now += 2
    assert await keeper.get() == "t3"


@both_backends
async def test_what_a_renewal_was_asked_to_wait_holds_beyond_the_old_tokens_end() -> None:
    source, clock = Source(), FakeClock()
    keeper, born = TokenKeeper(source, clock), clock.now
    old = await keeper.get()
    source.error = ServerError("down", status=503, retry_after=120.0)
    clock.now = born + 3540
    assert await keeper.get() == old
    clock.now = born + 3600
    with pytest.raises(ServerError) as caught:
        await keeper.get()

    assert (caught.value.retry_after, source.asked) == (60.0, 2)


@both_backends
async def test_a_call_that_is_cancelled_hands_over_to_the_next() -> None:
    """Nobody inherits the cancellation of somebody else."""
    source, got = Source(gate=anyio.Event()), list[str]()
    keeper = TokenKeeper(source, FakeClock())

    async def call() -> None:
        got.append(await keeper.get())

    async with anyio.create_task_group() as group:
        first = anyio.CancelScope()

        async def cancelled() -> None:
            with first:
                await keeper.get()

        group.start_soon(cancelled)
        await anyio.wait_all_tasks_blocked()
        for _ in range(3):
            group.start_soon(call)
        await anyio.wait_all_tasks_blocked()
        first.cancel()
        await anyio.wait_all_tasks_blocked()
        assert source.gate is not None
        source.gate.set()

    assert (source.asked, source.most, got) == (2, 1, ["t2"] * 3)


@both_backends
async def test_a_token_is_renewed_five_minutes_early() -> None:
    """And held until then."""
    source, clock = Source(), FakeClock()
    keeper = TokenKeeper(source, clock)
    got = []
    for seconds in (0, 3299, 1):
        clock.now += seconds
        got.append(await keeper.get())

    assert got == ["t1", "t1", "t2"]


@both_backends
@pytest.mark.parametrize(
    "failure",
    [
        NetworkError("no line"),
        ServerError("down", status=503, retry_after=120.0),
        AuthenticationError("revoked", status=401),
    ],
)
async def test_a_renewal_that_fails_falls_back_to_the_token_that_lives(failure: IceyeError) -> None:
    """Its last five minutes are for that: a hiccup of the endpoint is no hiccup of a watch."""
    source, clock = Source(), FakeClock()
    keeper = TokenKeeper(source, clock)
    first = await keeper.get()
    clock.now += 3300
    source.error = failure
    assert await keeper.get() == await keeper.get() == first
    assert source.asked == 2, "the endpoint is asked again in a while, not at each call"
    clock.now += 121
    assert (await keeper.get(), source.asked) == (first, 3)
    clock.now = 1_767_225_600.0 + 3600
    with pytest.raises(type(failure)):
        await keeper.get()
    source.error = None
    clock.now += 121
    assert (await keeper.get(), source.asked) == ("t5", 5)


@both_backends
async def test_a_token_that_the_api_refused_is_nothing_to_fall_back_to() -> None:
    source, clock = Source(), FakeClock()
    keeper = TokenKeeper(source, clock)
    keeper.reject(await keeper.get())
    source.error = NetworkError("no line")
    with pytest.raises(NetworkError):
        await keeper.get()


@both_backends
async def test_a_late_failure_does_not_bring_a_refused_token_back() -> None:
    """The API refuses the old token while its renewal is under way."""
    source, clock = Source(), FakeClock()
    keeper = TokenKeeper(source, clock)
    old = await keeper.get()
    clock.now += 3300
    source.gate, source.error = anyio.Event(), NetworkError("no line")

    async def call() -> None:
        with pytest.raises(NetworkError):
            await keeper.get()

    async with anyio.create_task_group() as group:
        group.start_soon(call)
        await anyio.wait_all_tasks_blocked()
        keeper.reject(old)
        source.gate.set()


@both_backends
async def test_only_the_current_token_can_be_rejected() -> None:
    """A late 401 for an old token must not cost the new one."""
    source = Source()
    keeper = TokenKeeper(source, FakeClock())
    old = await keeper.get()
    keeper.reject(old)
    new = await keeper.get()
    keeper.reject(old)

    assert (await keeper.get(), source.asked) == (new, 2)


@both_backends
async def test_a_source_of_ones_own_cannot_bend_a_header() -> None:
    """A line break in a token would begin another header."""

    class Bent:
        async def fetch_token(self) -> AccessToken:
            await checkpoint()
            return AccessToken(value="planted\r\nHost: x")

    with pytest.raises(ConfigurationError) as caught:
        await TokenKeeper(Bent(), FakeClock()).get()

    assert "planted" not in str(caught.value)
