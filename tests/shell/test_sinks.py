"""Where do files go, a folder or memory: whole under their name, or not at all?"""

from __future__ import annotations

import os
import stat
from pathlib import Path

import anyio
import pytest
from sink_files import BODY, NAME, hashed, open_handles, posix, tree

from iceye_derivatives.protocols import Sink
from iceye_derivatives.sinks import DirectorySink, MemorySink
from iceye_derivatives.sinks._folder import Folder

pytestmark = pytest.mark.anyio


def refuse(body: bytes) -> str:
    raise ValueError("no file")


@pytest.fixture(params=["directory", "memory"])
def sink(request: pytest.FixtureRequest, tmp_path: Path) -> Sink:
    return (
        DirectorySink(tmp_path / "new" / "folder") if request.param == "directory" else MemorySink()
    )


async def test_what_is_put_is_found_whole_and_hashed(sink: Sink) -> None:
    assert await sink.find(NAME) is None
    path, checked = await sink.put(NAME, BODY, hashed)
    assert (path, checked) == (sink.locate(NAME), hashed(BODY))
    found = await sink.find(NAME)
    assert found is not None
    assert (found.path, found.size, found.sha256) == (path, len(BODY), hashed(BODY))


async def test_a_body_that_fails_its_check_is_not_stored(sink: Sink) -> None:
    with pytest.raises(ValueError, match="no file"):
        await sink.put(NAME, BODY, refuse)
    assert await sink.find(NAME) is None


@pytest.mark.parametrize("sizes", [[], [0], [5], [300_000, 1, 300_000]])
async def test_what_is_streamed_appears_only_at_its_commit(sink: Sink, sizes: list[int]) -> None:
    pieces = [os.urandom(size) for size in sizes]
    async with sink.create(NAME) as part:
        for piece in pieces:
            await part.write(piece)
        assert await sink.find(NAME) is None
        path = await part.commit()
    found = await sink.find(NAME)
    assert found is not None
    assert (found.path, found.sha256) == (path, hashed(b"".join(pieces)))


@pytest.mark.parametrize("size", [0, 10, 600_000])
async def test_what_is_not_committed_leaves_no_trace(tmp_path: Path, size: int) -> None:
    """Trap (planet, final names).

    The next run sees half a file under its name and takes it for done.
    """
    sink = DirectorySink(tmp_path)
    with pytest.raises(KeyError):
        async with sink.create(NAME) as part:
            await part.write(b"x" * size)
            raise KeyError
    assert tree(tmp_path) == set()
    assert not open_handles(tmp_path)


async def test_an_existing_file_stays_whole_until_it_is_replaced(tmp_path: Path) -> None:
    """Trap (ecmwf-ds, replacing): the new client deletes the old target before downloading."""
    sink = DirectorySink(tmp_path)
    await sink.put(NAME, b"old", hashed)
    async with sink.create(NAME) as part:
        await part.write(b"new" * 200_000)
        assert (tmp_path / NAME).read_bytes() == b"old"
    assert (tmp_path / NAME).read_bytes() == b"old"
    await sink.put(NAME, b"new", hashed)
    assert (tmp_path / NAME).read_bytes() == b"new"


async def test_two_transfers_of_one_name_never_mix(tmp_path: Path) -> None:
    sink = DirectorySink(tmp_path)
    bodies = [bytes([65 + n]) * 400_000 for n in range(6)]

    async def stream(body: bytes) -> None:
        async with sink.create(NAME) as part:
            for start in range(0, len(body), 50_000):
                await part.write(body[start : start + 50_000])
            await part.commit()

    async with anyio.create_task_group() as tasks:
        for body in bodies:
            tasks.start_soon(stream, body)
            tasks.start_soon(sink.put, NAME, body, hashed)
    assert (tmp_path / NAME).read_bytes() in bodies
    assert tree(tmp_path) == {NAME}


async def test_a_part_left_by_a_killed_process_is_in_nobody_s_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same process number and count may come again: then the next count is taken."""
    with Folder(str(tmp_path), NAME, make=True) as folder:
        left, descriptor = folder.begin()
        os.close(descriptor)
    number = int(left.rpartition("-")[2].removesuffix(".part"), 16)
    monkeypatch.setattr("iceye_derivatives.sinks._folder._counter", iter((number, number + 1)))
    await DirectorySink(tmp_path).put(NAME, BODY, hashed)
    assert tree(tmp_path) == {NAME, f"task-1/{left}"}
    assert left.startswith("DC_VESSELS_d1.geojson.")


@posix
@pytest.mark.parametrize("umask", [0o022, 0o027, 0o077])
async def test_files_get_the_mode_of_the_umask(tmp_path: Path, umask: int) -> None:
    """Trap (earthaccess, modes): temporary files keep mode 0600 after the rename."""
    sink = DirectorySink(tmp_path / "out")
    before = os.umask(umask)
    try:
        await sink.put(NAME, BODY, hashed)
        async with sink.create("task-1/other.tif") as part:
            await part.commit()
    finally:
        os.umask(before)
    for name in (NAME, "task-1/other.tif"):
        assert stat.S_IMODE((tmp_path / "out" / name).stat().st_mode) == 0o666 & ~umask
    assert stat.S_IMODE((tmp_path / "out" / "task-1").stat().st_mode) == 0o777 & ~umask


async def test_a_system_that_takes_a_few_bytes_at_a_time_is_given_all_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ "The number of bytes written may be less than count", says write(2), of a signal, say."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:7]))
    sink = DirectorySink(tmp_path)
    assert await sink.put(NAME, BODY, hashed) == (sink.locate(NAME), hashed(BODY))
    assert (tmp_path / NAME).read_bytes() == BODY


@posix
@pytest.mark.parametrize("small", [True, False])
async def test_data_is_on_disk_before_its_name_and_the_name_before_the_call_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, small: bool
) -> None:
    """Sync the file, rename, sync the folder: else a power cut leaves an empty file.

    Trap (eodag, write paths): one product is written to its final name, its assets are renamed.
    """
    sink, done = DirectorySink(tmp_path), []
    await sink.put("task-1/first.tif", BODY, hashed)  # makes the folder, which syncs as well
    fsync, replace = os.fsync, os.replace

    def synced(handle: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        if done[-1] == "file":
            assert os.fstat(handle).st_size == len(BODY)
        fsync(handle)

    def replaced(*places: str, **handles: int) -> None:
        done.append("name")
        replace(*places, **handles)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    if small:
        await sink.put(NAME, BODY, hashed)
    else:
        async with sink.create(NAME) as part:
            await part.write(BODY)
            await part.commit()
    assert done == ["file", "name", "folder"]
