"""Two processes under one prefix: does one of them publish, and is nobody's object spoiled?"""

from __future__ import annotations

import errno

import pytest
from object_stores import BODY, MIB, NAME, REF, hashed
from s3_server import Refusal, Request, S3Server
from s3_sinks import KEY, s3_sink

from iceye_derivatives.sharing import Busy, Place, Present

pytestmark = pytest.mark.anyio


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
