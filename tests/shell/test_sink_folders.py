"""Is what stands in a folder seen as it is, by whichever way the system lets us look?"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sink_files import posix, tree

from iceye_derivatives.sinks import DirectorySink, _open_folder
from iceye_derivatives.sinks._disk import at_once
from iceye_derivatives.sinks._folder import Folder
from iceye_derivatives.sinks._shared_handles import sharing_handles

pytestmark = pytest.mark.anyio


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


def sees_the_file(program: str, folder: Path) -> bool:
    """Whether a process of its own, which begins with these lines, sees a file that is there."""
    (folder / "file").write_bytes(b"x")
    look = (
        "from iceye_derivatives.sinks._folder import Folder\n"
        "with Folder(sys.argv[1], 'file') as folder:\n"
        "    print(folder.exists('file'))\n"
    )
    command = [sys.executable, "-c", f"import os, sys\n{program}{look}", str(folder)]
    return subprocess.check_output(command, text=True) == "True\n"  # noqa: S603 - our own program


@pytest.mark.skipif(not _open_folder._BY_HANDLE, reason="no such call is made there")
def test_a_call_that_sees_nothing_where_it_is_forbidden_is_not_believed(tmp_path: Path) -> None:
    """Old sandboxes refuse what newer C libraries make of it."""
    program = (
        "def refused(*_, **__): return False\n"
        "ways = os.supports_dir_fd, os.supports_effective_ids, os.supports_follow_symlinks\n"
        "for known in ways: known.add(refused)\n"
        "os.access = refused\n"
    )
    assert sees_the_file(program, tmp_path)


@pytest.mark.skipif(
    not hasattr(os, "setresuid") or os.geteuid() != 0, reason="only root may act as another user"
)
def test_what_the_user_sees_as_whom_we_act_is_seen(tmp_path: Path) -> None:
    """Even where who started the program may not look into the folder."""
    program = "import iceye_derivatives.sinks._folder\nos.setresuid(65534, 0, 0)\n"
    tmp_path.chmod(0o700)
    assert sees_the_file(program, tmp_path)


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


async def test_a_folder_that_is_tried_is_made_and_left_empty(tmp_path: Path) -> None:
    await DirectorySink(tmp_path / "a" / "b").make_ready()
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == ["a", "a/b"]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a folder in which root makes no file")
async def test_a_folder_in_which_no_file_can_be_made_is_named() -> None:
    with pytest.raises(OSError, match="No such file") as failed:
        await DirectorySink("/proc/self").make_ready()
    assert failed.value.filename == "/proc/self"
