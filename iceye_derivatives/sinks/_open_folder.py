"""How is a folder held open, so that nothing in it leads elsewhere?

The folder of a file is held open by handle where the system can, so that nobody can put a symbolic
link in its place between two calls; elsewhere (Windows) links are looked for by path.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from contextlib import suppress
from functools import lru_cache
from io import BufferedReader
from typing import Final, Self

from iceye_derivatives.sinks._disk import Steps, at_once
from iceye_derivatives.sinks._shared_handles import Handle, keep_handle, shared_handle

__all__ = ["NO_FILE", "OpenFolder", "split"]

# Zero where the system has no such flag.
NOFOLLOW: Final[int] = getattr(os, "O_NOFOLLOW", 0)
BINARY: Final[int] = getattr(os, "O_BINARY", 0)
_FOLDER: Final[int] = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
# Opening a planted FIFO would otherwise wait for a writer for ever.
_READ: Final[int] = os.O_RDONLY | BINARY | NOFOLLOW | getattr(os, "O_NONBLOCK", 0)

_NO_PARTS: Final = frozenset({"", ".", ".."})
_NO_CHARACTERS: Final = re.compile(r'[\\:\0"*?<>|]')

_BY_HANDLE: Final = {os.open, os.unlink, os.rename, os.mkdir} <= os.supports_dir_fd
# A sandbox may forbid the call, or the system not know it all: then it would see nothing anywhere.
_SEES: Final = os.access in (
    os.supports_dir_fd & os.supports_effective_ids & os.supports_follow_symlinks
) and os.access(os.sep, os.F_OK, effective_ids=True, follow_symlinks=False)
# Some file systems cannot sync a folder and say so; then nobody can.
_CANNOT_SYNC: Final = {errno.EINVAL, errno.ENOTSUP, errno.EBADF}
# Not there; a planted link (ENOTDIR for a folder's); a folder.  None of them is a file of ours.
NO_FILE: Final = {errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ENXIO}


@lru_cache(maxsize=16)
def split(name: str) -> tuple[str, ...]:
    """The parts of a sink's name; `ValueError` for one that could lead out of the folder.

    Our own names cannot (`_core.plan`); this guards sinks that are used by others.
    """
    parts = name.split("/")
    if _NO_PARTS.intersection(parts) or _NO_CHARACTERS.search(name):
        raise ValueError(f"{name!r} is not a name for a file: use plain parts joined by '/'")
    return tuple(parts)


class OpenFolder:
    """The folder of one file, open as long as a ``with`` block lasts; it may be opened again."""

    __slots__ = ("_before", "_handle", "_make", "_open", "_parts", "_root", "file", "path")

    def __init__(self, root: str, name: str, *, make: bool = False) -> None:
        *self._parts, self.file = split(name)  # asked for more than once a file
        """The file's final name in this folder."""
        self._root = root
        self.path = "/".join((root, *self._parts))
        """The folder's own, by which those of one sink are told apart."""
        self._make = make
        self._open: Handle | None = None
        self._handle: int | None = None
        self._before = f"{self.path}/"
        """What a call of the system needs before a name: nothing beside a handle."""

    def __enter__(self) -> Self:
        self._open = shared_handle(self.path) if _BY_HANDLE else None
        if self._open is not None:
            self._handle = self._open.number
            self._before = ""
            return self
        try:
            self._begin()
            for part in self._parts:
                self._descend(part)
            if self._handle is not None:
                self._open = Handle(self._handle)
                keep_handle(self.path, self._open)
        except BaseException:
            self.close()
            raise
        return self

    def close(self, *_: object) -> None:
        """Let the folder go; safe to call twice."""
        opened, self._open = self._open, None
        handle, self._handle = self._handle, None
        self._before = f"{self.path}/"
        if opened is not None:
            opened.leave()
        elif handle is not None:
            os.close(handle)

    __exit__ = close

    @property
    def handle(self) -> int | None:
        """The open folder, where the system has such handles."""
        return self._handle

    def names(self) -> list[str]:
        """All names in this folder."""
        return os.listdir(self._before if self._handle is None else self._handle)  # noqa: PTH208

    def exists(self, name: str) -> bool:
        """Whether anything stands under that name."""
        return self._stat(name) is not None

    def is_file(self, name: str) -> bool:
        """Whether a regular file stands under that name."""
        found = self._stat(name)
        return found is not None and stat.S_ISREG(found.st_mode)

    def discard(self, part: str) -> None:
        """Delete something of ours, if it is still there."""
        try:  # noqa: SIM105 - each file comes here, and that costs as much as the call itself
            os.unlink(self._before + part, dir_fd=self._handle)
        except OSError:
            pass

    def open_to_read(self, name: str) -> BufferedReader:
        """A file in this folder; never through a symbolic link."""
        self._refuse_link(name)
        descriptor = os.open(self._before + name, _READ, dir_fd=self._handle)
        try:
            return os.fdopen(descriptor, "rb")
        except BaseException:  # a folder stands there
            os.close(descriptor)
            raise

    def _stat(self, name: str) -> os.stat_result | None:
        path = self._before + name
        # What is looked for is mostly not there, and an error costs three times what the call does.
        # As who we act as, like all other calls: it would ask for who started the program.
        if _SEES and not os.access(
            path, os.F_OK, dir_fd=self._handle, effective_ids=True, follow_symlinks=False
        ):
            return None
        try:
            return os.stat(path, dir_fd=self._handle, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def _rename(self, part: str, name: str) -> None:
        old, new = self._before + part, self._before + name
        os.replace(old, new, src_dir_fd=self._handle, dst_dir_fd=self._handle)

    def _begin(self) -> None:
        if self._make and not os.path.isdir(self._root):  # noqa: PTH112 - handles go with strings
            os.makedirs(self._root, exist_ok=True)  # noqa: PTH103 - handles go with strings
        if _BY_HANDLE:
            self._handle = os.open(self._root, _FOLDER)
        self._before = "" if _BY_HANDLE else f"{self._root}/"

    def _descend(self, part: str) -> None:
        if self._make and self._stat(part) is None:  # mostly it is there, since the first file
            with suppress(FileExistsError):
                os.mkdir(self._before + part, dir_fd=self._handle)
                # The new folder's own name must survive a power cut as well.
                at_once(self._synced())
        self._refuse_link(part)
        if self._handle is not None:
            inner = os.open(part, _FOLDER | NOFOLLOW, dir_fd=self._handle)
            os.close(self._handle)
            self._handle = inner
        else:
            self._before += f"{part}/"

    def _refuse_link(self, name: str) -> None:
        """Where handles cannot be had, the look before the leap is the best there is."""
        if self._handle is None and os.path.islink(self._before + name):  # noqa: PTH114
            raise OSError(errno.ELOOP, "a symbolic link stands where we do not follow one", name)

    def _synced(self) -> Steps[None]:
        """Names that were given in this folder are on the disk then."""
        if self._handle is None:
            return
        try:
            yield self._handle
        except OSError as error:
            if error.errno not in _CANNOT_SYNC:
                raise
