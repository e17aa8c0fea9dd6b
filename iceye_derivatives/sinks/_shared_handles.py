"""Which folders has this thread open anyway, for the next job that needs them?

Opening a file's folder takes six calls of the system, and in a batch hundreds of jobs open the same
one.  So a thread may keep what it opens for the length of a round, and no longer.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import local
from typing import Final

__all__ = ["keep_handle", "shared_handle", "sharing_handles"]


class _OfThread(local):
    handles: dict[str, int] | None = None


_ours: Final = _OfThread()


@contextmanager
def sharing_handles() -> Iterator[None]:
    """Let all that runs in this block, in this thread, share the folders that it opens."""
    handles: dict[str, int] = {}
    _ours.handles = handles
    try:
        yield
    finally:
        _ours.handles = None
        for handle in handles.values():
            with suppress(OSError):  # it is a copy, and closed even so
                os.close(handle)


def shared_handle(path: str) -> int | None:
    """A handle of the caller's own on a folder that was opened before in this round."""
    found = None if _ours.handles is None else _ours.handles.get(path)
    return None if found is None else os.dup(found)


def keep_handle(path: str, handle: int) -> None:
    """Remember a folder for the rest of the round."""
    if _ours.handles is not None and path not in _ours.handles:
        _ours.handles[path] = os.dup(handle)
