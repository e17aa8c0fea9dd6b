"""What may a sink offer besides: files that outlive a process, and a place that several share?

A sink that has only the methods of `iceye_derivatives.protocols.Sink` works, but a file that was
interrupted starts anew in the next process.  One that also has those of `SharedSink` lets the next
process go on at the byte where the last one stood, and keeps two from fetching a file twice.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol, runtime_checkable

from attrs import frozen

from iceye_derivatives.models import AssetRef
from iceye_derivatives.protocols import PartialFile

__all__ = [
    "Busy",
    "CatalogSink",
    "NoteSink",
    "PartMark",
    "Place",
    "Present",
    "ReadySink",
    "ResumablePart",
    "SharedSink",
    "Space",
    "SpaceSink",
    "SteadyPart",
]


@frozen(kw_only=True)
class PartMark:
    """How far a file has come: what another process needs to go on with it.  Never a URL."""

    asset: AssetRef
    size: int
    """Bytes from the file's start that are safe on disk, at least 1."""
    total: int | None
    """The file's length, where the store told."""
    etag: str
    """The strong ETag of what these bytes are of."""
    sha256: str
    """Of these bytes, hexadecimal."""


class ResumablePart(PartialFile, Protocol):
    """A file in the making whose marked bytes outlive the process."""

    def read(self) -> AsyncIterator[bytes]:
        """The bytes that were marked when the part was opened, in pieces."""
        ...

    async def set_mark(self, mark: PartMark) -> None:
        """Make durable what was written, then remember how far that is."""
        ...

    async def restart(self) -> None:
        """Forget all bytes and the mark."""
        ...


@runtime_checkable
class SteadyPart(Protocol):
    """A `ResumablePart` that stores bytes while the next ones arrive: one hop for all of it.

    Offered beside the methods of `ResumablePart`; a downloader makes use of it where it finds it.
    """

    async def take(
        self,
        pieces: Sequence[bytes],
        check: Callable[[bytes], object],
        mark: Callable[[], PartMark | None],
    ) -> None:
        """Wait until what was taken before is stored, then begin to store these.

        Where the writing is done, and in this order: `check` looks at them, they are written, and
        if `mark` gives one it is set.  What goes wrong is raised by whichever method comes next.
        """
        ...

    async def settle(self) -> None:
        """Return when all that was taken is stored."""
        ...


@frozen(kw_only=True)
class Present:
    """A file that stands under its final name already; nobody has looked inside."""

    path: str
    size: int
    stamp: str
    """Changes whenever the file does, e.g. its time of modification."""


@frozen(kw_only=True)
class Busy:
    """Somebody else makes the file at the moment."""

    owner: str
    """Who, in words for people."""


class Place(Protocol):
    """A name in a sink that is ours for a while: nobody else makes that file meanwhile."""

    @property
    def mark(self) -> PartMark | None:
        """How far an earlier process came."""
        ...

    @property
    def stamp(self) -> str | None:
        """The stamp of what was stored here, see `Present`; None before that."""
        ...

    async def put(self, body: bytes, check: Callable[[bytes], str]) -> tuple[str, str]:
        """As `Sink.put`."""
        ...

    def stream(self) -> AbstractAsyncContextManager[ResumablePart]:
        """As `Sink.create`, going on from `mark`.

        Left without `commit()`, what was marked stays for whoever comes next, and nothing else.
        """
        ...


@runtime_checkable
class SharedSink(Protocol):
    """A sink that other processes may use at the same time, and whose unfinished files last.

    Offered beside the methods of `Sink`; a downloader makes use of it where it finds it.
    """

    def claim(
        self, name: str, asset: AssetRef, *, replace: bool = False
    ) -> AbstractAsyncContextManager[Place | Present | Busy]:
        """Look whether the file is there, and if not (or if `replace`), make its name ours.

        It stays ours until the context ends, as long as `beat()` is called.  An empty file counts
        as none: no asset of ours is empty.
        """
        ...

    async def beat(self) -> None:
        """Show others that we live; to be called every 20 seconds of real time."""
        ...


@runtime_checkable
class NoteSink(Protocol):
    """A sink that keeps small notes beside the files: their journals.

    Names are like those of files, but no file of ours is called so.
    """

    async def read_note(self, name: str) -> bytes | None:
        """The note of that name, or None; raises `OSError`."""
        ...

    async def write_note(self, name: str, render: Callable[[], bytes]) -> None:
        """Put a note in place of the old one, atomically and durably; raises `OSError`.

        `render` makes the note; it runs where the writing does, off the event loop.
        """
        ...


@runtime_checkable
class CatalogSink(NoteSink, Protocol):
    """A sink whose files can be described in notes that several processes change."""

    async def read_file(self, name: str, limit: int) -> bytes | None:
        """A whole file's bytes; None where there is none, or a larger one; raises `OSError`."""
        ...

    async def update_note(self, name: str, change: Callable[[bytes | None], bytes | None]) -> None:
        """Put what `change` makes of a note in its place, and nothing where that is None.

        No other change that this process makes, nor as far as possible one of another process,
        comes between reading and writing; `change` may be called again where one did.
        """
        ...


@frozen(kw_only=True)
class Space:
    """What a disk has left."""

    disk: str
    """Which one: the same for all sinks on it."""
    free: int
    """Bytes that may be written."""


@runtime_checkable
class SpaceSink(Protocol):
    """A sink that knows what room is left."""

    async def space(self) -> Space | None:
        """Look; None where it cannot be known; raises `OSError`."""
        ...


@runtime_checkable
class ReadySink(Protocol):
    """A sink that can be tried before there is anything to store."""

    async def make_ready(self) -> None:
        """Raise `OSError` where no file could be stored: before days of waiting, not after them."""
        ...
