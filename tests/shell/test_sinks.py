"""Where do files go: a folder, or memory?"""

from __future__ import annotations

import asyncio
import errno
import os
import stat
import subprocess
import sys
import threading
from hashlib import sha256
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives.protocols import Sink
from iceye_derivatives.sinks import DirectorySink, MemorySink, _open_folder
from iceye_derivatives.sinks._disk import at_once
from iceye_derivatives.sinks._folder import Folder, split
from iceye_derivatives.sinks._shared_handles import sharing_handles

pytestmark = pytest.mark.anyio
posix = pytest.mark.skipif(sys.platform == "win32", reason="links and modes of POSIX")

NAME = "task-1/DC_VESSELS_d1.geojson"
BODY = b'{"type":"FeatureCollection","features":[]}'


def hashed(body: bytes) -> str:
    return sha256(body).hexdigest()


def refuse(body: bytes) -> str:
    raise ValueError("no file")


def tree(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir()}


def open_handles(root: Path) -> set[str]:
    """What files below a folder this process has open."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found.add(os.readlink(entry))  # noqa: PTH115 - also of what was deleted
        except OSError:
            continue
    return {path for path in found if path.startswith(str(root))}


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


@posix
async def test_a_link_planted_under_the_final_name_is_replaced_and_never_followed(
    tmp_path: Path,
) -> None:
    victim, folder = tmp_path / "victim", tmp_path / "out" / "task-1"
    victim.write_bytes(b"precious")
    folder.mkdir(parents=True)
    (folder / "DC_VESSELS_d1.geojson").symlink_to(victim)
    sink = DirectorySink(tmp_path / "out")
    assert await sink.find(NAME) is None
    await sink.put(NAME, BODY, hashed)
    assert victim.read_bytes() == b"precious"
    assert not (folder / "DC_VESSELS_d1.geojson").is_symlink()
    assert (folder / "DC_VESSELS_d1.geojson").read_bytes() == BODY


@posix
async def test_a_link_planted_as_a_task_s_folder_is_never_followed(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "out"
    outside.mkdir()
    root.mkdir()
    (outside / "DC_VESSELS_d1.geojson").write_bytes(b"foreign")
    (root / "task-1").symlink_to(outside)
    sink = DirectorySink(root)
    assert await sink.find(NAME) is None
    with pytest.raises(OSError, match="task-1") as caught:
        await sink.put(NAME, BODY, hashed)
    assert caught.value.errno in {errno.ELOOP, errno.ENOTDIR}
    with pytest.raises(OSError, match="task-1"):
        async with sink.create(NAME) as part:
            await part.commit()
    assert {path.name for path in outside.iterdir()} == {"DC_VESSELS_d1.geojson"}


@posix
async def test_where_folders_cannot_be_held_open_planted_links_are_not_followed_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way that Windows goes."""
    monkeypatch.setattr("iceye_derivatives.sinks._open_folder._BY_HANDLE", False)
    sink = DirectorySink(tmp_path / "out")
    await sink.put(NAME, BODY, hashed)
    found = await sink.find(NAME)
    assert found is not None
    assert tree(tmp_path / "out") == {NAME}
    (tmp_path / "out" / "linked").symlink_to(tmp_path)
    with pytest.raises(OSError, match="symbolic link"):
        await sink.put("linked/x.geojson", BODY, hashed)
    assert await sink.find("linked/x.geojson") is None


async def test_a_system_that_takes_a_few_bytes_at_a_time_is_given_all_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ "The number of bytes written may be less than count", says write(2), of a signal, say."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:7]))
    sink = DirectorySink(tmp_path)
    assert await sink.put(NAME, BODY, hashed) == (sink.locate(NAME), hashed(BODY))
    assert (tmp_path / NAME).read_bytes() == BODY


@pytest.mark.parametrize("sees", [True, False])
def test_whatever_stands_under_a_name_is_seen_and_no_link_is_gone_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sees: bool
) -> None:
    monkeypatch.setattr(_open_folder, "_SEES", sees)
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "link").symlink_to("file")
    with Folder(os.fspath(tmp_path), "file") as folder:
        names = ("file", "folder", "dangling", "link", "nothing")
        assert [folder.exists(name) for name in names] == [True, True, True, True, False]
        assert [folder.is_file(name) for name in names] == [True, False, False, False, False]
        assert folder.look() is not None
    with Folder(os.fspath(tmp_path), "link") as folder:
        assert folder.look() is None


@pytest.mark.skipif(not _open_folder._BY_HANDLE, reason="no such call is made there")
def test_a_call_that_sees_nothing_where_it_is_forbidden_is_not_believed(tmp_path: Path) -> None:
    """Old sandboxes refuse what newer C libraries make of it."""
    program = (
        "import os, sys\n"
        "def refused(*_, **__): return False\n"
        "ways = os.supports_dir_fd, os.supports_effective_ids, os.supports_follow_symlinks\n"
        "for known in ways: known.add(refused)\n"
        "os.access = refused\n"
        "from iceye_derivatives.sinks._folder import Folder\n"
        "with Folder(sys.argv[1], 'file') as folder:\n"
        "    sys.exit(not folder.exists('file'))\n"
    )
    (tmp_path / "file").write_bytes(b"x")
    found = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr


@pytest.mark.skipif(
    not hasattr(os, "setresuid") or os.geteuid() != 0, reason="only root may act as another user"
)
def test_what_the_user_sees_as_whom_we_act_is_seen(tmp_path: Path) -> None:
    """Even where who started the program may not look into the folder."""
    program = (
        "import os, sys\n"
        "from iceye_derivatives.sinks._folder import Folder\n"
        "os.setresuid(65534, 0, 0)\n"
        "with Folder(sys.argv[1], 'file') as folder:\n"
        "    sys.exit(not folder.exists('file'))\n"
    )
    (tmp_path / "file").write_bytes(b"x")
    tmp_path.chmod(0o700)
    found = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr


def test_a_folder_that_was_let_go_is_known_by_its_path_alone(tmp_path: Path) -> None:
    """And never taken for the one in which the process happens to stand."""
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "file").write_bytes(b"x")
    folder = Folder(os.fspath(tmp_path), "d/file")
    assert folder.exists("file")
    with folder:
        assert folder.exists("file")
    assert folder.exists("file")
    assert not folder.exists("pyproject.toml")


def test_a_folder_that_is_shared_is_the_same_by_a_path_from_where_we_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with sharing_handles():
        for file in ("first", "second"):
            with Folder("out", f"t/{file}", make=True) as folder:
                at_once(folder.store(file.encode()))
    assert tree(tmp_path / "out") == {"t/first", "t/second"}


@posix
async def test_what_is_no_regular_file_is_not_found(tmp_path: Path) -> None:
    sink = DirectorySink(tmp_path)
    (tmp_path / "t" / "folder").mkdir(parents=True)
    os.mkfifo(tmp_path / "t" / "pipe")
    assert await sink.find("t/folder") is None
    assert await sink.find("t/pipe") is None


@given(st.text(max_size=30))
def test_no_name_leads_out_of_the_folder(name: str) -> None:
    try:
        parts = split(name)
    except ValueError:
        return
    assert "/".join(parts) == name
    assert not {"", ".", ".."} & set(parts)


@pytest.mark.parametrize(
    "name", ["", "/etc/x", "../x", "a/../x", "a//x", "a/", "a\\b", "c:x", "a\0"]
)
async def test_a_name_that_leads_out_is_refused_whoever_gives_it(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not a name"):
        await DirectorySink(tmp_path).put(name, BODY, hashed)


# -- failing disks ---------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["fsync", "replace"])
async def test_a_disk_that_fails_leaves_nothing_under_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    sink = DirectorySink(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(os, step, fail)
        with pytest.raises(OSError, match="No space"):
            await sink.put(NAME, BODY, hashed)
        with pytest.raises(OSError, match="No space"):
            async with sink.create(NAME) as part:
                await part.write(b"x" * 600_000)
                await part.commit()
    assert tree(tmp_path) == set()
    assert not open_handles(tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
async def test_a_disk_that_is_really_full_surfaces_as_such_and_closes_its_handle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`/dev/full` fails each write with ENOSPC, also the one when the file is closed."""

    def full(folder: Folder) -> tuple[str, int]:
        return "full.part", os.open("/dev/full", os.O_WRONLY)

    monkeypatch.setattr(Folder, "begin", full)
    sink = DirectorySink(tmp_path)
    for size in (10, 600_000):
        with pytest.raises(OSError, match="No space") as caught:
            async with sink.create(NAME) as part:
                await part.write(b"x" * size)
                await part.commit()
        assert caught.value.errno == errno.ENOSPC
        with pytest.raises(OSError, match="No space"):
            await sink.put(NAME, b"x" * size, hashed)
    assert tree(tmp_path) == set()
    assert "/dev/full" not in {os.readlink(entry) for entry in _entries()}  # noqa: PTH115 - see above


def _entries() -> list[Path]:
    return [
        entry for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink() and entry.exists()
    ]


async def test_a_part_that_cannot_be_opened_leaves_no_handle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr("aiofiles.open", fail)
    with pytest.raises(OSError, match="broken"):
        async with DirectorySink(tmp_path).create(NAME) as part:
            await part.commit()
    assert tree(tmp_path) == set()
    assert not open_handles(tmp_path)


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


# -- cancellation ----------------------------------------------------------------------------------


@pytest.mark.parametrize("plainly", [False, True])
async def test_a_cancelled_put_is_finished_first_and_not_abandoned(
    tmp_path: Path, *, plainly: bool
) -> None:
    """Both kinds: anyio's scopes, and asyncio's `task.cancel()`, which shields do not hold off."""
    sink = DirectorySink(tmp_path)
    started, go_on = threading.Event(), threading.Event()

    def slow(body: bytes) -> str:
        started.set()
        assert go_on.wait(10)
        return hashed(body)

    async def put() -> None:
        await sink.put(NAME, BODY, slow)

    ended = []
    if plainly:
        task = asyncio.get_running_loop().create_task(put())
        await anyio.to_thread.run_sync(started.wait)
        task.cancel()
        for _ in range(5):
            await asyncio.sleep(0)
        assert not task.done()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
    else:

        async def watched() -> None:
            try:
                await put()
            finally:
                ended.append(True)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watched)
            await anyio.to_thread.run_sync(started.wait)
            tasks.cancel_scope.cancel()
            with anyio.CancelScope(shield=True):
                for _ in range(5):
                    await asyncio.sleep(0)
                assert not ended
                go_on.set()
    assert (tmp_path / NAME).read_bytes() == BODY
    assert tree(tmp_path) == {NAME}


@pytest.mark.parametrize("plainly", [False, True])
async def test_a_stream_cancelled_at_any_step_is_whole_or_absent_and_leaves_no_handle(
    tmp_path: Path, *, plainly: bool
) -> None:
    """Trap (stac-asset, cancellation): clean-up catches `Exception`, and a cancellation is none."""
    body = b"x" * 700_000

    async def stream(sink: DirectorySink) -> None:
        async with sink.create(NAME) as part:
            await part.write(body[:300_000])
            await part.write(body[300_000:])
            await part.commit()

    outcomes = set()
    for steps in [*range(60), *range(60, 130, 10)]:
        root = tmp_path / str(steps)
        task = asyncio.get_running_loop().create_task(_in_scope(stream, DirectorySink(root)))
        for _ in range(steps):
            await asyncio.sleep(0.0001 if steps > 60 else 0)
        scope = _scopes.get(task)
        if plainly or scope is None:
            task.cancel()
        else:
            scope.cancel()
        await asyncio.wait([task])
        names = tree(root) if root.exists() else set()
        assert names in (set(), {NAME})
        if names:
            assert (root / NAME).read_bytes() == body
        assert not open_handles(tmp_path)
        outcomes.add(bool(names))
    assert outcomes == {False, True}


_scopes: dict[object, anyio.CancelScope] = {}


async def _in_scope(stream: object, sink: DirectorySink) -> None:
    with anyio.CancelScope() as scope:
        _scopes[asyncio.current_task()] = scope
        await stream(sink)  # type: ignore[operator]


async def test_a_cancelled_look_at_a_long_file_stops_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C must not wait until gigabytes are hashed."""
    monkeypatch.setattr("iceye_derivatives.sinks._hash._BLOCK", 1)
    sink = DirectorySink(tmp_path)
    (tmp_path / "long").write_bytes(b"x" * 30_000_000)
    with anyio.move_on_after(0.05) as scope:
        await sink.find("long")
    assert scope.cancelled_caught
    assert not open_handles(tmp_path)
