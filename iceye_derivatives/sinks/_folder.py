"""What happens on the disk, in a thread: begin a part, publish it, open what is there?

The folder of a file is held open by handle where the system can, so that nobody can put a symbolic
link in its place between two calls; elsewhere (Windows) links are looked for by path.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from io import BufferedReader
from itertools import count
from shutil import copyfileobj
from types import TracebackType
from typing import Final, Self

from iceye_derivatives._core.part_names import part_name
from iceye_derivatives.sinks._process import unique_token

__all__ = ["NO_FILE", "Folder", "split", "stamp_of"]

# Zero where the system has no such flag.
_NOFOLLOW: Final[int] = getattr(os, "O_NOFOLLOW", 0)
_BINARY: Final[int] = getattr(os, "O_BINARY", 0)
_FOLDER: Final[int] = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
# Opening a planted FIFO would otherwise wait for a writer for ever.
_READ: Final[int] = os.O_RDONLY | _BINARY | _NOFOLLOW | getattr(os, "O_NONBLOCK", 0)
_NEW: Final[int] = os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY | _NOFOLLOW
_AGAIN: Final[int] = os.O_RDWR | _BINARY | _NOFOLLOW | getattr(os, "O_NONBLOCK", 0)

_BY_HANDLE: Final = {os.open, os.unlink, os.rename, os.mkdir} <= os.supports_dir_fd
# Some file systems cannot sync a folder and say so; then nobody can.
_CANNOT_SYNC: Final = {errno.EINVAL, errno.ENOTSUP, errno.EBADF}

# Not there; a planted link (ENOTDIR for a folder's); a folder.  None of them is a file of ours.
NO_FILE: Final = {errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ENXIO}

_BLOCK: Final = 1024 * 1024
_counter = count(1)


def stamp_of(found: os.stat_result) -> str:
    """What changes whenever the file does."""
    return f"{found.st_mtime_ns:x}"


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

    @property
    def file(self) -> str:
        """The file's final name in this folder."""
        return self._file

    def look(self) -> os.stat_result | None:
        """What stands under the final name, if it is a regular file that is not empty."""
        found = self._stat(self._file)
        whole = found is not None and stat.S_ISREG(found.st_mode) and found.st_size > 0
        return found if whole else None

    def open_final(self) -> BufferedReader:
        """The file under its final name, for reading; never through a symbolic link."""
        return self._open_to_read(self._file)

    def begin(self) -> tuple[str, int]:
        """A new part of a name that nobody else ever uses: ``(name, descriptor)``.

        Not even another machine: a part that was taken over, and one that its first owner still
        believes in, are then two files.
        """
        while True:
            part = part_name(self._file, unique_token(), next(_counter))
            with suppress(FileExistsError):  # somebody put it there to be in our way
                # 0o666: the umask has the last word, as with files that the user makes.
                return part, os.open(self._at(part), _NEW, 0o666, dir_fd=self._handle)

    def reopen(self, part: str, size: int) -> int | None:
        """A part that holds at least so many bytes, cut to them; None where there is none."""
        try:
            self._refuse_link(part)
            descriptor = os.open(self._at(part), _AGAIN, dir_fd=self._handle)
        except OSError as error:
            if error.errno in NO_FILE:
                return None
            raise
        try:
            found = os.fstat(descriptor)
            # Another name of the same file (a hard link) would be written to as well.
            if stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and found.st_size >= size:
                os.ftruncate(descriptor, size)
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        return None

    def copy(self, part: str, size: int) -> tuple[str, int] | None:
        """The first `size` bytes of a part as a new one: ``(name, descriptor)``, at its end."""
        descriptor = self.reopen(part, size)
        if descriptor is None:
            return None
        with os.fdopen(descriptor, "rb") as old:
            new, descriptor = self.begin()
            try:
                with os.fdopen(descriptor, "wb", closefd=False) as file:
                    copyfileobj(old, file, _BLOCK)
                os.fsync(descriptor)
                os.lseek(descriptor, 0, os.SEEK_SET)
            except BaseException:
                os.close(descriptor)
                self.discard(new)
                raise
        return new, descriptor

    def store(self, body: bytes) -> str:
        """Write a whole file and publish it, and give its stamp; a failure leaves nothing."""
        part, descriptor = self.begin()
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(descriptor)
                stamp = stamp_of(os.fstat(descriptor))
            self.publish(part)
        except BaseException:
            self.discard(part)
            raise
        return stamp

    def read(self, name: str, limit: int) -> bytes | None:
        """A small file of ours in this folder; None where there is none, or too large a one."""
        found = self.read_stamped(name, limit)
        return None if found is None or len(found[0]) > limit else found[0]

    def read_stamped(self, name: str, limit: int) -> tuple[bytes, float, str] | None:
        """How it begins, its time of modification, and a word that is this state's alone."""
        try:
            with self._open_to_read(name) as file:
                found = os.fstat(file.fileno())
                if not stat.S_ISREG(found.st_mode):
                    return None
                body = file.read(limit + 1)
        except OSError as error:
            if error.errno in NO_FILE:
                return None
            raise
        mark = f"{found.st_ino:016x}{found.st_mtime_ns:016x}"
        return body, found.st_mtime, mark

    def create(self, name: str, body: bytes) -> bool:
        """Make a small file of ours, unless there is one of that name: then False.

        "O_EXCL Ensure that this call creates the file" (open(2)): of several processes, one does.
        """
        try:
            descriptor = os.open(self._at(name), _NEW, 0o666, dir_fd=self._handle)
        except FileExistsError:
            return False
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(body)
        except BaseException:
            self.discard(name)
            raise
        return True

    def exists(self, name: str) -> bool:
        """Whether anything stands under that name."""
        return self._stat(name) is not None

    def is_file(self, name: str) -> bool:
        """Whether a regular file stands under that name."""
        found = self._stat(name)
        return found is not None and stat.S_ISREG(found.st_mode)

    def touch(self, name: str) -> None:
        """Set a file's time of modification to the file system's now."""
        os.utime(self._at(name), dir_fd=self._handle, follow_symlinks=not _BY_HANDLE)

    def clock(self) -> float:
        """The file system's now: on a server, its machine's, and not ours."""
        part, descriptor = self.begin()
        try:
            return os.fstat(descriptor).st_mtime
        finally:
            os.close(descriptor)
            self.discard(part)

    def names(self) -> list[str]:
        """All names in this folder."""
        return os.listdir(self._path if self._handle is None else self._handle)  # noqa: PTH208

    def replace(self, name: str, body: bytes) -> None:
        """Put a small file of ours in this folder in place of the old one, atomically.

        After a power cut it is the old one or the new one: its bytes are synced before its name.
        """
        part, descriptor = self.begin()
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(descriptor)
            self._rename(part, name)
        except BaseException:
            self.discard(part)
            raise

    def publish(self, part: str) -> None:
        """Give a synced part its final name, durably; a link of that name is replaced."""
        self._rename(part, self._file)
        self._sync()

    def discard(self, part: str) -> None:
        """Delete something of ours, if it is still there."""
        with suppress(OSError):
            os.unlink(self._at(part), dir_fd=self._handle)

    def _stat(self, name: str) -> os.stat_result | None:
        try:
            return os.stat(self._at(name), dir_fd=self._handle, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def _rename(self, part: str, name: str) -> None:
        os.replace(self._at(part), self._at(name), src_dir_fd=self._handle, dst_dir_fd=self._handle)

    def _open_to_read(self, name: str) -> BufferedReader:
        self._refuse_link(name)
        descriptor = os.open(self._at(name), _READ, dir_fd=self._handle)
        try:
            return os.fdopen(descriptor, "rb")
        except BaseException:  # a folder stands there
            os.close(descriptor)
            raise

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
