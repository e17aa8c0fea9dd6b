"""Which requests does an upload make, and is none left half done: failed, left or cancelled?"""

from __future__ import annotations

import asyncio
import threading
from functools import partial

import anyio
import pytest
from cancelling import begun
from object_stores import BODY, MIB, NAME, REF, hashed
from s3_server import Refusal, Request, S3Server
from s3_sinks import KEY, s3_sink

from iceye_derivatives.sharing import Busy, Present

pytestmark = pytest.mark.anyio


def refusing(s3: S3Server, status: int, code: str, *steps: str) -> None:
    s3.refuse = lambda request: Refusal(status, code) if request.step in steps else None


async def test_a_small_body_is_one_request_and_says_what_it_is(s3: S3Server) -> None:
    async with s3_sink(s3).claim(NAME, REF) as place:
        assert not isinstance(place, Present | Busy)
        await place.put(BODY, hashed)
    assert s3.steps() == ["HeadObject", "PutObject"]
    [_, put] = s3.requests
    assert put.headers["if_none_match"] == "*"
    assert s3.bucket.keys[KEY].metadata["Content-Type"] == "application/geo+json"


async def test_parts_of_a_long_body_go_up_while_it_arrives(s3: S3Server) -> None:
    async with s3_sink(s3).create(NAME) as part:
        for n in range(5):
            await part.write(bytes([n]) * 5 * MIB)
            assert s3.objects() == {}
        # Two may be on their way; what came before them is there.
        assert s3.steps().count("UploadPart") >= 3
        await part.commit()
    assert s3.steps()[-2:] == ["CompleteMultipartUpload", "HeadObject"]
    assert s3.objects() == {KEY: b"".join(bytes([n]) * 5 * MIB for n in range(5))}
    assert s3.pending() == []


async def test_an_upload_that_is_left_is_aborted(s3: S3Server) -> None:
    with pytest.raises(KeyError):
        async with s3_sink(s3).create(NAME) as part:
            await part.write(b"x" * 6 * MIB)
            await part.write(b"x" * 6 * MIB)
            raise KeyError
    assert s3.steps()[-1] == "AbortMultipartUpload"
    assert (s3.pending(), s3.objects()) == ([], {})


async def test_an_upload_that_starts_over_aborts_the_first(s3: S3Server) -> None:
    async with s3_sink(s3).claim(NAME, REF) as place:
        assert not isinstance(place, Present | Busy)
        async with place.stream() as part:
            await part.write(b"x" * 6 * MIB)
            await part.restart()
            await part.write(b"y" * 6 * MIB)
            await part.commit()
    assert s3.objects() == {KEY: b"y" * 6 * MIB}
    assert s3.pending() == []
    assert place.stamp == (await s3_sink(s3)._client.look(NAME)).stamp  # type: ignore[union-attr]


@pytest.mark.parametrize("step", ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"])
async def test_an_upload_that_the_store_fails_is_aborted(s3: S3Server, step: str) -> None:
    refusing(s3, 500, "InternalError", step)
    with pytest.raises(OSError, match=r"failed or could not be reached \(500"):
        async with s3_sink(s3).create(NAME) as part:
            await part.write(b"x" * 6 * MIB)
            await part.write(b"x" * 6 * MIB)
            await part.commit()
    assert (s3.pending(), s3.objects()) == ([], {})


async def test_an_upload_whose_last_part_fails_is_aborted(s3: S3Server) -> None:
    """It is sent together with the completion, where older versions of obstore forgot to."""

    def refuse_the_tail(request: Request) -> Refusal | None:
        return Refusal(403, "AccessDenied") if "partNumber=2" in request.query else None

    s3.refuse = refuse_the_tail
    with pytest.raises(OSError, match="denies access"):
        async with s3_sink(s3).create(NAME) as part:
            await part.write(b"x" * 6 * MIB)
            await part.commit()
    assert (s3.pending(), s3.objects()) == ([], {})


async def test_an_abort_that_fails_does_not_hide_why(s3: S3Server) -> None:
    refusing(s3, 403, "AccessDenied", "AbortMultipartUpload")
    with pytest.raises(KeyError):
        async with s3_sink(s3).create(NAME) as part:
            await part.write(b"x" * 6 * MIB)
            raise KeyError
    assert s3.pending() == [KEY]  # what a lifecycle rule is for


@pytest.mark.parametrize("plainly", [False, True])
async def test_a_cancelled_put_is_finished_first(s3: S3Server, *, plainly: bool) -> None:
    started, go_on = threading.Event(), threading.Event()

    def hold(request: Request) -> None:
        if request.step == "PutObject":
            started.set()
            assert go_on.wait(10)

    s3.before = hold
    task, cancel = begun(partial(s3_sink(s3).put, NAME, BODY, hashed), plainly=plainly)
    await anyio.to_thread.run_sync(started.wait)
    cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    assert not task.done()
    go_on.set()
    await asyncio.wait([task])
    assert s3.objects() == {KEY: BODY}


async def test_a_store_that_hangs_does_not_hold_a_cancellation_for_ever(
    s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("iceye_derivatives.sinks._settle.GRACE", 0.01)
    started, go_on = threading.Event(), threading.Event()

    def hang(request: Request) -> None:
        started.set()
        go_on.wait(60)

    s3.before = hang
    task = asyncio.get_running_loop().create_task(s3_sink(s3).put(NAME, BODY, hashed))
    await anyio.to_thread.run_sync(started.wait)
    task.cancel()
    await asyncio.wait([task], timeout=30)
    assert task.cancelled()
    # It is carried out after all; what that would leave is the next test's trouble.
    refusing(s3, 500, "InternalError", "PutObject")
    go_on.set()


@pytest.mark.parametrize("plainly", [False, True])
async def test_a_stream_cancelled_at_any_step_is_whole_or_absent_and_leaves_no_upload(
    s3: S3Server, *, plainly: bool
) -> None:
    body = b"x" * 6 * MIB

    async def stream() -> None:
        async with s3_sink(s3).create(NAME) as part:
            await part.write(body)
            await part.write(body)
            await part.commit()

    outcomes = set()
    for request_number in range(1, 7):
        if s3.objects():
            s3.bucket.keys.pop(KEY)
        s3.requests.clear()
        arrived, loop = asyncio.Event(), asyncio.get_running_loop()

        s3.before = partial(tell_of, s3, request_number, loop, arrived)
        task, cancel = begun(stream, plainly=plainly)
        waiting = loop.create_task(arrived.wait())
        await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        cancel()
        await asyncio.wait([task])
        assert s3.pending() == []
        assert s3.objects() in ({}, {KEY: body + body})
        outcomes.add(bool(s3.objects()))
    assert outcomes == {False, True}


def tell_of(
    s3: S3Server,
    number: int,
    loop: asyncio.AbstractEventLoop,
    arrived: asyncio.Event,
    request: Request,
) -> None:
    if len(s3.requests) == number:
        loop.call_soon_threadsafe(arrived.set)
