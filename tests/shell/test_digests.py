"""Is a file believed only where its bytes agree with the digests that the store offers?"""

from __future__ import annotations

import hashlib
from base64 import b64encode

import pytest
from downloads import downloader
from store_fakes import FakeStore, Fault, detections

from iceye_derivatives import ContentError, Limits, MemorySink
from iceye_derivatives.errors import FileTooLargeError
from iceye_derivatives.events import FileRecord

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("pieces")]

SMALL, LONG = detections(), detections("long", 100)


def repr_digest(body: bytes) -> dict[str, str]:
    return {"repr-digest": f"sha-256=:{b64encode(hashlib.sha256(body).digest()).decode()}:"}


async def fetched(body: bytes, *faults: Fault, limits: Limits | None = None) -> FileRecord:
    store = FakeStore(faults=list(faults))
    derivative = store.add("d1", body)
    found = downloader(store, MemorySink(), limits=limits)
    (record,) = (await found.download([derivative])).files
    return record


@pytest.mark.parametrize("body", [SMALL, LONG], ids=["held", "streamed"])
async def test_bytes_that_agree_are_stored(body: bytes) -> None:
    assert (await fetched(body, Fault(headers=repr_digest(body)))).ok


@pytest.mark.parametrize("body", [SMALL, LONG], ids=["held", "streamed"])
async def test_bytes_that_disagree_are_not(body: bytes) -> None:
    """Complaint 19 (CS-SI/eodag #1834).

    No integrity check, though the bytes pass through anyway.
    """
    record = await fetched(body, Fault(headers=repr_digest(b"another file")))

    assert isinstance(record.error, ContentError)
    assert "sha-256 is not the one" in str(record.error)


async def test_a_body_that_broke_and_went_on_is_compared_as_a_whole() -> None:
    broken = Fault(headers=repr_digest(LONG), stop_after=200)

    assert (await fetched(LONG, broken, Fault(headers=repr_digest(LONG)))).ok
    record = await fetched(LONG, broken, Fault(headers=repr_digest(b"another file")))
    assert isinstance(record.error, ContentError)


async def test_a_file_above_its_ceiling_is_said_to_be_too_large() -> None:
    record = await fetched(LONG, limits=Limits(bytes_per_run=100))

    assert isinstance(record.error, FileTooLargeError)
    assert (record.error.limit, record.error.allowed) == ("bytes_per_run", 100)
