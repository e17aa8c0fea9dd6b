"""Does an object store keep the promises of sinks, against S3's own API over loopback?"""

from __future__ import annotations

import anyio
import pytest
from attrs import evolve
from object_stores import BODY, MIB, NAME, REF, StorePromises, hashed
from s3_server import S3Server
from s3_sinks import s3_sink

from iceye_derivatives._core.journal import Journal, WholeFile
from iceye_derivatives._core.plan import file_name, journal_name
from iceye_derivatives.protocols import Sink
from iceye_derivatives.sharing import Busy, NoteSink, Present, SharedSink
from iceye_derivatives.sinks import ObjectStoreSink
from iceye_derivatives.sinks._inspect_objects import inspect_objects

pytestmark = pytest.mark.anyio


def refuse(body: bytes) -> str:
    raise ValueError("no file")


@pytest.fixture(params=["s3", "memory"])
def sink(request: pytest.FixtureRequest, s3: S3Server) -> ObjectStoreSink:
    return s3_sink(s3) if request.param == "s3" else ObjectStoreSink.from_url("memory:///pre/fix")


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
