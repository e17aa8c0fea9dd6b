"""Does a second process go on where the first was stopped, with the same bytes at its end?"""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from downloads import downloader, parts_in
from sidecars import note_in, rewrite
from store_fakes import FakeStore, Fault, detections

from iceye_derivatives._core.download_settings import DownloadSettings
from iceye_derivatives.errors import ContentError, TransferError
from iceye_derivatives.events import DownloadReport
from iceye_derivatives.models import Derivative
from iceye_derivatives.sinks import DirectorySink

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("pieces")]

SETTINGS = DownloadSettings(small=64, batch=32, retries=0)
BODY = detections("abcdefgh", 40)


async def run(store: FakeStore, root: Path, *derivatives: Derivative) -> DownloadReport:
    """As a process of its own would do it: nothing is shared but the folder."""
    return await downloader(store, DirectorySink(root), settings=SETTINGS).download(derivatives)


async def stopped(root: Path, after: int = 200) -> tuple[FakeStore, Derivative]:
    """A first process that came so far."""
    store = FakeStore(faults=[Fault(stop_after=after)])
    derivative = store.add("d1", BODY)
    report = await run(store, root, derivative)
    assert isinstance(report.failures[0].error, TransferError)
    store.requests.clear()
    return store, derivative


def the(root: Path, pattern: str) -> Path:
    [found] = root.rglob(pattern)
    return found


async def check_whole(root: Path, report: DownloadReport, body: bytes = BODY) -> None:
    report.raise_for_failures()
    assert the(root, "*.geojson").read_bytes() == body
    assert report.files[0].sha256 == sha256(body).hexdigest()
    assert parts_in(root) == set()


async def test_it_goes_on_at_the_marked_byte_under_the_same_etag(tmp_path: Path) -> None:
    """Complaint 22 (ASFHyP3/hyp3-sdk #137).

    Re-running downloads everything again, partial files pass for whole ones.
    """
    store, derivative = await stopped(tmp_path)
    note = note_in(the(tmp_path, "*.mark.part").read_bytes())
    assert 200 - 32 - store.chunk <= note["size"] <= 200
    assert "http" not in json.dumps(note)

    await check_whole(tmp_path, await run(store, tmp_path, derivative))

    [(_, headers, _)] = store.requests
    assert headers["Range"] == f"bytes={note['size']}-"
    assert headers["If-Range"] == note["etag"]


async def test_a_file_that_changed_meanwhile_is_fetched_anew(tmp_path: Path) -> None:
    """Complaint 24 (boto/s3transfer #86): ranged reads mixed two revisions of one object."""
    store, derivative = await stopped(tmp_path)
    new = detections("other", 90)
    store.bodies["task-1/d1/0.geojson"] = new
    store.versions["task-1/d1/0.geojson"].append(new)
    await check_whole(tmp_path, await run(store, tmp_path, derivative), new)


async def test_a_file_that_shrank_meanwhile_is_fetched_anew(tmp_path: Path) -> None:
    store, derivative = await stopped(tmp_path)
    new = detections("o")
    store.bodies["task-1/d1/0.geojson"] = new
    store.versions["task-1/d1/0.geojson"].append(new)
    await check_whole(tmp_path, await run(store, tmp_path, derivative), new)


async def test_a_part_longer_than_the_file_is_fetched_anew(tmp_path: Path) -> None:
    """A body without an end broke off: its bytes are marked, under the file's own ETag."""
    whole = detections("o")
    endless = {"content-length": "", "etag": '"1-task-1/d1/0.geojson"'}
    store = FakeStore(faults=[Fault(status=200, body=BODY, headers=endless, stop_after=200)])
    derivative = store.add("d1", whole)
    assert not (await run(store, tmp_path, derivative)).ok
    note = note_in(the(tmp_path, "*.mark.part").read_bytes())
    assert note["size"] > len(whole)
    # The store has nothing behind it (416); with no retry left, the next process starts over.
    assert not (await run(store, tmp_path, derivative)).ok
    assert parts_in(tmp_path) == set()
    await check_whole(tmp_path, await run(store, tmp_path, derivative), whole)


async def test_a_part_that_holds_all_bytes_needs_no_request(tmp_path: Path) -> None:
    """Killed between the last byte and the final name."""
    store, derivative = await stopped(tmp_path)
    sidecar, part = the(tmp_path, "*.mark.part"), the(tmp_path, "*-*.part")
    part.write_bytes(BODY)
    rewrite(sidecar, size=len(BODY), sha256=sha256(BODY).hexdigest())
    await check_whole(tmp_path, await run(store, tmp_path, derivative))
    assert store.requests == []


def cut(root: Path) -> None:
    part = the(root, "*-*.part")
    part.write_bytes(part.read_bytes()[:100])


def flip(root: Path) -> None:
    part = the(root, "*-*.part")
    body = bytearray(part.read_bytes())
    body[50] ^= 1
    part.write_bytes(body)


def zero(root: Path) -> None:
    """What some file systems make of a file when the power goes."""
    part = the(root, "*-*.part")
    part.write_bytes(bytes(part.stat().st_size))


def garble(root: Path) -> None:
    the(root, "*.mark.part").write_bytes(b'{"format": 1, "size":')


def of_before(root: Path) -> None:
    """A version that wrote one note and no pages."""
    sidecar = the(root, "*.mark.part")
    sidecar.write_text(json.dumps(note_in(sidecar.read_bytes()) | {"format": 1}))


def empty(root: Path) -> None:
    the(root, "*.mark.part").write_bytes(b"")


def lose_part(root: Path) -> None:
    the(root, "*-*.part").unlink()


def longer(root: Path) -> None:
    """Bytes that were written, but never marked: they are not believed."""
    with the(root, "*-*.part").open("ab") as file:
        file.write(b"unsynced rubbish" * 99)


@pytest.mark.parametrize("harm", [cut, flip, zero, garble, of_before, empty, lose_part, longer])
async def test_whatever_happened_to_the_part_the_file_is_right(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    store, derivative = await stopped(tmp_path)
    harm(tmp_path)
    await check_whole(tmp_path, await run(store, tmp_path, derivative))
    assert ("Range" in store.requests[0][1]) == (harm is longer)


@pytest.mark.parametrize("page", [0, 1])
async def test_of_a_sidecar_one_page_is_enough(tmp_path: Path, page: int) -> None:
    """The power went while the other one was written."""
    store, derivative = await stopped(tmp_path)
    sidecar = the(tmp_path, "*.mark.part")
    found = bytearray(sidecar.read_bytes())
    middle = len(found) // 2
    found[page * middle : page * middle + 100] = bytes(100)
    sidecar.write_bytes(found)
    await check_whole(tmp_path, await run(store, tmp_path, derivative))
    asked = int(store.requests[0][1]["Range"].removeprefix("bytes=")[:-1])
    assert asked == note_in(bytes(found))["size"]


async def test_a_part_planted_as_a_link_is_not_written_through(tmp_path: Path) -> None:
    store, derivative = await stopped(tmp_path / "out")
    part, victim = the(tmp_path / "out", "*-*.part"), tmp_path / "victim"
    victim.write_bytes(part.read_bytes())
    before = victim.read_bytes()
    part.unlink()
    part.symlink_to(victim)
    await check_whole(tmp_path / "out", await run(store, tmp_path / "out", derivative))
    assert victim.read_bytes() == before
    part.unlink(missing_ok=True)


async def test_a_part_with_a_second_name_is_not_written_to(tmp_path: Path) -> None:
    store, derivative = await stopped(tmp_path / "out")
    part, victim = the(tmp_path / "out", "*-*.part"), tmp_path / "victim"
    victim.hardlink_to(part)
    before = victim.read_bytes()
    await check_whole(tmp_path / "out", await run(store, tmp_path / "out", derivative))
    assert victim.read_bytes() == before


async def test_what_turns_out_to_be_no_file_leaves_nothing_to_go_on_with(tmp_path: Path) -> None:
    store = FakeStore()
    derivative = store.add("d1", BODY[:-1] + b"]")
    report = await run(store, tmp_path, derivative)
    assert isinstance(report.failures[0].error, ContentError)
    assert parts_in(tmp_path) == set()


async def test_without_a_strong_etag_nothing_is_kept_and_the_file_starts_over(
    tmp_path: Path,
) -> None:
    store = FakeStore(faults=[Fault(stop_after=200)], etags=False)
    derivative = store.add("d1", BODY)
    await run(store, tmp_path, derivative)
    assert parts_in(tmp_path) == set()
    await check_whole(tmp_path, await run(store, tmp_path, derivative))


async def test_stopped_again_and_again_each_byte_is_fetched_about_once(tmp_path: Path) -> None:
    store = FakeStore(chunk=7)
    derivative = store.add("d1", BODY)
    for _ in range(30):
        store.faults = [Fault(stop_after=100)]
        report = await run(store, tmp_path, derivative)
        if report.ok:
            break
    await check_whole(tmp_path, report)
    starts = [int(h.get("Range", "bytes=0-")[6:-1]) for _, h, _ in store.requests]
    assert starts == sorted(set(starts))
    assert len(starts) <= len(BODY) / (100 - 64 - store.chunk) + 1
