"""Which systems and file systems are trusted to sync all files by one call?"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from iceye_derivatives.sinks import _sync

FUSE = 0x65735546
TMPFS = 0x01021994


def telling(*kinds: int, answer: int = 0) -> Callable[[str], Callable[..., int]]:
    """A system that says so of one file system after the other."""
    left = list(kinds)

    def fstatfs(handle: int, found: ctypes.Array[ctypes.c_char]) -> int:
        ctypes.c_ulong.from_buffer(found).value = left.pop(0)
        return answer

    return lambda name: fstatfs


@pytest.mark.parametrize(
    ("name", "kind", "known"),
    [
        ("ext4", 0xEF53, True),
        ("xfs", 0x58465342, True),
        ("btrfs", 0x9123683E, True),
        ("btrfs, as a long with a sign has it", -0x6EDC97C2, True),
        ("f2fs", 0xF2F52010, True),
        ("tmpfs", TMPFS, True),
        ("nfs", 0x6969, False),
        ("fuse", FUSE, False),
        ("overlay", 0x794C7630, False),
        ("cifs", 0xFF534D42, False),
    ],
)
def test_file_systems_are_known_by_their_number(
    monkeypatch: pytest.MonkeyPatch, name: str, kind: int, *, known: bool
) -> None:
    """The numbers of statfs(2), and of linux/magic.h."""
    monkeypatch.setattr(_sync, "_library", telling(kind))
    assert _sync.is_known(0) == known, name


def test_a_device_number_that_is_used_again_is_no_knowledge_of_the_file_system(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Anonymous numbers come back at once: what was a tmpfs may be a FUSE after a remount."""
    monkeypatch.setattr(_sync, "_library", telling(TMPFS, FUSE))
    assert [_sync.is_known(0), _sync.is_known(0)] == [True, False]


def test_a_system_that_does_not_tell_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_sync, "_library", telling(TMPFS, answer=-1))
    assert not _sync.is_known(0)


def test_without_the_call_nothing_is_known_and_nothing_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_sync, "_library", lambda name: None)
    assert not _sync.is_known(0)
    assert _sync.syncfs(0) == -1


def test_it_is_the_system_that_says_whether_all_was_synced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_sync, "_library", lambda name: {"syncfs": lambda handle: handle}[name])
    assert (_sync.syncfs(0), _sync.syncfs(7)) == (0, 7)


@pytest.mark.parametrize(
    ("platform", "release", "honest"),
    [
        ("linux", "5.7.19", False),
        ("linux", "4.19.0-26-amd64", False),
        ("linux", "5.8.0", True),
        ("linux", "5.15.167.4-microsoft-standard-WSL2", True),
        ("linux", "6.1.0", True),
        ("linux", "10.0", True),
        ("linux", "unknown", False),
        ("darwin", "24.1.0", False),
    ],
)
def test_a_kernel_that_kept_failures_to_itself_is_not_asked(
    monkeypatch: pytest.MonkeyPatch, platform: str, release: str, *, honest: bool
) -> None:
    """ "Since Linux 5.8, syncfs() will also report an error" (sync(2))."""
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(release=release))
    asked = _sync._library.__wrapped__
    assert (asked("fsync") is not None) == honest
    assert asked("no_such_call") is None


@pytest.mark.skipif(not Path("/proc/mounts").exists(), reason="needs Linux")
def test_the_file_system_is_known_by_what_the_system_says(tmp_path: Path) -> None:
    """This machine's own: whichever it is, it is judged as its mount table names it."""
    mounts = [line.split()[:3] for line in Path("/proc/mounts").read_text().splitlines()]
    root = str(tmp_path.resolve())
    below = [(len(at), kind) for _, at, kind in mounts if root.startswith(at)]
    kind = max(below)[1]
    handle = os.open(tmp_path, os.O_RDONLY)
    try:
        known = _sync.is_known(handle)
        assert known == (kind in {"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "tmpfs"})
        assert _sync.sync_all([handle] * 3) == [None] * 3
    finally:
        os.close(handle)
