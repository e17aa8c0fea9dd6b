"""How do files come into a folder: durable before their names appear, and off the event loop?"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from threading import Event

from anyio.to_thread import run_sync

from iceye_derivatives._core.journal import LARGEST
from iceye_derivatives.errors import ConfigurationError
from iceye_derivatives.models import AssetRef
from iceye_derivatives.protocols import FoundFile
from iceye_derivatives.sharing import Busy, Place, Present, Space
from iceye_derivatives.sinks._disk import Disk, Steps, at_once
from iceye_derivatives.sinks._finish import finish
from iceye_derivatives.sinks._folder import NO_FILE, Folder, split
from iceye_derivatives.sinks._hash import hash_file
from iceye_derivatives.sinks._notes import read_small, update_small
from iceye_derivatives.sinks._part import DirectoryPart
from iceye_derivatives.sinks._place import DirectoryPlace, Strays
from iceye_derivatives.sinks._records import Records
from iceye_derivatives.sinks._space import space_of

__all__ = ["DirectorySink"]


class DirectorySink:
    """Files below a folder; implements `iceye_derivatives.protocols.Sink`.

    A file is made under a unique name that ends in ``.part``, synced, renamed to its final name,
    and its folder is synced, together with other files that come just then: under the final name
    stands the whole file or nothing, whatever is cancelled, killed or unplugged.  Whatever ends in
    ``.part`` is unfinished: the next download of that file goes on with it or removes it, and all
    of it may be deleted when no download runs.

    The folder is made when the first file comes, or by `make_ready()`.  Nothing below it is
    followed if it is a symbolic link.  Files and folders get the mode of the umask.  Under
    cancellation each call is finished or undone first: no handle stays open, and nothing is written
    behind the caller's back.

    Args:
        path: The folder; it may itself be a symbolic link, since it is the caller's own choice.

    Raises:
        ConfigurationError: the path is empty, as that of a variable that was never set is.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        if not self.path:
            raise ConfigurationError(
                "An empty path is no folder: name one, or . for the current one"
            )
        # Strings, as in the Protocol, and joined once: names are asked for more than once a file.
        self._before = os.path.join(self.path, "")  # noqa: PTH118 - see above
        self._strays = Strays()
        self._records = Records()
        self._disk = Disk()
        self._held: set[DirectoryPlace] = set()

    def __repr__(self) -> str:
        return f"DirectorySink({self.path!r})"

    async def make_ready(self) -> None:
        """Make the folder, and a file in it that is gone at once; `OSError` where that fails.

        The folder stays, empty where nothing comes: it may be another process's by then, which has
        just found it and is about to make a file there.
        """
        await finish(lambda: run_sync(self._make_ready))

    def locate(self, name: str) -> str:
        """The path of that name; no I/O."""
        return self._before + os.sep.join(split(name))  # noqa: PTH118 - strings, as above

    async def find(self, name: str) -> FoundFile | None:
        """The file of that name, hashed; None where there is none, or no regular file."""
        stop = Event()
        return await finish(lambda: run_sync(self._find, name, stop), on_cancel=stop.set)

    async def put(self, name: str, body: bytes, check: Callable[[bytes], str]) -> tuple[str, str]:
        """Check a small body and store it durably, together with others that come just then."""
        steps = self._store(name, body, check)
        return self.locate(name), await self._disk.go_through(steps, size=len(body))

    @asynccontextmanager
    async def create(self, name: str) -> AsyncIterator[DirectoryPart]:
        """A file to stream into, in writes of at least 256 KiB; deleted unless committed."""
        part = DirectoryPart(self.path, name, self.locate(name), disk=self._disk)
        try:
            yield part
        finally:
            await finish(part.close)

    def claim(
        self, name: str, asset: AssetRef, *, replace: bool = False
    ) -> AbstractAsyncContextManager[Place | Present | Busy]:
        """Look whether the file is there, and if not (or if `replace`), make its name ours."""
        path = self.locate(name)
        place = DirectoryPlace(
            *(self.path, name, path, asset),
            strays=self._strays,
            records=self._records,
            disk=self._disk,
        )
        return _Claiming(place, self._disk, self._held, replace=replace)

    async def beat(self) -> None:
        """Show other processes that we live and make the files whose names are ours."""
        held = tuple(self._held)

        def beat() -> None:
            for place in held:
                place.beat()

        if held:
            await self._disk.do(beat)

    async def read_note(self, name: str) -> bytes | None:
        """The note of that name, or None; never through a symbolic link."""
        return await finish(lambda: run_sync(read_small, self.path, name, LARGEST))

    async def write_note(self, name: str, render: Callable[[], bytes]) -> None:
        """Put a note in place of the old one, atomically and durably."""
        await finish(lambda: run_sync(self._write_note, name, render))

    async def read_file(self, name: str, limit: int) -> bytes | None:
        """A whole file's bytes; None where there is none, or a larger one."""
        return await finish(lambda: run_sync(read_small, self.path, name, limit))

    async def update_note(self, name: str, change: Callable[[bytes | None], bytes | None]) -> None:
        """Put what `change` makes of a note in its place; processes of this machine take turns."""
        await finish(lambda: run_sync(update_small, self.path, name, change, LARGEST))

    async def space(self) -> Space | None:
        """What the folder's disk has left."""
        return await finish(lambda: run_sync(space_of, self.path))

    def _make_ready(self) -> None:
        try:
            with Folder(self.path, "tried", make=True) as folder:
                part, descriptor = folder.begin()
                os.close(descriptor)
                folder.discard(part)
        except OSError as error:
            # The system names the file alone, which is no help to anybody.
            raise OSError(error.errno, error.strerror, self.path) from error

    def _store(self, name: str, body: bytes, check: Callable[[bytes], str]) -> Steps[str]:
        checked = check(body)
        with Folder(self.path, name, make=True) as folder:
            yield from folder.store(body)
        return checked

    def _write_note(self, name: str, render: Callable[[], bytes]) -> None:
        with Folder(self.path, name, make=True) as folder:
            if self._strays(folder):
                # At worst another process, which is just writing one, has to write it again.
                self._strays.clear(folder)
            at_once(folder.store(render()))

    def _find(self, name: str, stop: Event) -> FoundFile | None:
        try:
            with Folder(self.path, name) as folder:
                found = hash_file(folder, folder.file, stop)
        except OSError as error:
            if error.errno in NO_FILE:
                return None
            raise
        if found is None:
            return None
        return FoundFile(path=self.locate(name), size=found[0], sha256=found[1])


class _Claiming:
    """A name while it is ours; a class, since a generator costs several times as much."""

    __slots__ = ("_disk", "_held", "_place", "_replace")

    def __init__(
        self, place: DirectoryPlace, disk: Disk, held: set[DirectoryPlace], *, replace: bool
    ) -> None:
        self._place = place
        self._disk = disk
        self._held = held
        self._replace = replace

    async def __aenter__(self) -> Place | Present | Busy:
        place = self._place
        try:
            found = await self._disk.do(partial(place.take, replace=self._replace))
        except BaseException:
            await self.__aexit__()
            raise
        if found is not None:
            return found
        self._held.add(place)
        return place

    async def __aexit__(self, *_: object) -> None:
        self._held.discard(self._place)
        if self._place.ours:  # a stored file has given its name back when it was stored
            await self._disk.do(self._place.drop, surely=True)
