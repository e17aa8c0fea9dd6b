"""Is each handle synced, by one call for all only where that is as good?"""

from __future__ import annotations

import ctypes
import errno
import os
import threading
from collections.abc import Generator
from pathlib import Path

import pytest

from iceye_derivatives.sinks import _sync
from iceye_derivatives.sinks._disk import Steps, at_once


class Calls:
    """What the system was asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.each: list[int] = []
        self.together: list[int] = []
        self.bad: set[int] = set()
        self.answer = 0
        monkeypatch.setattr(os, "fsync", self._fsync)
        monkeypatch.setattr(_sync, "syncfs", self._syncfs)

    def _fsync(self, handle: int) -> None:
        self.each.append(handle)
        if handle in self.bad:
            raise OSError(errno.EIO, "bad sector")

    def _syncfs(self, handle: int) -> int:
        self.together.append(handle)
        return self.answer


@pytest.fixture
def handles(tmp_path: Path) -> Generator[list[int], None, None]:
    opened = [os.open(tmp_path / str(n), os.O_RDWR | os.O_CREAT) for n in range(5)]
    yield opened
    for handle in opened:
        os.close(handle)


@pytest.mark.parametrize(("known", "answer"), [(True, 0), (True, -1), (False, 0)])
def test_many_are_synced_by_one_call_where_that_is_as_good_and_else_each_by_itself(
    handles: list[int], monkeypatch: pytest.MonkeyPatch, *, known: bool, answer: int
) -> None:
    calls = Calls(monkeypatch)
    calls.answer = answer
    calls.bad = {handles[2]}
    monkeypatch.setattr(_sync, "is_known", lambda handle: known)

    failures = _sync.sync_all(handles)

    if known and answer == 0:
        assert (len(calls.together), calls.each) == (1, [])
        assert failures == [None] * 5
    else:
        assert sorted(calls.each) == sorted(handles)
        assert [failure is None for failure in failures] == [True, True, False, True, True]


def test_a_few_are_synced_each_by_itself_and_a_folder_of_many_files_once(
    handles: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Syncing all would also write what other programs have under way."""
    calls = Calls(monkeypatch)
    assert _sync.sync_all([handles[0]] * 20 + [handles[1]]) == [None] * 21
    assert calls.together == []
    assert calls.each == handles[:2]


def test_a_handle_that_is_not_known_any_more_fails_alone(
    handles: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a server that has forgotten the file: ESTALE."""
    calls, fstat = Calls(monkeypatch), os.fstat

    def stale(handle: int) -> os.stat_result:
        if handle == handles[1]:
            raise OSError(errno.ESTALE, "stale file handle")
        return fstat(handle)

    monkeypatch.setattr(os, "fstat", stale)
    failures = _sync.sync_all(handles[:3])
    assert [failure is None for failure in failures] == [True, False, True]
    assert calls.each == [handles[0], handles[2]]


@pytest.mark.parametrize("threads", [0, 2])
def test_each_is_synced_once_though_the_system_gives_too_few_threads(
    handles: list[int], monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    calls, start, begun = Calls(monkeypatch), threading.Thread.start, list[str]()

    def scarce(thread: threading.Thread) -> None:
        if len(begun) == threads:
            raise RuntimeError("can't start new thread")
        begun.append(thread.name)
        start(thread)

    calls.bad = {handles[0]}
    monkeypatch.setattr(_sync, "is_known", lambda handle: False)
    monkeypatch.setattr(threading.Thread, "start", scarce)
    failures = _sync.sync_all(handles)
    assert [failure is None for failure in failures] == [False, True, True, True, True]
    assert sorted(calls.each) == sorted(handles)


def test_a_device_number_that_is_used_again_is_no_knowledge_of_the_file_system(
    handles: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anonymous numbers come back at once: what was a tmpfs may be a FUSE after a remount."""
    kinds = [0x01021994, 0x65735546]

    def fstatfs(handle: int, found: ctypes.Array[ctypes.c_char]) -> int:
        ctypes.c_ulong.from_buffer(found).value = kinds.pop(0)
        return 0

    monkeypatch.setattr(_sync, "_library", lambda name: fstatfs)

    assert [_sync.is_known(handles[0]), _sync.is_known(handles[0])] == [True, False]


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


def test_steps_can_be_taken_at_once_each_synced_by_itself(
    handles: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Calls(monkeypatch)
    calls.bad = {handles[1]}

    def job() -> Steps[str]:
        yield handles[0]
        try:
            yield handles[1]
        except OSError as error:
            return f"{error.strerror}"
        return "whole"

    assert at_once(job()) == "bad sector"
    assert calls.each == handles[:2]
