"""How do the bytes of many files come onto the disk for the price of one?

`syncfs` writes all that waits for one file system and commits its journal once; that costs hardly
more than `fsync` of a single file does.  See ``docs/decisions/0009-syncing-in-batches.md``.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from typing import Final

__all__ = ["is_known", "sync_all"]

_FEW: Final = 2
"""Up to so many are synced each by itself: that spares what other programs have yet to write."""
_THREADS: Final = 16
# "Since Linux 5.8, syncfs() will also report an error if one or more inodes failed to be written
# back since the last syncfs() call" (sync(2)).  Before, it kept silent.
_HONEST_SINCE: Final = (5, 8)
# statfs(2).  Not on the list are those on which a file's own `fsync` does more, such as FUSE, or
# where nobody has promised anything.
_KNOWN: Final = {
    0xEF53,  # ext4
    0x58465342,  # XFS
    0x9123683E,  # Btrfs
    0xF2F52010,  # F2FS
    0x01021994,  # tmpfs
}


def sync_all(handles: Sequence[int]) -> list[BaseException | None]:
    """Bring what was written to these files and folders onto the disk: for each, what failed.

    A failure is its own: where syncing together fails, each is asked for by itself.
    """
    if len(handles) == 1:  # a long file alone asks so twice a batch
        return [_one(handles[0])]
    places = {handle: _place(handle) for handle in dict.fromkeys(handles)}  # a folder's is shared
    once = {place: handle for handle, place in places.items() if not isinstance(place, OSError)}
    failures: dict[tuple[int, int], BaseException | None] = {}
    for device in {device for device, _ in once}:
        here = {place: handle for place, handle in once.items() if place[0] == device}
        if len(here) > _FEW and _together(next(iter(here.values()))):
            failures |= dict.fromkeys(here)
        else:
            failures |= zip(here, _each(list(here.values())), strict=True)
    found = map(places.__getitem__, handles)
    return [place if isinstance(place, OSError) else failures[place] for place in found]


def _place(handle: int) -> tuple[int, int] | OSError:
    """Device and inode; or why the system does not tell: a file on a server may have gone stale."""
    try:
        found = os.fstat(handle)
    except OSError as error:
        return error
    return found.st_dev, found.st_ino


def _together(handle: int) -> bool:
    """Whether all that waits for this file system is on its disk now."""
    try:
        return is_known(handle) and syncfs(handle) == 0
    except BaseException:  # noqa: ASYNC103, BLE001 - then each is synced by itself
        return False  # noqa: ASYNC104 - in a thread, where nobody is cancelled


def _each(handles: list[int]) -> list[BaseException | None]:
    if len(handles) <= _FEW:
        return [_one(handle) for handle in handles]
    synced: dict[int, BaseException | None] = {}

    def sync(handle: int) -> None:
        synced[handle] = _one(handle)

    # Beside each other: file systems commit once for several that ask at the same time.  Where the
    # system gives no more threads, those that there are finish what they were given.
    with suppress(RuntimeError), ThreadPoolExecutor(min(_THREADS, len(handles))) as threads:
        for handle in handles:
            threads.submit(sync, handle)
    # None twice: `fsync` tells of a failure once only.
    for handle in handles:
        if handle not in synced:
            sync(handle)
    return [synced[handle] for handle in handles]


def _one(handle: int) -> BaseException | None:
    try:
        os.fsync(handle)
    except BaseException as error:  # noqa: ASYNC103, BLE001 - raised in the job
        return error  # noqa: ASYNC104 - in a thread, where nobody is cancelled
    return None


def syncfs(handle: int) -> int:
    """What the system call of that name says: not 0 where it failed, or where there is none."""
    call = _library("syncfs")
    return -1 if call is None else call(handle)


def is_known(handle: int) -> bool:
    """Whether this file system is this machine's own, and syncing all there as good as each.

    Ask each time: after a remount the same device number may be another kind's.
    """
    found = ctypes.create_string_buffer(256)
    call = _library("fstatfs")
    # The type is the first field, of the size of a long.
    known = call is not None and call(handle, found) == 0
    return known and ctypes.c_ulong.from_buffer(found).value & 0xFFFFFFFF in _KNOWN


@cache
def _library(name: str) -> Callable[..., int] | None:
    if sys.platform != "linux":
        return None
    release = re.match(r"(\d+)\.(\d+)", os.uname().release)
    if release is None or (int(release[1]), int(release[2])) < _HONEST_SINCE:
        return None
    call: Callable[..., int] | None = getattr(ctypes.CDLL(None), name, None)
    return call
