"""Does an object store keep the promises of sinks, against S3's own API over loopback?"""

from __future__ import annotations

import asyncio
import errno
import threading
from collections.abc import Iterator
from functools import partial

import anyio
import pytest
from attrs import evolve
from cancelling import begun
from object_stores import (
    BODY,
    MIB,
    NAME,
    REF,
    StorePromises,
    hashed,
)
from s3_server import PLANTED_SECRET, Refusal, Request, S3Server, serving

from iceye_derivatives._core.journal import Journal, WholeFile
from iceye_derivatives._core.plan import file_name, journal_name
from iceye_derivatives.errors import ConfigurationError
from iceye_derivatives.protocols import Sink
from iceye_derivatives.sharing import Busy, NoteSink, Place, Present, SharedSink
from iceye_derivatives.sinks import ObjectStoreSink
from iceye_derivatives.sinks._inspect_objects import inspect_objects

pytestmark = pytest.mark.anyio

KEY = f"pre/fix/{NAME}"


def refuse(body: bytes) -> str:
    raise ValueError("no file")


@pytest.fixture
def s3() -> Iterator[S3Server]:
    with serving() as server:
        yield server


def s3_sink(s3: S3Server) -> ObjectStoreSink:
    return ObjectStoreSink.from_url("s3://detections/pre/fix", **s3.options())


@pytest.fixture(params=["s3", "memory"])
def sink(request: pytest.FixtureRequest, s3: S3Server) -> ObjectStoreSink:
    return s3_sink(s3) if request.param == "s3" else ObjectStoreSink.from_url("memory:///pre/fix")


def refusing(s3: S3Server, status: int, code: str, *steps: str) -> None:
    s3.refuse = lambda request: Refusal(status, code) if request.step in steps else None


# -- what every sink promises ----------------------------------------------------------------------


async def test_it_is_a_sink_with_a_journal_that_others_may_share(sink: ObjectStoreSink) -> None:
    assert isinstance(sink, SharedSink)
    assert isinstance(sink, NoteSink)
    plain: Sink = sink
    assert plain.locate(NAME).endswith(f"pre/fix/{NAME}")


async def test_what_is_put_is_found_whole_and_hashed(sink: ObjectStoreSink) -> None:
    assert await sink.find(NAME) is None
    path, checked = await sink.put(NAME, BODY, hashed)
    assert (path, checked) == (sink.locate(NAME), hashed(BODY))
    found = await sink.find(NAME)
    assert found is not None
    assert (found.path, found.size, found.sha256) == (path, len(BODY), hashed(BODY))


async def test_a_body_that_fails_its_check_is_not_sent(s3: S3Server) -> None:
    sink = s3_sink(s3)
    with pytest.raises(ValueError, match="no file"):
        await sink.put(NAME, BODY, refuse)
    async with sink.claim(NAME, REF) as place:
        assert not isinstance(place, Present | Busy)
        with pytest.raises(ValueError, match="no file"):
            await place.put(BODY, refuse)
    assert "PutObject" not in s3.steps()
    assert s3.objects() == {}


class TestPromises(StorePromises):
    """On S3, and in memory."""


async def test_an_object_stays_whole_until_it_is_replaced(sink: ObjectStoreSink) -> None:
    await sink.put(NAME, b"old", hashed)
    async with sink.create(NAME) as part:
        await part.write(b"new" * 3 * MIB)
    found = await sink.find(NAME)
    assert found is not None
    assert found.size == 3
    async with sink.create(NAME) as part:
        await part.write(b"new" * 3 * MIB)
        await part.commit()
    found = await sink.find(NAME)
    assert found is not None
    assert found.size == 9 * MIB


async def test_a_note_replaces_the_one_before_it(sink: ObjectStoreSink) -> None:
    name = "task-1/.iceye-journal.json"
    assert await sink.read_note(name) is None
    await sink.write_note(name, lambda: b"first")
    await sink.write_note(name, lambda: b"second")
    assert await sink.read_note(name) == b"second"


def test_verifying_looks_into_all_pages_of_a_journal(s3: S3Server) -> None:
    sink = s3_sink(s3)

    async def fill() -> None:
        for number in (1, 2, 3):
            asset = evolve(REF, derivative_id=f"d{number}")
            word = WholeFile(
                asset=asset,
                size=len(BODY),
                sha256=hashed(BODY),
                stamp=None,
                etag=None,
                begun=0.0,
                finished=1.0,
            )
            page = Journal(REF.task_id)
            page.note(word)
            await sink.put(file_name(asset), BODY, hashed)
            await sink.write_note(journal_name(REF.task_id, number), page.render)

    anyio.run(fill)
    [inventory] = inspect_objects(sink)
    assert inventory.ok
    assert len(inventory.findings) == 3


async def test_a_change_to_the_same_or_to_nothing_writes_nothing(s3: S3Server) -> None:
    sink = s3_sink(s3)
    await sink.write_note("collection.json", lambda: b"same")
    s3.requests.clear()
    await sink.update_note("collection.json", lambda before: before)
    await sink.update_note("collection.json", lambda before: None)
    assert s3.steps() == ["GetObject", "GetObject"]


async def test_a_file_is_read_up_to_a_limit(sink: ObjectStoreSink) -> None:
    await sink.put(NAME, BODY, hashed)
    assert await sink.read_file(NAME, len(BODY)) == BODY
    assert await sink.read_file(NAME, len(BODY) - 1) is None
    assert await sink.read_file("task-1/none", 9) is None


@pytest.mark.parametrize("name", ["", "/etc/x", "../x", "a/../x", "a//x", "a\\b"])
async def test_a_name_that_leads_out_of_the_prefix_is_refused(
    sink: ObjectStoreSink, name: str
) -> None:
    with pytest.raises(ValueError, match="not a name"):
        await sink.put(name, BODY, hashed)


# -- on the wire -----------------------------------------------------------------------------------


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


# -- two processes under one prefix ----------------------------------------------------------------


async def store(place: Place | Present | Busy, body: bytes) -> str | None:
    assert not isinstance(place, Present | Busy)
    await place.put(body, hashed)
    return place.stamp


@pytest.mark.parametrize("size", [100, 6 * MIB])
async def test_of_two_processes_one_publishes_and_the_other_keeps_that(
    s3: S3Server, size: int
) -> None:
    body = b"x" * size
    async with (
        s3_sink(s3).claim(NAME, REF) as first,
        s3_sink(s3).claim(NAME, REF) as second,
    ):
        stamps = []
        for place in (first, second):
            assert not isinstance(place, Present | Busy)
            async with place.stream() as part:
                await part.write(body)
                await part.commit()
            stamps.append(place.stamp)
    assert stamps[0] == stamps[1]
    published = [r for r in s3.steps() if r in {"PutObject", "CompleteMultipartUpload"}]
    assert len(published) == (2 if size == 100 else 1)  # the second put was answered 412
    assert (s3.objects(), s3.pending()) == ({KEY: body}, [])


@pytest.mark.parametrize("size", [100, 6 * MIB])
async def test_other_bytes_that_came_meanwhile_are_left_there(s3: S3Server, size: int) -> None:
    async with s3_sink(s3).claim(NAME, REF) as place:
        assert not isinstance(place, Present | Busy)
        await s3_sink(s3).put(NAME, b"theirs", hashed)
        with pytest.raises(OSError, match="meanwhile something else was stored") as caught:
            async with place.stream() as part:
                await part.write(b"x" * size)
                await part.commit()
    assert caught.value.errno == errno.EEXIST
    assert (s3.objects(), s3.pending()) == ({KEY: b"theirs"}, [])


async def test_a_put_whose_answer_was_lost_is_known_again(s3: S3Server) -> None:
    """The store has it; sent again, it is answered 412."""
    async with s3_sink(s3).claim(NAME, REF) as place:
        await s3_sink(s3).put(NAME, BODY, hashed)
        assert await store(place, BODY) is not None
    assert s3.objects() == {KEY: BODY}


async def test_what_stands_there_is_present_with_a_stamp_and_is_not_read(s3: S3Server) -> None:
    async with s3_sink(s3).claim(NAME, REF) as place:
        stamp = await store(place, BODY)
    s3.requests.clear()
    async with s3_sink(s3).claim(NAME, REF) as found:
        assert found == Present(
            path=f"s3://detections/pre/fix/{NAME}", size=len(BODY), stamp=str(stamp)
        )
    assert s3.steps() == ["HeadObject"]


async def test_an_empty_object_counts_as_none_and_is_replaced(s3: S3Server) -> None:
    await s3_sink(s3).put(NAME, b"", hashed)
    async with s3_sink(s3).claim(NAME, REF) as place:
        await store(place, BODY)
    assert s3.objects() == {KEY: BODY}


async def test_replacing_asks_for_no_condition(s3: S3Server) -> None:
    await s3_sink(s3).put(NAME, b"old", hashed)
    async with s3_sink(s3).claim(NAME, REF, replace=True) as place:
        await store(place, BODY)
    assert s3.objects() == {KEY: BODY}


async def test_a_store_that_knows_no_conditions_is_used_without(s3: S3Server) -> None:
    def unknown(request: Request) -> Refusal | None:
        return Refusal(501, "NotImplemented") if "if_none_match" in request.headers else None

    s3.refuse = unknown
    sink = s3_sink(s3)
    for name in (NAME, "task-1/DC_VESSELS_d2.geojson"):
        async with sink.claim(name, REF) as place:
            await store(place, BODY)
    assert s3.steps().count("PutObject") == 3  # it is asked once
    assert s3.objects()[KEY] == BODY


# -- what goes wrong -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "number", "says"),
    [
        (403, "AccessDenied", errno.EACCES, "denies access .403 AccessDenied.: let these"),
        (401, "InvalidToken", errno.EACCES, "does not know the credentials"),
        (404, "NoSuchBucket", errno.ENOENT, "no such bucket .404 NoSuchBucket.: create it"),
        (507, "XMinioStorageFull", errno.ENOSPC, "has no room left, or its quota is used up"),
        (403, "QuotaExceeded", errno.ENOSPC, "has no room left, or its quota is used up"),
        (500, "InternalError", errno.EIO, "failed or could not be reached .500 InternalError."),
    ],
)
async def test_an_error_says_what_to_do_next_and_no_credential(
    s3: S3Server, status: int, code: str, number: int, says: str
) -> None:
    s3.refuse = lambda request: Refusal(status, code)
    with pytest.raises(OSError, match=says) as caught:
        await s3_sink(s3).put(NAME, BODY, hashed)
    assert caught.value.errno == number
    error: BaseException | None = caught.value
    while error is not None:
        assert "Signature" not in f"{error!r}{vars(error)!r}"
        error = error.__context__ or error.__cause__


async def test_a_store_behind_plain_http_says_how_to_allow_it(s3: S3Server) -> None:
    sink = ObjectStoreSink.from_url("s3://detections", **s3.options(client_options={}))
    with pytest.raises(OSError, match="is at an http:// address: allow that"):
        await sink.put(NAME, BODY, hashed)


async def test_a_store_that_is_not_there_is_an_error_of_its_own() -> None:
    s3 = S3Server(url="http://127.0.0.1:1")
    with pytest.raises(OSError, match="could not be reached: see whether it is up") as caught:
        await s3_sink(s3).put(NAME, BODY, hashed)
    assert caught.value.errno == errno.EIO


async def test_an_object_that_changes_while_it_is_read_is_an_error(
    s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hash of two halves would be nobody's."""
    monkeypatch.setattr("iceye_derivatives.sinks._object_client._BLOCK", 10)
    sink = s3_sink(s3)
    await sink.put(NAME, BODY, hashed)
    there = await sink._client.look(NAME)
    assert there is not None
    await sink.put(NAME, b"other" * 9, hashed)
    with pytest.raises(OSError, match="412"):
        await sink._client.digest(there)


@pytest.mark.parametrize(
    "url", ["s3://key:CANARY@bucket/x", "az://c/p?sig=CANARY", "gs://b/p#CANARY"]
)
async def test_a_url_that_holds_a_secret_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigurationError, match="must hold no credentials") as caught:
        ObjectStoreSink.from_url(url)
    assert "CANARY" not in repr(caught.value)


@pytest.mark.parametrize(
    ("url", "options"),
    [("s3://", {}), ("ftp://bucket/x", {}), ("s3://bucket", {"secret_key": PLANTED_SECRET})],
)
async def test_a_url_or_option_that_no_store_knows_is_refused(
    url: str, options: dict[str, str]
) -> None:
    with pytest.raises(ConfigurationError, match="cannot be opened as an object store") as caught:
        ObjectStoreSink.from_url(url, **options)
    assert PLANTED_SECRET not in f"{caught.value!r} {caught.value.__context__!r}"


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("gs://bucket/pre/fix", {"skip_signature": True}),
        ("az://container/pre/fix", {"account_name": "account", "account_key": "a2V5"}),
    ],
)
async def test_the_other_clouds_are_opened_by_their_urls(url: str, options: dict[str, str]) -> None:
    """No more than that: nothing here speaks their APIs; `tests/azure` speaks Azure's."""
    sink = ObjectStoreSink.from_url(url, **options)
    assert sink.locate(NAME) == f"{url}/{NAME}"
    assert repr(sink) == f"ObjectStoreSink({url!r})"


# -- cancellation ----------------------------------------------------------------------------------


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
