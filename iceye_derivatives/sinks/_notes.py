"""How are small notes in a folder read, written, and changed by several at a time?"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Lock
from typing import Final

from iceye_derivatives.sinks._disk import at_once
from iceye_derivatives.sinks._folder import NO_FILE, Folder

__all__ = ["read_small", "update_small"]

_changing: Final = Lock()
"""One for all notes: changes are few and take a millisecond."""


def read_small(root: str, name: str, limit: int) -> bytes | None:
    """The bytes of a regular file; None where there is none, or a larger one."""
    try:
        with Folder(root, name) as folder:
            return folder.read(folder.file, limit)
    except OSError as error:
        if error.errno in NO_FILE:
            return None
        raise


def update_small(
    root: str, name: str, change: Callable[[bytes | None], bytes | None], limit: int
) -> None:
    """Put what `change` makes of a file in its place, atomically; nobody else does so meanwhile."""
    with _changing, Folder(root, name, make=True) as folder, _locked(folder):
        before = folder.read(folder.file, limit)
        after = change(before)
        if after is not None and after != before:
            at_once(folder.store(after))


@contextmanager
def _locked(folder: Folder) -> Iterator[None]:
    """Keep other processes off, where the file system knows locks: most do, Windows' do not."""
    if sys.platform == "win32" or folder.handle is None:
        yield
        return
    import fcntl  # noqa: PLC0415 - not everywhere

    with suppress(OSError):
        fcntl.flock(folder.handle, fcntl.LOCK_EX)
    try:
        yield
    finally:
        with suppress(OSError):
            fcntl.flock(folder.handle, fcntl.LOCK_UN)
