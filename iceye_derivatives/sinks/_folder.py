"""What happens on the disk, in a thread: begin a part, publish it, open what is there?

The folder of a file is held open by handle where the system can, so that nobody can put a symbolic
link in its place between two calls; elsewhere (Windows) links are looked for by path.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from io import BufferedReader
from itertools import count
from types import TracebackType
from typing import Final, Self

from iceye_derivatives._core.plan import PART_SUFFIX

__all__ = ["Folder", "split"]

# Zero where the system has no such flag.
_NOFOLLOW: Final[int] = getattr(os, "O_NOFOLLOW", 0)
_BINARY: Final[int] = getattr(os, "O_BINARY", 0)
_FOLDER: Final[int] = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
# Opening a planted FIFO would otherwise wait for a writer for ever.
_READ: Final[int] = os.O_RDONLY | _BINARY | _NOFOLLOW | getattr(os, "O_NONBLOCK", 0)
_NEW: Final[int] = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY | _NOFOLLOW

_BY_HANDLE: Final = {os.open, os.unlink, os.rename, os.mkdir} <= os.supports_dir_fd
# Some file systems cannot sync a folder and say so; then nobody can.
_CANNOT_SYNC: Final = {errno.EINVAL, errno.ENOTSUP, errno.EBADF}

_counter = count(1)


def split(name: str) -> list[str]:
    """The parts of a sink's name; `ValueError` for one that could lead out of the folder.

    Our own names cannot (`_core.plan`); this guards sinks that are used by others.
    """
    parts = name.split("/")
    if any(part in ("", ".", "..") or set(part) & set('\\:\0"*?<>|') for part in parts):
        raise ValueError(f"{name!r} is not a name for a file: use plain parts joined by '/'")
    return parts


class Folder:
    """The folder of one file, open as long as the ``with`` block lasts."""

    def __init__(self, root: str, name: str, *, make: bool = False) -> None:
        *self._above, self._file = split(name)
        self._path = root
        self._make = make
        self._handle: int | None = None

    def __enter__(self) -> Self:
        try:
            if self._make:
                os.makedirs(self._path, exist_ok=True)  # noqa: PTH103 - handles go with strings
            if _BY_HANDLE:
                self._handle = os.open(self._path, _FOLDER)
            for part in self._above:
                self._descend(part)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the folder go; safe to call twice."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)

    def open_final(self) -> BufferedReader:
        """The file under its final name, for reading; never through a symbolic link."""
        self._refuse_link(self._file)
        descriptor = os.open(self._at(self._file), _READ, dir_fd=self._handle)
        try:
            return os.fdopen(descriptor, "rb")
        except BaseException:  # a folder stands there
            os.close(descriptor)
            raise

    def begin(self) -> tuple[str, int]:
        """A new part of a name of its own: ``(name, descriptor)``.

        Exclusive, so that no two transfers ever write into one file, not even from two processes
        that share the folder.  A resume would choose the fixed ``<file>.part`` here, once an owner
        record says that nobody else writes to it.
        """
        while True:
            part = f"{self._file}.{os.getpid():x}-{next(_counter)}{PART_SUFFIX}"
            with suppress(FileExistsError):  # left over from a killed process of the same number
                # 0o666: the umask has the last word, as with files that the user makes.
                return part, os.open(self._at(part), _NEW, 0o666, dir_fd=self._handle)

    def store(self, body: bytes) -> None:
        """Write a whole file and publish it; nothing is left of it where that fails."""
        part, descriptor = self.begin()
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(descriptor)
            self.publish(part)
        except BaseException:
            self.discard(part)
            raise

    def publish(self, part: str) -> None:
        """Give a synced part its final name, durably; a link of that name is replaced."""
        os.replace(
            self._at(part),
            self._at(self._file),
            src_dir_fd=self._handle,
            dst_dir_fd=self._handle,
        )
        self._sync()

    def discard(self, part: str) -> None:
        """Delete a part, if it is still there."""
        with suppress(OSError):
            os.unlink(self._at(part), dir_fd=self._handle)

    def _descend(self, part: str) -> None:
        made = False
        if self._make:
            with suppress(FileExistsError):
                os.mkdir(self._at(part), dir_fd=self._handle)
                made = True
        self._refuse_link(part)
        if made:
            self._sync()  # the new folder's own name must survive a power cut as well
        if self._handle is not None:
            inner = os.open(part, _FOLDER | _NOFOLLOW, dir_fd=self._handle)
            os.close(self._handle)
            self._handle = inner
        self._path = os.path.join(self._path, part)  # noqa: PTH118 - handles go with strings

    def _at(self, name: str) -> str:
        return name if self._handle is not None else os.path.join(self._path, name)  # noqa: PTH118

    def _refuse_link(self, name: str) -> None:
        """Where handles cannot be had, the look before the leap is the best there is."""
        if self._handle is None and os.path.islink(self._at(name)):  # noqa: PTH114
            raise OSError(errno.ELOOP, "a symbolic link stands where we do not follow one", name)

    def _sync(self) -> None:
        if self._handle is None:
            return
        try:
            os.fsync(self._handle)
        except OSError as error:
            if error.errno not in _CANNOT_SYNC:
                raise
