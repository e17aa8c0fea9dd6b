"""Do calls reach the API, and links their store, as they should and nothing else?"""

from __future__ import annotations

import asyncio
import gzip
import logging
import pickle
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import anyio
import pytest
from aiohttp import web
from anyio.lowlevel import checkpoint
from attrs import field, mutable
from loopback import FakeClock, library_locals, raw_serving, serving

from iceye_derivatives._core.limits import Limits
from iceye_derivatives._core.link_policy import UnsafeLink
from iceye_derivatives._core.pace import Pacer
from iceye_derivatives._core.requests import USER_AGENT, ApiRequest, get_task, list_tasks
from iceye_derivatives._transport import ApiTransport, FileTransport, proxies, session
from iceye_derivatives._transport.proxies import Proxies
from iceye_derivatives._transport.watchdog import SilenceError, Watchdog
from iceye_derivatives.errors import IceyeError, NetworkError, ServerError
from iceye_derivatives.events import PaceChanged
from iceye_derivatives.models import SignedUrl
from iceye_derivatives.protocols import LinkOpener

pytestmark = pytest.mark.anyio

TASK = get_task("t-1")
LISTING = list_tasks(cursor="planted")
CREATE = ApiRequest(
    operation="createTask",
    method="POST",
    path="/api/tasking/v2/tasks",
    body=b'{"a":1}',
    idempotent=False,
)
# What a signature may look like to a store that is not CloudFront: aiohttp would rewrite it.
QUERY = "?Sig=planted%2Fb%7E&e=%41~*&Key=(x)'+%20"


@mutable
class Keeper:
    """Gives its tokens in order; the last one stays."""

    tokens: list[str] = field(factory=lambda: ["planted-1", "planted-2"])
    rejected: list[str] = field(factory=list)
    error: IceyeError | None = None

    async def get(self) -> str:
        await checkpoint()
        if self.error is not None:
            raise self.error
        return self.tokens[0]

    def reject(self, value: str) -> None:
        self.rejected.append(value)
        if len(self.tokens) > 1:
            self.tokens.pop(0)


@asynccontextmanager
async def api(
    url: str, keeper: Keeper | None = None, **settings: Any
) -> AsyncIterator[ApiTransport]:
    transport = ApiTransport(
        url,
        Keeper() if keeper is None else keeper,
        **{
            "pacer": Pacer(),
            "clock": FakeClock(),
            "jitter": lambda: 0.0,
            "trust_env": False,
            **settings,
        },
    )
    try:
        yield transport
    finally:
        await transport.aclose()


@asynccontextmanager
async def files(**settings: Any) -> AsyncIterator[FileTransport]:
    transport = FileTransport(**{"trust_env": False, **settings})
    try:
        yield transport
    finally:
        await transport.aclose()


async def fetch(transport: LinkOpener, url: str, **headers: str) -> tuple[int, bytes]:
    async with transport.open_link(SignedUrl(url), headers=headers) as response:
        return response.status, b"".join([chunk async for chunk in response.chunks()])


def everything(error: BaseException) -> str:
    """All that a log, a person, another process or an error tracker may see of an error."""
    shown = "".join(traceback.format_exception(error))
    return f"{shown}{error!r}{vars(error)}{pickle.dumps(error)!r}{library_locals(error)}"


# --- the API ---------------------------------------------------------------------------------


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


# --- who owns what ---------------------------------------------------------------------------


async def test_a_borrowed_session_is_used_and_left_open() -> None:
    """Ours to use, not ours to close."""
    async with serving(web.Response()) as server, aiohttp.ClientSession() as borrowed:
        async with api(server.url, session=borrowed) as sender, files(session=borrowed) as opener:
            await sender.send(TASK)
            await fetch(opener, server.url)
        assert not borrowed.closed
        assert (await borrowed.get(server.url)).status == 200

    assert len(server.seen) == 3


@pytest.mark.parametrize("after", ["?", "/?", "#", "/a/b?"])
async def test_looking_for_a_proxy_keeps_nothing_of_a_link_but_its_host(after: str) -> None:
    found = Proxies(trust_env=True)
    await found.lookup(f"https://store.example{after}Signature=planted")
    assert "planted" not in repr(vars(found))


async def test_the_proxy_of_one_host_is_not_anothers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a link is written as no link of a store is."""
    monkeypatch.setattr(proxies, "_look_up", lambda _, host: f"http://proxy-of-{host}")
    found = Proxies(trust_env=True)
    for _ in range(2):
        for scheme in ("https", "HTTPS"):
            for host in ("a.example", "b.example"):
                assert await found.lookup(f"{scheme}://{host}/x") == f"http://proxy-of-{host}"


async def test_a_redirect_goes_through_the_proxy_of_where_it_leads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    away = web.Response(status=302, headers={"Location": "http://store.invalid/x"})
    async with serving(away) as server, serving(web.Response(body=b"file")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        async with files(trust_env=True, allow_http=True) as opener:
            assert await fetch(opener, server.url) == (200, b"file")
    assert [len(one.seen) for one in (server, proxy)] == [1, 1]


async def test_all_who_begin_at_once_look_for_a_proxy_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first files of a run: each look takes a thread."""
    looks: list[tuple[str, str]] = []
    monkeypatch.setattr(proxies, "_look_up", lambda *key: looks.append(key))
    found = Proxies(trust_env=True)
    async with anyio.create_task_group() as tasks:
        for number in range(3):
            tasks.start_soon(found.lookup, f"https://store.example/{number}")
    assert looks == [("https", "store.example")]


async def test_all_who_begin_at_once_load_the_http_client_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loads: list[None] = []
    load = session._import
    monkeypatch.setattr(session, "_LOADED", dict[str, Any]())
    monkeypatch.setattr(session, "_import", lambda: (loads.append(None), load()))
    async with (
        serving(web.Response()) as server,
        files() as opener,
        anyio.create_task_group() as tasks,
    ):
        for _ in range(3):
            tasks.start_soon(fetch, opener, server.url)
    assert loads == [None]


async def test_after_closing_nothing_is_sent() -> None:
    """A session opened by a late call would never be closed."""
    async with serving(web.Response()) as server:
        async with api(server.url) as sender, files() as opener:
            await sender.send(TASK)
        with pytest.raises(RuntimeError, match="closed"):
            await sender.send(TASK)
        with pytest.raises(RuntimeError, match="closed"):
            await fetch(opener, server.url)

    assert len(server.seen) == 1


async def test_closing_takes_no_patience_from_calls_that_are_under_way() -> None:
    """In a borrowed session they go on: what is silent must still end, and its timer then."""
    dog = Watchdog(total=None, silence=0.02)
    with anyio.fail_after(10), pytest.raises(SilenceError), dog.watch():
        dog.stop()
        await anyio.sleep_forever()
    assert dog._timer is None


async def test_closing_works_while_being_cancelled() -> None:
    """The connection is gone when the cancelled scope is left."""
    async with serving(web.Response()) as server, api(server.url) as sender:
        await sender.send(TASK)
        opened = sender._line._session
        with anyio.CancelScope() as scope:
            scope.cancel()
            await sender.aclose()
        assert opened is not None
        assert opened.closed


@pytest.mark.parametrize("what", ["api", "files"])
async def test_cancelling_anywhere_leaves_no_connection_in_use(what: str) -> None:
    """One exchange, cancelled after each number of turns of the loop that it takes.

    Trap (aiohttp_retry, responses): one that will be retried is not released.
    """

    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "6"})
        await response.prepare(request)
        for _ in range(3):
            await response.write(b"ab")
            await asyncio.sleep(0)
        return response

    finished = turns = 0
    async with (
        serving(slow) as server,
        api(server.url, pacer=Pacer(rate=1e6)) as sender,
        files() as opener,
    ):

        async def run(scope: anyio.CancelScope) -> None:
            nonlocal finished
            with scope:
                await (sender.send(TASK) if what == "api" else fetch(opener, server.url))
                finished += 1

        line = sender._line if what == "api" else opener._line
        while finished < 3:
            turns += 1
            scope = anyio.CancelScope()
            async with anyio.create_task_group() as group:
                group.start_soon(run, scope)
                for _ in range(turns):
                    await checkpoint()
                scope.cancel()
            if line._lanes is not None:
                line._lanes._let_go(all_of_them=True)  # what is at hand is in nobody's use
            if line._session is not None and line._session.connector is not None:
                assert not line._session.connector._acquired

    assert turns > 5, "an exchange that is over at once shows nothing"


# --- what can break --------------------------------------------------------------------------

BROKEN: list[tuple[bytes | None, str, bool]] = [
    (None, "nothing came within the time allowed", True),
    (b"", "closed before an answer came", True),
    (b"planted\r\n\r\n", "what came is no HTTP answer", True),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", "the body broke off", True),
    (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nplanted\r\n",
        "the body broke off|what came is no HTTP answer",
        True,
    ),
    (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 7\r\n\r\nplanted",
        "the body broke off",
        True,
    ),
]


def _judge(error: NetworkError, *, sent: bool) -> None:
    assert error.sent is sent
    assert error.__cause__ is error.__context__ is None
    assert "127.0.0.1" in str(error) or "invalid" in str(error)
    assert "planted" not in everything(error)


@pytest.mark.parametrize(("answer", "words", "sent"), BROKEN, ids=range(6))
async def test_every_broken_answer_is_one_error_of_ours(
    answer: bytes | None, words: str, sent: bool
) -> None:
    """It names host and kind, and drags no error of aiohttp along."""
    async with raw_serving(answer) as url, api(url, read_timeout=0.1) as sender:
        with pytest.raises(NetworkError, match=words) as caught:
            await sender.send(LISTING)
    _judge(caught.value, sent=sent)


@pytest.mark.parametrize(("answer", "words", "sent"), BROKEN[:5], ids=range(5))
async def test_every_broken_file_is_one_error_of_ours(
    answer: bytes | None, words: str, sent: bool
) -> None:
    """The same for links, whose text is a secret; packed bodies are not unpacked there.

    Trap (earthaccess, timeouts): no timeout on the GET, and a 404 is retried like a broken line.
    Complaint 16 (earthaccess-dev/earthaccess #1128): 1,627 of 1,628 files done, then nothing for
    hours.
    """
    async with raw_serving(answer) as url, files(read_timeout=0.1) as opener:
        with pytest.raises(NetworkError, match=words) as caught:
            await fetch(opener, f"{url}/a{QUERY}")
    _judge(caught.value, sent=sent)


async def test_what_breaks_before_sending_says_so() -> None:
    """A refused port, a name that does not exist, and TLS that cannot be agreed on."""
    async with raw_serving(b"") as gone:
        pass
    async with raw_serving(b"no TLS here") as plain, files() as opener:
        for url, words in (
            (gone, "no connection could be made"),
            ("https://cdn.invalid", "name was not found"),
            (plain.replace("http:", "https:"), "no TLS connection"),
        ):
            with pytest.raises(NetworkError, match=words) as caught:
                await fetch(opener, f"{url}/a{QUERY}")
            _judge(caught.value, sent=False)


async def test_an_error_of_the_caller_is_left_alone() -> None:
    """What is raised inside the context is not taken for an error of the line."""
    async with serving(web.Response(body=b"abc")) as server, files() as opener:
        with pytest.raises(ValueError, match="theirs"):
            async with opener.open_link(SignedUrl(server.url), headers={}):
                raise ValueError("theirs")
        with pytest.raises(OSError, match="disk") as caught:
            async with opener.open_link(SignedUrl(f"{server.url}/{QUERY}"), headers={}):
                raise OSError("disk")

    assert "planted" not in library_locals(caught.value)


# --- files -----------------------------------------------------------------------------------


async def test_a_link_travels_byte_for_byte_and_without_our_token() -> None:
    """A store that signs its URLs refuses any other spelling.

    Complaint 6 (asfadmin/Discovery-asf_search #46): a bearer header beside a signature: "only one
    auth mechanism".
    """
    async with serving(web.Response(body=b"abc")) as server, files() as opener:
        answer = await fetch(opener, f"{server.url}/a%2Fb/c.geojson{QUERY}", Range="bytes=1-")

    assert answer == (200, b"abc")
    (seen,) = server.seen
    assert seen.target == f"/a%2Fb/c.geojson{QUERY}"
    assert seen.headers == {
        "host": server.url.removeprefix("http://"),
        "accept": "*/*",
        "accept-encoding": "identity",
        "range": "bytes=1-",
        "user-agent": USER_AGENT,
    }


@pytest.mark.parametrize("borrow", [False, True])
async def test_a_packed_file_stays_packed(borrow: bool) -> None:
    """Sizes, digests and strong ETags mean the bytes on the line, in a borrowed session too."""
    body = gzip.compress(b"{}")
    packed = web.Response(body=body, headers={"Content-Encoding": "gzip"})
    async with (
        serving(packed) as server,
        aiohttp.ClientSession() as borrowed,
        files(session=borrowed if borrow else None) as opener,
    ):
        assert await fetch(opener, server.url) == (200, body)


@pytest.mark.parametrize("borrow", [False, True])
async def test_of_a_body_that_is_read_slowly_little_waits_in_memory(borrow: bool) -> None:
    """Whatever aiohttp's default: what waits is lost with the process, and fetched again."""
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 8000000\r\n\r\n" + bytes(8_000_000)
    async with (
        raw_serving(whole) as url,
        aiohttp.ClientSession() as borrowed,
        files(session=borrowed if borrow else None) as opener,
        opener.open_link(SignedUrl(url), headers={}) as response,
    ):
        chunks = response.chunks()
        for _ in range(5):
            for _ in range(50):  # the loop reads on for us as long as it is let
                await checkpoint()
            assert len(await anext(chunks)) <= 320 * 1024


@pytest.mark.parametrize("status", [403, 404, 416, 503, 304])
async def test_any_status_is_handed_on(status: int) -> None:
    """What it means is decided above, with the body in hand."""
    body = b"" if status == 304 else b"<Code>AccessDenied</Code>"
    async with serving(web.Response(status=status, body=body)) as server, files() as opener:
        assert await fetch(opener, server.url) == (status, body)


async def test_headers_are_known_by_lower_case_names() -> None:
    """And one that came twice holds both."""
    headers = [("ETag", '"x"'), ("X-Cache", "a"), ("X-Cache", "b")]
    async with (
        serving(web.Response(headers=headers)) as server,
        files() as opener,
        opener.open_link(SignedUrl(server.url), headers={}) as response,
    ):
        assert response.headers["etag"] == '"x"'
        assert response.headers["x-cache"] == "a, b"


def moved(url: str, status: int = 302) -> web.Response:
    # With a page, as stores send one: an empty body would let go of its connection by itself.
    return web.Response(status=status, headers={"Location": url}, body=b"moved" * 100_000)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_followed_byte_for_byte(status: int) -> None:
    """With the headers of the first request."""
    async with serving(web.Response(body=b"abc")) as other:
        target = f"{other.url}/b%2F{QUERY}"
        async with serving(moved(target, status)) as server, files() as opener:
            assert await fetch(opener, server.url, Range="bytes=0-") == (200, b"abc")

    assert other.seen[0].target == f"/b%2F{QUERY}"
    assert other.seen[0].headers["range"] == "bytes=0-"


@pytest.mark.parametrize("status", [200, 201, 304, 404])
async def test_nothing_but_a_redirect_leads_elsewhere(status: int) -> None:
    async with (
        serving(web.Response(body=b"abc")) as other,
        serving(moved(other.url, status)) as server,
        files() as opener,
    ):
        assert (await fetch(opener, server.url))[0] == status

    assert other.seen == []


async def test_a_redirect_within_the_store_may_be_relative() -> None:
    """And three are followed, but not a fourth."""
    end = web.Response(body=b"abc")
    async with serving(moved("/1"), moved("/2"), moved("3"), end) as server, files() as opener:
        assert await fetch(opener, server.url) == (200, b"abc")
    async with serving(moved("/again")) as server, files() as opener:
        with pytest.raises(UnsafeLink, match="3 times") as caught:
            await fetch(opener, f"{server.url}/{QUERY}")
        assert opener._line._session is not None
        assert opener._line._session.connector is not None
        assert not opener._line._session.connector._acquired

    assert len(server.seen) == 4
    assert "planted" not in everything(caught.value)


@pytest.mark.parametrize(
    "location",
    [
        "http://cdn.invalid/planted",
        "https://user:planted@cdn.invalid/",
        "ftp://cdn.invalid/planted",
        "file:///etc/planted",
        "https://cdn.invalid/plänted",
    ],
)
async def test_an_unsafe_redirect_is_not_followed(location: str) -> None:
    """Nothing is looked up or sent, and the reason does not repeat the link."""
    async with serving(moved(location)) as server, files() as opener:
        with pytest.raises(UnsafeLink) as caught:
            await fetch(opener, server.url)

    assert "planted" not in everything(caught.value)


async def test_plain_http_is_the_callers_to_allow() -> None:
    """Then the line breaks where the name does not exist, and no sooner."""
    async with files() as strict, files(allow_http=True) as lax:
        with pytest.raises(UnsafeLink):
            await fetch(strict, "http://cdn.invalid/a")
        with pytest.raises(NetworkError):
            await fetch(lax, "http://cdn.invalid/a")


async def test_a_connection_serves_again_only_after_a_whole_body() -> None:
    """The rest of an abandoned body would have to be read first, however large it is."""
    large = web.Response(body=b"x" * 5_000_000)
    async with (
        serving(web.Response(body=b"abc"), web.Response(body=b"abc"), large) as server,
        files() as opener,
    ):
        await fetch(opener, server.url)
        await fetch(opener, server.url)
        async with opener.open_link(SignedUrl(server.url), headers={}) as response:
            async for _ in response.chunks():
                break
        await fetch(opener, server.url)

    peers = [seen.peer for seen in server.seen]
    assert peers[0] == peers[1] == peers[2] != peers[3]


# --- the environment -------------------------------------------------------------------------


async def test_netrc_is_never_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ``default`` entry would send that password to the store, and aiohttp refuses our token."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login planted password planted\n")
    monkeypatch.setenv("NETRC", str(netrc))
    async with (
        serving(web.Response()) as server,
        api(server.url, trust_env=True) as sender,
        files(trust_env=True) as opener,
    ):
        await sender.send(TASK)
        await fetch(opener, server.url)

    assert server.seen[0].headers["authorization"] == "Bearer planted-1"
    assert "authorization" not in server.seen[1].headers


async def test_the_proxy_of_the_environment_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closed networks have no other way out; with ``trust_env=False`` it is left alone."""
    async with serving(web.Response(body=b"via proxy")) as proxy, serving(web.Response()) as server:
        monkeypatch.setenv("http_proxy", proxy.url.replace("//", "//user:word@"))
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        async with files(trust_env=True) as opener:
            assert await fetch(opener, f"{server.url}/a{QUERY}") == (200, b"via proxy")
        async with files(trust_env=False) as opener:
            assert await fetch(opener, server.url) == (200, b"")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        async with files(trust_env=True) as opener:
            assert await fetch(opener, server.url) == (200, b"")

    assert [len(proxy.seen), len(server.seen)] == [1, 2]
    assert proxy.seen[0].target == f"{server.url}/a{QUERY}"
    assert proxy.seen[0].headers["proxy-authorization"].startswith("Basic ")


async def test_no_redirect_leads_from_a_public_store_to_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The store is public by its name; a proxy stands in for the way to it."""
    async with serving(web.Response()) as inner, serving(moved(f"{inner.url}/x")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        async with files(trust_env=True, allow_http=True) as opener:
            with pytest.raises(UnsafeLink, match="private") as caught:
                await fetch(opener, f"http://store.example/a{QUERY}")

    assert (len(proxy.seen), inner.seen) == (1, [])
    assert "planted" not in everything(caught.value)


# --- the log ---------------------------------------------------------------------------------


async def test_the_log_tells_what_was_asked_and_no_secret(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """At DEBUG, from every logger, whether it went well or not.

    Trap (planet, logs): each request URL is logged at INFO and all headers at DEBUG.
    """
    caplog.set_level(logging.DEBUG)
    asyncio.get_running_loop().set_debug(True)
    async with serving(web.Response(body=b"planted")) as server, raw_serving(b"planted") as broken:
        for url in (server.url, broken):
            async with api(url) as sender, files() as opener:
                for call in (
                    partial(sender.send, LISTING),
                    partial(fetch, opener, f"{url}/a{QUERY}"),
                ):
                    with nullcontext() if url == server.url else pytest.raises(NetworkError):
                        await call()

    ours = [record.getMessage() for record in caplog.records if record.name == "iceye_derivatives"]
    assert ours == [
        "GET /api/tasking/v2/tasks → 200 in 0.00 s",
        f"GET {server.url}/a?<redacted> → 200",
    ]
    assert "planted" not in caplog.text


# -- connections -----------------------------------------------------------------------------------


async def test_as_many_links_are_open_at_a_time_as_are_asked_for() -> None:
    """Who opens links says how many: a pool that is smaller would make the rest wait unseen."""
    here, all_here = 0, anyio.Event()

    async def together(request: web.Request) -> web.StreamResponse:
        nonlocal here
        here += 1
        if here == 64:
            all_here.set()
        await all_here.wait()
        return web.Response(body=b"x")

    async with serving(together) as server, files() as transport:
        async with anyio.create_task_group() as tasks:
            for _ in range(64):
                tasks.start_soon(fetch, transport, f"{server.url}/file")
        assert here == 64


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
