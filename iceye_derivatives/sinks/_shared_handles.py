"""Which folders has this thread open anyway, for the next job that needs them?

Opening a file's folder takes six calls of the system, and in a batch hundreds of jobs open the same
one.  So a thread may keep what it opens for the length of a round, and no longer; who still works
in a folder then has it for as long as that takes.
"""

from __future__ import annotations

import os
from contextlib import suppress
from threading import local
from types import TracebackType
from typing import Final

__all__ = ["Handle", "keep_handle", "shared_handle", "sharing_handles"]


class Handle:
    """An open folder, and how many need it; one thread alone shares it."""

    __slots__ = ("number", "users")

    def __init__(self, number: int) -> None:
        self.number = number
        self.users = 1
        """Whoever comes adds one, and leaves in the end."""

    def leave(self) -> None:
        """One less; the last one closes it."""
        self.users -= 1
        if not self.users:
            os.close(self.number)


class _OfThread(local):
    handles: dict[str, Handle] | None = None


_ours: Final = _OfThread()


class sharing_handles:  # noqa: N801 - a context manager, and a class since each round enters one
    """Let all that runs in this block, in this thread, share the folders that it opens."""

    __slots__ = ("_handles",)

    def __enter__(self) -> None:
        self._handles: dict[str, Handle] = {}
        _ours.handles = self._handles

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _ours.handles = None
        for handle in self._handles.values():
            with suppress(OSError):  # closed even so
                handle.leave()


def shared_handle(path: str) -> Handle | None:
    """A folder that was opened before in this round; whoever gets it leaves it in the end."""
    found = None if _ours.handles is None else _ours.handles.get(path)
    if found is not None:
        found.users += 1
    return found


def keep_handle(path: str, handle: Handle) -> None:
    """Remember a folder for the rest of the round."""
    if _ours.handles is not None and path not in _ours.handles:
        handle.users += 1
        _ours.handles[path] = handle
