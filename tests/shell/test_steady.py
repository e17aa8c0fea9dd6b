"""Is a long file stored while its next bytes arrive, and does nothing of that go unsaid?"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import anyio
import pytest
from anyio.lowlevel import checkpoint
from sidecars import note_in
from sink_files import open_handles

from iceye_derivatives._core.content import ContentFault
from iceye_derivatives.models import AssetRef
from iceye_derivatives.sharing import PartMark, SteadyPart
from iceye_derivatives.sinks import DirectorySink, _marks, _shared_handles
from iceye_derivatives.sinks._disk import Disk
from iceye_derivatives.sinks._folder import Folder
from iceye_derivatives.sinks._part import DirectoryPart
from iceye_derivatives.sinks._shared_handles import sharing_handles

pytestmark = pytest.mark.anyio

NAME = "task-1/DC_VESSELS_d1.tif"
ASSET = AssetRef(task_id="task-1", derivative_id="d1", product_type="DC_VESSELS", asset_type="tif")


@pytest.fixture
async def part(tmp_path: Path) -> AsyncIterator[DirectoryPart]:
    async with DirectorySink(tmp_path).create(NAME) as part:
        yield part


def files(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def no_mark() -> None:
    return None


async def test_the_next_bytes_are_waited_for_while_these_are_checked(part: DirectoryPart) -> None:
    assert isinstance(part, SteadyPart)
    looks, go_on = list[bytes](), threading.Event()

    def look(data: bytes) -> None:
        assert go_on.wait(10)
        looks.append(data)

    await part.take([b"ab", b"c"], look, no_mark)
    assert looks == []
    go_on.set()
    await part.take([b"d"], look, no_mark)
    assert looks[:1] == [b"abc"]
    await part.settle()
    assert looks == [b"abc", b"d"]


@pytest.mark.parametrize("in_place", [True, False])
async def test_a_mark_is_made_of_what_was_written_by_then(
    part: DirectoryPart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, in_place: bool
) -> None:
    monkeypatch.setattr(_marks, "_IN_PLACE", in_place)
    passed = sha256()

    def mark() -> PartMark:
        written = b"".join(body for name, body in files(tmp_path).items() if "mark" not in name)
        assert sha256(written).digest() == passed.digest()
        return PartMark(
            asset=ASSET,
            size=len(written),
            total=None,
            etag='"1"',
            sha256=passed.hexdigest(),
        )

    marked = list[int]()
    for piece in (b"a", b"b", b"c", b"d"):
        await part.take([piece * 1000], passed.update, mark)
        await part.settle()
        [sidecar] = [body for name, body in files(tmp_path).items() if "mark" in name]
        marked.append(note_in(sidecar)["size"])
        # The page of the mark before is left alone: it counts where the power goes.
        middle = len(sidecar) // 2
        pages = sorted(note_in(page * 2)["size"] for page in (sidecar[:middle], sidecar[middle:]))
        before = max(1000, marked[-1] - 1000) if in_place else marked[-1]
        assert pages == [before, marked[-1]]
    assert marked == [1000, 2000, 3000, 4000]
    assert len(files(tmp_path)) == 2


@pytest.mark.parametrize("then", ["take", "settle", "commit"])
async def test_what_goes_wrong_is_raised_by_whatever_comes_next(
    part: DirectoryPart, tmp_path: Path, then: str
) -> None:
    def refuse(data: bytes) -> None:
        raise ContentFault("it is a page", data)

    await part.take([b"<html>"], refuse, no_mark)
    with pytest.raises(ContentFault, match="it is a page"):
        await (part.take([b"x"], len, no_mark) if then == "take" else getattr(part, then)())
    assert b"<html>" not in files(tmp_path).values()
    await part.restart()
    await part.take([b"whole"], len, no_mark)
    await part.commit()
    assert files(tmp_path) == {"DC_VESSELS_d1.tif": b"whole"}


async def test_cancelled_or_left_it_ends_what_it_has_begun_and_leaves_nothing(
    tmp_path: Path,
) -> None:
    begun, go_on, ended = threading.Event(), threading.Event(), list[bytes]()

    def look(data: bytes) -> None:
        begun.set()
        assert go_on.wait(10)
        ended.append(data)

    async def stream() -> None:
        async with DirectorySink(tmp_path).create(NAME) as part:
            await part.take([b"first"], look, no_mark)
            await part.take([b"second"], look, no_mark)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(stream)
        await anyio.to_thread.run_sync(begun.wait)
        tasks.cancel_scope.cancel()
        with anyio.CancelScope(shield=True):
            for _ in range(5):
                await checkpoint()
            assert ended == []
            go_on.set()
    assert ended == [b"first"]
    assert files(tmp_path) == {}


# -- folders of a round ----------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts handles as Linux tells them")
def test_a_folder_is_opened_once_in_a_round_and_is_open_no_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[str] = []
    keep = _shared_handles.keep_handle

    def keeping(path: str, handle: _shared_handles.Handle) -> None:
        kept.append(path)
        keep(path, handle)

    monkeypatch.setattr("iceye_derivatives.sinks._open_folder.keep_handle", keeping)
    for _ in range(2):
        with sharing_handles():
            for number in range(5):
                with Folder(str(tmp_path), f"task-1/{number}", make=True) as folder:
                    made = folder.create(f"{number}", b"x")
                    assert made is not None
                    os.close(made)
                    folder.discard(f"{number}")
    assert kept == [f"{tmp_path}/task-1"] * 2
    assert not open_handles(tmp_path)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts handles as Linux tells them")
def test_who_works_in_a_folder_has_it_longer_than_the_round(tmp_path: Path) -> None:
    (tmp_path / "task-1").mkdir()
    with sharing_handles():
        first = Folder(str(tmp_path), "task-1/x").__enter__()
        second = Folder(str(tmp_path), "task-1/y").__enter__()
    assert first.handle == second.handle
    first.close()
    made = second.create("y", b"y")
    assert made is not None
    os.close(made)
    second.close()
    assert files(tmp_path) == {"y": b"y"}
    assert not open_handles(tmp_path)


def test_another_thread_shares_nothing_of_it(tmp_path: Path) -> None:
    (tmp_path / "task-1").mkdir()
    found: list[_shared_handles.Handle | None] = []
    with sharing_handles(), Folder(str(tmp_path), "task-1/x"):
        path = f"{tmp_path}/task-1"
        own = _shared_handles.shared_handle(path)
        assert own is not None
        own.leave()
        other = threading.Thread(target=lambda: found.append(_shared_handles.shared_handle(path)))
        other.start()
        other.join()
    assert found == [None]


def test_a_part_is_not_closed_under_its_thread_though_the_loop_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`asyncio.run` cancels every task that is left, those that `finish` made as well."""
    looking, left, seen = threading.Event(), threading.Event(), list[bool]()
    leave = DirectoryPart._leave

    def look(data: bytes) -> None:
        looking.set()
        seen.append(left.wait(0.2))

    def note(part: DirectoryPart) -> None:
        left.set()
        leave(part)

    async def download() -> None:
        async with DirectorySink(tmp_path).create(NAME) as part:
            await part.take([b"abc"], look, no_mark)
            await part.settle()

    async def main() -> asyncio.Task[None]:
        task = asyncio.create_task(download())  # noqa: TID251 - the loop's end is what is tested
        while not looking.is_set():
            await checkpoint()
        return task

    monkeypatch.setattr(DirectoryPart, "_leave", note)
    assert asyncio.run(main()).cancelled()
    assert seen == [False]
    assert files(tmp_path) == {}


def test_a_part_that_was_left_is_not_begun_any_more(tmp_path: Path) -> None:
    """Its thread may come too late where the loop has ended."""
    part = DirectoryPart(str(tmp_path), NAME, NAME, disk=Disk())
    part._leave()
    part._begin()
    assert files(tmp_path) == {}
