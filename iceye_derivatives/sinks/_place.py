"""Whose turn is it to make a file in a folder, and how far did an earlier process come?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Container
from contextlib import asynccontextmanager, suppress
from typing import Final

from iceye_derivatives._core.notes import NoteFault
from iceye_derivatives._core.part_names import file_of, sidecar_name
from iceye_derivatives._core.sidecar import LARGEST, Sidecar, parse_sidecar
from iceye_derivatives.models import AssetRef
from iceye_derivatives.sharing import Busy, PartMark, Present
from iceye_derivatives.sinks._claim import Claim
from iceye_derivatives.sinks._disk import Disk, Steps
from iceye_derivatives.sinks._finish import finish
from iceye_derivatives.sinks._folder import Folder, stamp_of
from iceye_derivatives.sinks._part import DirectoryPart
from iceye_derivatives.sinks._records import Records

__all__ = ["DirectoryPlace", "Strays"]


_FOLDERS: Final = 64


class Strays:
    """What stood beside files that were not finished when we came: looked for once a folder.

    Of many folders the oldest is forgotten, and looked at once more if it is used again.
    """

    def __init__(self) -> None:
        self._by_folder: dict[str, set[str]] = {}
        self._bare: set[str] = set()

    def __call__(self, folder: Folder) -> bool:
        """Whether anything stands beside this file."""
        known = self._by_folder.get(folder.path)
        if known is None:
            names = folder.names()
            files = map(file_of, names)
            known = self._by_folder[folder.path] = {file for file in files if file is not None}
            if not names:
                self._bare.add(folder.path)
            for old in list(self._by_folder)[:-_FOLDERS]:
                self._by_folder.pop(old, None)
                self._bare.discard(old)
        return folder.file in known

    def is_bare(self, folder: Folder) -> bool:
        """Whether the folder was empty when we came, and no file of others was met since."""
        return folder.path in self._bare

    def met(self, folder: Folder) -> None:
        """A file stands there that this run has not made."""
        self._bare.discard(folder.path)

    def clear(self, folder: Folder, *, kept: Container[str] = ()) -> None:
        """Delete it, but for what is `kept`."""
        for found in folder.names():
            if file_of(found) == folder.file and found not in kept:
                folder.discard(found)
        self._by_folder.get(folder.path, set()).discard(folder.file)


class DirectoryPlace:
    """A name in a folder; implements `iceye_derivatives.sharing.Place` once it was taken."""

    def __init__(
        self,
        root: str,
        name: str,
        path: str,
        asset: AssetRef,
        *,
        strays: Strays,
        records: Records,
        disk: Disk,
    ) -> None:
        self._disk = disk
        self._root = root
        self._name = name
        self._path = path
        self._asset = asset
        self._strays = strays
        self._claim = Claim(records)
        self._folder = Folder(root, name, make=True)
        self._sidecar: Sidecar | None = None
        self.stamp: str | None = None

    @property
    def mark(self) -> PartMark | None:
        """How far an earlier process came."""
        return None if self._sidecar is None else self._sidecar.mark

    @property
    def ours(self) -> bool:
        """Whether the name is ours at the moment."""
        return self._claim.mine is not None

    async def put(self, body: bytes, check: Callable[[bytes], str]) -> tuple[str, str]:
        """Check a small body and store it durably, together with others that come just then."""
        steps = self._store(body, check)
        return self._path, await self._disk.go_through(steps, size=len(body))

    @asynccontextmanager
    async def stream(self) -> AsyncIterator[DirectoryPart]:
        """A file to stream into, going on from the mark; what is marked outlives us."""
        sidecar, self._sidecar = self._sidecar, None
        part = DirectoryPart(
            self._root,
            self._name,
            self._path,
            disk=self._disk,
            sidecar=sidecar,
            copied=not self._claim.surely_alone,
            on_stored=self._stored,
        )
        try:
            yield part
        finally:
            await finish(part.close)

    # -- in a thread -------------------------------------------------------------------------------

    def _store(self, body: bytes, check: Callable[[bytes], str]) -> Steps[str]:
        checked = check(body)
        with self._folder as folder:
            self._stored(folder, (yield from folder.store(body)))
        return checked

    def take(self, *, replace: bool) -> Present | Busy | None:
        """Look what is there; None where the name is ours now."""
        with self._folder as folder:
            strays = self._strays(folder)
            # Mostly we came first: then the look that counts, behind the claim, is enough.
            blind = replace or self._strays.is_bare(folder)
            found = None if blind else self._present(folder)
            if found is not None and not strays:
                return found
            other = self._claim.take(folder)
            if other is not None:
                return found or Busy(owner=f"process {other.pid} on {other.host or 'this machine'}")
            try:
                # Whoever had the name until now may have finished the file.
                found = None if replace else self._present(folder)
                self._tidy(folder, strays=strays, whole=found is not None)
            except BaseException:
                self._claim.drop(folder)
                raise
            if found is not None:
                self._strays.met(folder)
                self._claim.drop(folder)
            return found

    def drop(self) -> None:
        """Give the name back."""
        with suppress(OSError), Folder(self._root, self._name) as folder:
            self._claim.drop(folder)
        self._claim.forsake(self._folder.file)  # where its folder is gone

    def beat(self) -> None:
        """Show that we live."""
        with suppress(OSError), Folder(self._root, self._name) as folder:
            self._claim.beat(folder)

    def _present(self, folder: Folder) -> Present | None:
        found = folder.look()
        if found is None:
            return None
        return Present(path=self._path, size=found.st_size, stamp=stamp_of(found))

    def _tidy(self, folder: Folder, *, strays: bool, whole: bool) -> None:
        """Keep what can be gone on with, and clear away what else was left beside the file."""
        sidecar = sidecar_name(folder.file)
        note = folder.read(sidecar, LARGEST) if folder.exists(sidecar) else None
        if note is not None and not whole:
            with suppress(NoteFault):
                self._sidecar = parse_sidecar(note, file=folder.file, asset=self._asset)
        if strays or self._claim.took_over or (note is not None and self._sidecar is None):
            kept = {*self._claim.names}
            if self._sidecar is not None:
                kept |= {sidecar, self._sidecar.part}
            self._strays.clear(folder, kept=kept)

    def _stored(self, folder: Folder, stamp: str) -> None:
        self.stamp = stamp
        self._claim.drop(folder)
