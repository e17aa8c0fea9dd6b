"""How do files come into a folder: durable before their names appear, and off the event loop?"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from threading import Event
from typing import Any

import aiofiles
from anyio.to_thread import run_sync

from iceye_derivatives.protocols import FoundFile
from iceye_derivatives.sinks._finish import finish
from iceye_derivatives.sinks._folder import Folder, split

__all__ = ["DirectorySink"]

_BLOCK = 1024 * 1024
_BATCH = 256 * 1024
# Not there; a planted link (ENOTDIR for a folder's); a folder.  None of them is a file of ours.
_NO_FILE = {errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ENXIO}


class DirectorySink:
    """Files below a folder; implements `iceye_derivatives.protocols.Sink`.

    A file is made under a unique name that ends in ``.part``, synced, renamed to its final name,
    and its folder is synced: under the final name stands the whole file or nothing, whatever is
    cancelled, killed or unplugged.  A killed process leaves its ``.part`` files behind; they may
    be deleted when no download runs.

    The folder is made when the first file comes.  Nothing below it is followed if it is a symbolic
    link.  Files and folders get the mode of the umask.  Under cancellation each call is finished
    or undone first: no handle stays open, and nothing is written behind the caller's back.

    Args:
        path: The folder; it may itself be a symbolic link, since it is the caller's own choice.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)

    def __repr__(self) -> str:
        return f"DirectorySink({self.path!r})"

    def locate(self, name: str) -> str:
        """The path of that name; no I/O."""
        return os.path.join(self.path, *split(name))  # noqa: PTH118 - strings, as in the Protocol

    async def find(self, name: str) -> FoundFile | None:
        """The file of that name, hashed; None where there is none, or no regular file."""
        stop = Event()
        return await finish(lambda: run_sync(self._find, name, stop), on_cancel=stop.set)

    async def put(self, name: str, body: bytes, check: Callable[[bytes], str]) -> tuple[str, str]:
        """Check a small body and store it durably, all in one hop to a thread."""

        def store() -> str:
            checked = check(body)
            with Folder(self.path, name, make=True) as folder:
                folder.store(body)
            return checked

        return self.locate(name), await finish(lambda: run_sync(store))

    @asynccontextmanager
    async def create(self, name: str) -> AsyncIterator[_DirectoryPart]:
        """A file to stream into, in writes of at least 256 KiB; deleted unless committed."""
        part = _DirectoryPart(self, name)
        try:
            yield part
        finally:
            await finish(part.close)

    def _find(self, name: str, stop: Event) -> FoundFile | None:
        try:
            with Folder(self.path, name) as folder, folder.open_final() as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    return None
                digest, size = sha256(), 0
                while not stop.is_set() and (block := file.read(_BLOCK)):
                    digest.update(block)
                    size += len(block)
        except OSError as error:
            if error.errno in _NO_FILE:
                return None
            raise
        return FoundFile(path=self.locate(name), size=size, sha256=digest.hexdigest())


class _DirectoryPart:
    """A part in the making.

    Each step keeps what it opened in `self` before anything else is awaited: a result that is only
    returned would be lost, with its handle, when a cancellation follows.
    """

    def __init__(self, sink: DirectorySink, name: str) -> None:
        self._sink = sink
        self._name = name
        self._folder = Folder(sink.path, name, make=True)
        self._part: str | None = None
        self._descriptor: int | None = None
        self._file: Any = None  # aiofiles' own type of binary file is private to it
        self._waiting: list[bytes] = []
        self._size = 0

    async def write(self, data: bytes) -> None:
        """Append."""
        self._waiting.append(data)
        self._size += len(data)
        if self._size >= _BATCH:
            await finish(self._flush)

    async def commit(self) -> str:
        """Make it durable under its final name and say where that is."""
        await finish(self._commit)
        return self._sink.locate(self._name)

    async def close(self) -> None:
        """Close what is open and delete what was not committed."""
        if self._file is not None:
            with suppress(OSError):  # a full disk fails once more when the rest is flushed
                await self._file.close()
        await run_sync(self._discard)

    async def _flush(self) -> None:
        if self._file is None:
            await run_sync(self._begin)
            assert self._descriptor is not None  # noqa: S101 - `_begin` has just made it
            self._file = await aiofiles.open(self._descriptor, "wb")
            self._descriptor = None
        data, self._waiting, self._size = b"".join(self._waiting), [], 0
        await self._file.write(data)

    async def _commit(self) -> None:
        await self._flush()
        await self._file.flush()
        await run_sync(os.fsync, self._file.fileno())
        await self._file.close()
        await run_sync(self._publish)

    def _begin(self) -> None:
        self._folder.__enter__()  # left in `_discard`, which each part comes to
        self._part, self._descriptor = self._folder.begin()

    def _publish(self) -> None:
        if self._part is not None:
            self._folder.publish(self._part)
            self._part = None

    def _discard(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
        if self._part is not None:
            self._folder.discard(self._part)
        self._folder.close()
