"""Does what comes straight over the line come as it would through a session of aiohttp's?"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lane_store import ANSWERS, BODY, HEAD, Store, cut, meeting
from multidict import CIMultiDict

from iceye_derivatives._transport import lane, lanes
from iceye_derivatives._transport.headers import lower_headers
from iceye_derivatives.errors import NetworkError

pytestmark = pytest.mark.anyio


@given(st.lists(st.integers(0, 2 * len(HEAD)) | st.integers(0, len(BODY)), max_size=6))
@settings(max_examples=12, deadline=None)
def test_wherever_it_is_cut_every_byte_comes_once_and_the_connection_serves_again(
    places: list[int],
) -> None:
    async def main() -> None:
        store = Store(pieces=cut(HEAD + BODY, places))
        async with meeting(store) as fetch:
            for _ in range(3):
                status, _, body = await fetch()
                assert (status, body) == (200, BODY)
        assert (store.connections, len(store.requests)) == (1, 3)

    asyncio.run(main())


@pytest.mark.parametrize("resets", [False, True])
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
async def test_each_answer_is_what_it_is_through_a_session(
    answer: bytes, by_session: Callable[[], None], *, resets: bool
) -> None:
    async def outcome() -> tuple[object, int]:
        store = Store(pieces=[answer], closes=True, resets=resets)
        try:
            async with meeting(store) as fetch:
                return await fetch(), len(store.requests)
        except NetworkError as error:
            return f"{error}".replace(store.url.removeprefix("http://"), "store"), len(
                store.requests
            )

    straight = await outcome()
    by_session()
    assert straight == await outcome()


LINKS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=40).map(
    lambda text: f"/{text}"
)


@given(LINKS | LINKS.map(lambda link: f"?{link}") | st.just(""), st.booleans())
@settings(max_examples=40, deadline=None)
def test_each_request_is_to_the_byte_what_a_session_sends(target: str, resumes: bool) -> None:
    """But for the order of its headers, which means nothing."""
    headers = {"Range": "bytes=5-", "If-Range": '"a"'} if resumes else {}

    async def asked() -> list[bytes]:
        store = Store(pieces=[ANSWERS["empty"]])
        async with meeting(store) as fetch:
            try:
                await fetch(target, **headers)
            except ValueError:  # no link to follow
                return b""
            [request] = store.requests
            line, *lines = request.replace(store.url.removeprefix("http://").encode(), b"").split(
                b"\r\n"
            )
            return [line, *sorted(lines)]

    straight = asyncio.run(asked())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lanes, "_fits", lambda *_: False)
        assert straight == asyncio.run(asked())


@pytest.mark.parametrize(
    ("headers", "length"),
    [
        ([("Content-Length", "12")], 12),
        ([("Content-Length", "12"), ("Transfer-Encoding", "chunked")], None),
        ([("Content-Length", "12"), ("Content-Length", "12")], None),
        ([("Content-Length", "+12")], None),
        ([("Content-Length", "١٢")], None),
        ([("Content-Length", "9" * 19)], None),
        ([], None),
    ],
)
def test_a_length_counts_only_where_it_is_all_that_is_said(
    headers: list[tuple[str, str]], length: int | None
) -> None:
    assert lane.plain_length(206, lower_headers(CIMultiDict(headers))) == length


async def test_headers_that_change_are_sent_as_they_are_each_time() -> None:
    store = Store(pieces=[ANSWERS["empty"]])
    async with meeting(store) as fetch:
        for headers in ({}, {"Range": "bytes=5-"}, {"Range": "bytes=7-"}, {}):
            await fetch(**headers)
    asked = [re.findall(rb"Range: (.*)\r\n", request) for request in store.requests]
    assert asked == [[], [b"bytes=5-"], [b"bytes=7-"], []]


def test_two_loops_in_two_threads_do_not_share_a_byte() -> None:
    async def run(letter: bytes) -> set[bytes]:
        body = letter * len(BODY)
        async with meeting(Store(pieces=[HEAD + body])) as fetch:
            return {(await fetch())[2] for _ in range(40)} ^ {body}

    with ThreadPoolExecutor() as pool:
        strange = pool.map(lambda letter: asyncio.run(run(letter)), [b"a", b"b"])
        assert [*strange] == [set(), set()]
