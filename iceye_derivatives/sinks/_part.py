"""How is a file streamed to a disk: off the event loop, and so that another process can go on?"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from functools import partial
from threading import Lock
from typing import Any

from anyio.to_thread import run_sync

from iceye_derivatives._core.sidecar import Sidecar
from iceye_derivatives.sharing import PartMark
from iceye_derivatives.sinks._disk import Disk, Job, Steps, at_once
from iceye_derivatives.sinks._finish import finish
from iceye_derivatives.sinks._folder import Folder, stamp_of, write_all
from iceye_derivatives.sinks._marks import Marks

__all__ = ["DirectoryPart"]

_BLOCK = 512 * 1024
_BATCH = 256 * 1024


class DirectoryPart:
    """A part in the making; implements `iceye_derivatives.sharing.ResumablePart`.

    Each step keeps what it opened in `self` before anything else is awaited: a result that is only
    returned would be lost, with its handle, when a cancellation follows.

    Args:
        root: The sink's folder.
        name: The file's final name in it.
        path: The same for people.
        disk: Who stores what is taken.
        sidecar: Where an earlier process came to.
        copied: Whether that process may wake up and write to its part: then we go on with a copy.
        on_stored: Called in the thread that published the file, with its folder and stamp.
    """

    def __init__(
        self,
        root: str,
        name: str,
        path: str,
        *,
        disk: Disk,
        sidecar: Sidecar | None = None,
        copied: bool = False,
        on_stored: Callable[[Folder, str], object] | None = None,
    ) -> None:
        self._path = path
        self._disk = disk
        self._folder = Folder(root, name, make=True)
        self._marks = Marks(self._folder)
        self._sidecar = sidecar
        self._copied = copied
        self._on_stored = on_stored
        self._part: str | None = None
        self._descriptor: int | None = None
        self._file: Any = None  # aiofiles' own type of binary file is private to it
        self._waiting: list[bytes] = []
        self._size = 0
        self._under_way: Job[None] | None = None
        self._turn = Lock()
        self._is_left = False

    async def read(self) -> AsyncIterator[bytes]:
        """The bytes that were marked when the part was opened, in pieces."""
        if self._sidecar is not None:
            await finish(self._open)
        left = self._marked
        while left and (block := await finish(partial(self._read_file, min(_BLOCK, left)))):
            left -= len(block)
            yield block

    async def write(self, data: bytes) -> None:
        """Append."""
        self._waiting.append(data)
        self._size += len(data)
        if self._size >= _BATCH:
            await finish(self._flush)

    async def take(
        self,
        pieces: Sequence[bytes],
        check: Callable[[bytes], object],
        mark: Callable[[], PartMark | None],
    ) -> None:
        """Begin to check, write and mark these, when the ones before are stored."""
        await self.settle()
        if self._file is None:
            await finish(self._open)
        self._under_way = self._disk.begin(self._store(pieces, check, mark), beside=True)

    async def settle(self) -> None:
        """Return when all that was taken is stored; raises what went wrong with it."""
        under_way = self._under_way
        if under_way is None:
            return
        await under_way.end()
        self._under_way = None  # not sooner: at the end of a loop even `finish` may be cancelled
        under_way.outcome()

    async def set_mark(self, mark: PartMark) -> None:
        """Make durable what was written, then remember how far that is."""
        await finish(lambda: self._set_mark(mark))

    async def restart(self) -> None:
        """Forget all bytes and the mark."""
        await self._settle_anyhow()
        self._waiting, self._size = [], 0
        await finish(self._restart)

    async def commit(self) -> str:
        """Make it durable under its final name and say where that is."""
        await self.settle()
        await finish(self._commit)
        return self._path

    async def close(self) -> None:
        """Close what is open, and delete what was neither committed nor marked."""
        self._waiting = []
        await self._settle_anyhow()
        if self._file is not None:
            with suppress(OSError):  # a full disk fails once more when the rest is flushed
                await self._file.close()
        await run_sync(self._leave)

    async def _settle_anyhow(self) -> None:
        """What went wrong with bytes that are given up is nobody's business."""
        with suppress(Exception):
            await self.settle()

    async def _open(self) -> None:
        if self._file is not None:
            return
        await run_sync(self._begin)
        import aiofiles  # noqa: PLC0415 - `_begin` has imported it, in its thread

        assert self._descriptor is not None  # noqa: S101 - `_begin` has just made it
        self._file = await aiofiles.open(self._descriptor, "rb+", buffering=0)
        self._descriptor = None

    @property
    def _marked(self) -> int:
        return 0 if self._sidecar is None else self._sidecar.mark.size

    async def _read_file(self, size: int) -> bytes:
        found: bytes = await self._file.read(size)
        return found

    async def _flush(self) -> None:
        await self._open()
        data, self._waiting, self._size = b"".join(self._waiting), [], 0
        await run_sync(write_all, self._file.fileno(), data)

    async def _set_mark(self, mark: PartMark) -> None:
        await self._flush()
        await run_sync(at_once, self._remember(mark))

    async def _restart(self) -> None:
        await self._open()
        # The mark goes first: it must never speak of bytes that are not there.
        await run_sync(self._forget)
        await self._file.seek(0)
        await self._file.truncate()

    async def _commit(self) -> None:
        await self._flush()
        stamp = await run_sync(self._sync)
        await self._file.close()  # an open file cannot be renamed everywhere
        await run_sync(self._publish, stamp)

    def _store(
        self,
        pieces: Sequence[bytes],
        check: Callable[[bytes], object],
        mark: Callable[[], PartMark | None],
    ) -> Steps[None]:
        # Copying them costs less than to come back from a call of the system for each.
        batch = b"".join(pieces)
        check(batch)  # first: a page of HTML does not even get into a part
        write_all(self._file.fileno(), batch)
        found = mark()
        if found is not None:
            yield from self._remember(found)

    def _begin(self) -> None:
        import aiofiles  # noqa: F401, PLC0415 - it brings asyncio and TLS: half of all that we import

        with self._turn:  # or, where the loop has ended meanwhile, `_leave` comes before us
            if self._is_left:
                return
            self._folder.__enter__()  # left in `_leave`, which each part comes to
            if self._sidecar is not None and self._reopen(self._sidecar):
                return
            self._part, self._descriptor = self._folder.begin()

    def _reopen(self, sidecar: Sidecar) -> bool:
        """Take up the part of an earlier process, or clear it away."""
        size = sidecar.mark.size
        if not self._copied:
            self._descriptor = self._folder.reopen(sidecar.part, size)
            if self._descriptor is not None:
                self._part = sidecar.part
                return True
        elif (copy := self._folder.copy(sidecar.part, size)) is not None:
            self._part, self._descriptor = copy
            at_once(self._note(Sidecar(self._part, sidecar.mark)))
            self._folder.discard(sidecar.part)
            return True
        self._forget()
        self._folder.discard(sidecar.part)
        return False

    def _remember(self, mark: PartMark) -> Steps[None]:
        assert self._part is not None  # noqa: S101 - it has just been written to
        yield self._file.fileno()
        yield from self._note(Sidecar(self._part, mark))

    def _note(self, sidecar: Sidecar) -> Steps[None]:
        yield from self._marks.note(sidecar)
        self._sidecar = sidecar

    def _forget(self) -> None:
        if self._sidecar is not None:
            self._marks.forget()
            self._sidecar = None

    def _sync(self) -> str:
        os.fsync(self._file.fileno())
        return stamp_of(os.fstat(self._file.fileno()))

    def _publish(self, stamp: str) -> None:
        if self._part is not None:
            at_once(self._folder.publish(self._part))
            self._part = None
        self._forget()
        if self._on_stored is not None:
            self._on_stored(self._folder, stamp)

    def _leave(self) -> None:
        with self._turn:
            self._is_left = True
            self._marks.close()
            if self._descriptor is not None:
                os.close(self._descriptor)
            if self._part is not None and self._sidecar is None:
                self._folder.discard(self._part)
            self._folder.close()
