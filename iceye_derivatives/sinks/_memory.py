"""How are files kept in memory?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hashlib import sha256

from anyio.to_thread import run_sync

from iceye_derivatives.protocols import FoundFile

__all__ = ["MemorySink"]


class MemorySink:
    """Files in a dictionary; implements `iceye_derivatives.protocols.Sink`.

    Example:
        >>> sink = MemorySink()
        >>> sink.files
        {}
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        """Whole, checked files by name."""
        self.notes: dict[str, bytes] = {}
        """Journals by name, see `iceye_derivatives.sharing.NoteSink`."""

    def __repr__(self) -> str:
        return f"MemorySink({len(self.files)} files)"

    def locate(self, name: str) -> str:
        """The name itself: the key in `files`."""
        return name

    async def find(self, name: str) -> FoundFile | None:
        """The file of that name, hashed, or None."""
        body = self.files.get(name)
        if body is None:
            return None
        return FoundFile(path=name, size=len(body), sha256=sha256(body).hexdigest())

    async def put(self, name: str, body: bytes, check: Callable[[bytes], str]) -> tuple[str, str]:
        """Check a body, off the event loop, and keep it."""
        checked = await run_sync(check, body)
        self.files[name] = body
        return name, checked

    @asynccontextmanager
    async def create(self, name: str) -> AsyncIterator[_MemoryPart]:
        """A file to stream into; forgotten unless committed."""
        yield _MemoryPart(self.files, name)

    async def read_note(self, name: str) -> bytes | None:
        """The note of that name, or None."""
        return self.notes.get(name)

    async def read_file(self, name: str, limit: int) -> bytes | None:
        """The bytes of a file; None where there is none, or a larger one."""
        body = self.files.get(name)
        return body if body is not None and len(body) <= limit else None

    async def update_note(self, name: str, change: Callable[[bytes | None], bytes | None]) -> None:
        """Put what `change` makes of a note in its place."""
        after = change(self.notes.get(name))
        if after is not None:
            self.notes[name] = after

    async def write_note(self, name: str, render: Callable[[], bytes]) -> None:
        """Keep a note in place of the old one."""
        self.notes[name] = await run_sync(render)


class _MemoryPart:
    def __init__(self, files: dict[str, bytes], name: str) -> None:
        self._files = files
        self._name = name
        self._chunks: list[bytes] = []

    async def write(self, data: bytes) -> None:
        """Append."""
        self._chunks.append(data)

    async def commit(self) -> str:
        """Keep it under its name."""
        self._files[self._name] = b"".join(self._chunks)
        return self._name
