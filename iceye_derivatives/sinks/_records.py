"""How do the claims of one process in a folder share one record: as names of one file?

A record says who we are, which is the same for all that we make in a folder at a time.  A file for
each costs a disk a block that is written, synced and freed again; one more name for the file that
is there costs a line in the folder.  Why that proves as much is told in
``docs/decisions/0007-sharing-a-folder.md``.
"""

from __future__ import annotations

import errno
import os
import sys
from threading import Lock
from typing import Final

from iceye_derivatives._core.ownership import Owner, render_owner
from iceye_derivatives.sinks._folder import Folder
from iceye_derivatives.sinks._process import forget_claim, hold_claim, new_owner
from iceye_derivatives.sinks._sync import is_known

__all__ = ["Record", "Records"]

_MOST: Final = 256
"""Files that one record is ever for: what is remembered of it stays small."""
_CLOSED: Final = -1
_lock = Lock()
"""Of all records of this process: it is held for a moment only."""


def _unlock() -> None:
    """A fork copies the lock as it is, and not the thread that has it and would let it go."""
    global _lock  # noqa: PLW0603 - one process, one lock
    _lock = Lock()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_unlock)


class Record:
    """An owner record of ours; where it is shared, its file is open until the last claim ends."""

    __slots__ = ("claims", "descriptor", "files", "folder", "owner")

    def __init__(self, owner: Owner, descriptor: int, folder: Folder) -> None:
        self.owner = owner
        self.descriptor = descriptor
        self.folder = folder.path
        self.files = {folder.file}
        """Which it was ever for: its token must not come a second time for any of them."""
        self.claims = 1


class Records:
    """Those of one sink, for the threads of all its loops."""

    def __init__(self) -> None:
        self._by_folder: dict[str, Record] = {}
        # Elsewhere it would be linked by its first name, which may lead to another's by then.
        self._links = sys.platform == "linux"

    def claim(self, folder: Folder, name: str) -> Record | None:
        """Put a record of ours under that name; None where there is one already."""
        return self._link(folder, name) or self.make(folder, name)

    def make(self, folder: Folder, name: str) -> Record | None:
        """As `claim`, with a token that nobody has seen yet."""
        # A server has the bytes for others only when the file is closed, and hides a deleted one
        # that is open under another name: what stays open must be on a file system that is known.
        shared = self._links and folder.handle is not None and is_known(folder.handle)
        owner, record = new_owner(), None
        hold_claim(owner, folder.file)
        try:
            record = _create(folder, name, owner, shared=shared)
        finally:
            if record is None:
                forget_claim(owner, folder.file)
        if record is not None and shared:
            with _lock:
                self._by_folder[record.folder] = record
        return record

    def leave(self, record: Record, file: str) -> None:
        """The claim on that file has ended; the last one closes the record."""
        forget_claim(record.owner, file)
        with _lock:
            record.claims -= 1
            if record.claims:
                return
            if self._by_folder.get(record.folder) is record:
                del self._by_folder[record.folder]
        if record.descriptor != _CLOSED:
            os.close(record.descriptor)

    def _link(self, folder: Folder, name: str) -> Record | None:
        """One more name for a record that we have; None where there is none, or it was no use.

        "If newpath exists, it will not be overwritten" (link(2)): of several processes, one does.
        """
        record = self._join(folder)
        if record is None:
            return None
        linked = False
        try:
            folder.link(record.descriptor, name)
            linked = True
        except OSError as error:
            # ENOENT: somebody deleted all names that it had.  Of others we may expect them again:
            # this file system has no links, or not for us.
            if error.errno not in {errno.EEXIST, errno.ENOENT}:
                self._links = False
        finally:
            if not linked:
                self.leave(record, folder.file)
        return record if linked else None

    def _join(self, folder: Folder) -> Record | None:
        with _lock:
            record = self._by_folder.get(folder.path) if self._links else None
            if record is None or folder.file in record.files or len(record.files) >= _MOST:
                return None
            if record.owner.pid != os.getpid():  # we were forked, and it is our parent's
                return None
            record.files.add(folder.file)
            record.claims += 1
        hold_claim(record.owner, folder.file)
        return record


def _create(folder: Folder, name: str, owner: Owner, *, shared: bool) -> Record | None:
    descriptor = folder.create(name, render_owner(owner))
    if descriptor is None:
        return None
    if shared:
        return Record(owner, descriptor, folder)
    try:
        os.close(descriptor)
    except BaseException:  # a server may tell only now that its disk is full
        folder.discard(name)
        raise
    return Record(owner, _CLOSED, folder)
