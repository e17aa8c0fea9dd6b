"""Is each handle synced, by one call for all only where that is as good?"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from iceye_derivatives.sinks import _sync
from iceye_derivatives.sinks._disk import Steps, at_once


class Calls:
    """What the system was asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.each: list[int] = []
        self.together: list[int] = []
        self.looked_up: list[int] = []
        self.bad: set[int] = set()
        self.failure: BaseException = OSError(errno.EIO, "bad sector")
        self.answer = 0
        self.places: dict[int, tuple[int, int]] = {}
        """Devices and inodes, where it is not the system that tells them."""
        self._fstat = os.fstat
        monkeypatch.setattr(os, "fstat", self._found)
        monkeypatch.setattr(os, "fsync", self._fsync)
        monkeypatch.setattr(_sync, "syncfs", self._syncfs)

    def _found(self, handle: int) -> os.stat_result:
        self.looked_up.append(handle)
        if handle not in self.places:
            return self._fstat(handle)
        device, inode = self.places[handle]
        return os.stat_result((0, inode, device, *[0] * 7))

    def _fsync(self, handle: int) -> None:
        self.each.append(handle)
        if handle in self.bad:
            raise self.failure

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
@pytest.mark.parametrize("number", [3, 5])
def test_many_are_synced_by_one_call_where_that_is_as_good_and_else_each_by_itself(
    handles: list[int], monkeypatch: pytest.MonkeyPatch, *, number: int, known: bool, answer: int
) -> None:
    calls = Calls(monkeypatch)
    calls.answer = answer
    calls.bad = {handles[2]}
    monkeypatch.setattr(_sync, "is_known", lambda handle: known)

    failures = _sync.sync_all(handles[:number])

    if known and answer == 0:
        assert (len(calls.together), calls.each) == (1, [])
        assert failures == [None] * number
    else:
        assert sorted(calls.each) == sorted(handles[:number])
        assert failures == [calls.failure if one in calls.bad else None for one in handles[:number]]


@pytest.mark.parametrize("failure", [MemoryError(), KeyboardInterrupt()])
def test_whatever_fails_is_a_failure_of_its_own_file(
    handles: list[int], monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    """It is raised in the job that is about the file; the others are synced all the same."""
    calls = Calls(monkeypatch)
    calls.bad, calls.failure = {handles[1]}, failure

    def broken(handle: int) -> bool:
        raise failure

    monkeypatch.setattr(_sync, "is_known", broken)
    assert _sync.sync_all(handles) == [None, failure, None, None, None]
    assert sorted(calls.each) == sorted(handles)


def test_each_file_system_is_synced_by_a_call_of_its_own(
    handles: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three files lie on one, two on another, and a number of an inode says nothing alone."""
    calls = Calls(monkeypatch)
    disks = dict(zip(handles, [1, 2, 1, 2, 1], strict=True))
    calls.places = {handle: (disk, handle // 2) for handle, disk in disks.items()}
    monkeypatch.setattr(_sync, "is_known", lambda handle: True)

    assert _sync.sync_all(handles) == [None] * 5
    assert [disks[handle] for handle in calls.together] == [1]
    assert sorted(calls.each) == [handles[1], handles[3]]


def test_a_few_are_synced_each_by_itself_and_a_folder_of_many_files_once(
    handles: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Syncing all would also write what other programs have under way; and no thread is begun."""
    calls = Calls(monkeypatch)
    monkeypatch.delattr(_sync, "ThreadPoolExecutor")
    again = os.dup(handles[1])
    try:
        assert _sync.sync_all([handles[0]] * 20 + [handles[1], again]) == [None] * 22
    finally:
        os.close(again)
    assert calls.together == []
    assert calls.each == [handles[0], again]
    assert calls.looked_up == [*handles[:2], again]


def test_one_alone_is_synced_without_a_question(
    handles: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long file asks so twice for each of its batches."""
    calls = Calls(monkeypatch)
    assert _sync.sync_all(handles[:1]) == [None]
    assert (calls.each, calls.looked_up) == (handles[:1], [])


def test_a_handle_that_is_not_known_any_more_fails_alone(
    handles: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a server that has forgotten the file: ESTALE."""
    fstat, calls = os.fstat, Calls(monkeypatch)

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


def test_they_are_synced_beside_each_other_by_no_more_threads_than_help(
    handles: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """File systems commit once for all that ask while they do."""
    calls, met = Calls(monkeypatch), threading.Barrier(5)
    fsync, sizes = os.fsync, list[int]()

    def meet(handle: int) -> None:
        met.wait(10)
        fsync(handle)

    def pool(size: int) -> ThreadPoolExecutor:
        sizes.append(size)
        return ThreadPoolExecutor(size)

    monkeypatch.setattr(os, "fsync", meet)
    monkeypatch.setattr(_sync, "is_known", lambda handle: False)
    monkeypatch.setattr(_sync, "ThreadPoolExecutor", pool)
    more = [os.dup(handles[0]) for _ in range(95)]
    calls.places = {handle: (1, handle) for handle in [*handles, *more]}
    try:
        assert _sync.sync_all([*handles, *more]) == [None] * 100
    finally:
        for handle in more:
            os.close(handle)
    assert sizes == [16]
    assert len(calls.each) == 100


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
