"""How is a part begun, gone on with, and published in an open folder?"""

from __future__ import annotations

import os
import stat
from itertools import count
from shutil import copyfileobj
from typing import Final

from iceye_derivatives._core.part_names import part_name
from iceye_derivatives.sinks._disk import Steps
from iceye_derivatives.sinks._open_folder import BINARY, NO_FILE, NOFOLLOW, OpenFolder, split
from iceye_derivatives.sinks._process import unique_token

__all__ = ["NO_FILE", "Folder", "split", "stamp_of", "write_all"]

_NEW: Final[int] = os.O_RDWR | os.O_CREAT | os.O_EXCL | BINARY | NOFOLLOW
_AGAIN: Final[int] = os.O_RDWR | BINARY | NOFOLLOW | getattr(os, "O_NONBLOCK", 0)
_BLOCK: Final = 1024 * 1024
_counter = count(1)


def write_all(descriptor: int, body: bytes) -> None:
    """Write it from where the file stands, however little the system takes at a time."""
    written = os.write(descriptor, body)
    while written < len(body):
        written += os.write(descriptor, memoryview(body)[written:])


def stamp_of(found: os.stat_result) -> str:
    """What changes whenever the file does."""
    return f"{found.st_mtime_ns:x}"


class Folder(OpenFolder):
    """What is done with the files of a folder that is open."""

    __slots__ = ()

    def look(self) -> os.stat_result | None:
        """What stands under the final name, if it is a regular file that is not empty."""
        found = self._stat(self.file)
        whole = found is not None and stat.S_ISREG(found.st_mode) and found.st_size > 0
        return found if whole else None

    def begin(self) -> tuple[str, int]:
        """A new part of a name that nobody else ever uses: ``(name, descriptor)``.

        Not even another machine: a part that was taken over, and one that its first owner still
        believes in, are then two files.
        """
        while True:
            part = part_name(self.file, unique_token(), next(_counter))
            try:
                # 0o666: the umask has the last word, as with files that the user makes.
                return part, os.open(self._before + part, _NEW, 0o666, dir_fd=self._handle)
            except FileExistsError:  # somebody put it there to be in our way
                continue

    def reopen(self, part: str, size: int) -> int | None:
        """A part that holds at least so many bytes, cut to them; None where there is none."""
        try:
            self._refuse_link(part)
            descriptor = os.open(self._before + part, _AGAIN, dir_fd=self._handle)
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

    def store(self, body: bytes) -> Steps[str]:
        """Write a whole file and publish it, and give its stamp; a failure leaves nothing."""
        part, descriptor = self.begin()
        try:
            try:
                write_all(descriptor, body)
                yield descriptor
                stamp = stamp_of(os.fstat(descriptor))
            finally:
                os.close(descriptor)  # an open file cannot be renamed everywhere
            yield from self.publish(part)
        except BaseException:
            self.discard(part)
            raise
        return stamp

    def read(self, name: str, limit: int) -> bytes | None:
        """A small file of ours in this folder; None where there is none, or too large a one."""
        found = self.read_stamped(name, limit)
        return None if found is None or len(found[0]) > limit else found[0]

    def read_stamped(self, name: str, limit: int) -> tuple[bytes, float, str] | None:
        """How a file begins, its time of modification, and a text that no other state of it has."""
        try:
            with self.open_to_read(name) as file:
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

    def create(self, name: str, body: bytes) -> int | None:
        """Make a small file of ours and leave it open; None where there is one of that name.

        "O_EXCL Ensure that this call creates the file" (open(2)): of several processes, one does.
        """
        try:
            descriptor = os.open(self._before + name, _NEW, 0o666, dir_fd=self._handle)
        except FileExistsError:
            return None
        try:
            write_all(descriptor, body)
        except BaseException:
            os.close(descriptor)
            self.discard(name)
            raise
        return descriptor

    def link(self, descriptor: int, name: str) -> None:
        """Give an open file of ours that name as well (Linux); raises where there is one.

        By its descriptor, since what stands under its first name may be another's by now.
        """
        own = f"/proc/self/fd/{descriptor}"
        os.link(own, self._before + name, dst_dir_fd=self._handle, follow_symlinks=True)

    def touch(self, name: str) -> None:
        """Set a file's time of modification to the file system's now."""
        os.utime(self._before + name, dir_fd=self._handle, follow_symlinks=self._handle is None)

    def clock(self) -> float:
        """The file system's now: on a server, its machine's, and not ours."""
        part, descriptor = self.begin()
        try:
            return os.fstat(descriptor).st_mtime
        finally:
            os.close(descriptor)
            self.discard(part)

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

    def place(self, name: str, body: bytes) -> Steps[int]:
        """As `replace`, and the name is synced, too: the descriptor, since it stays open."""
        part, descriptor = self.begin()
        try:
            write_all(descriptor, body)
            yield descriptor
            self._rename(part, name)
            yield from self._synced()
        except BaseException:
            os.close(descriptor)
            self.discard(part)
            raise
        return descriptor

    def publish(self, part: str) -> Steps[None]:
        """Give a synced part its final name, durably; a link of that name is replaced."""
        self._rename(part, self.file)
        yield from self._synced()
