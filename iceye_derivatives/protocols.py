"""What a caller may bring, and what watcher and downloader know of the client: small Protocols."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from attrs import field, frozen

if TYPE_CHECKING:
    from iceye_derivatives.models import Scene, SignedUrl, Snapshot, Task

__all__ = [
    "AccessToken",
    "Clock",
    "FoundFile",
    "LinkOpener",
    "LinkResponse",
    "PartialFile",
    "SceneSource",
    "Sink",
    "SnapshotSource",
    "TaskSource",
    "TokenSource",
]


@runtime_checkable
class Clock(Protocol):
    """Now and waiting: the two things that a test replaces to let days pass in milliseconds."""

    def time(self) -> float:
        """Unix seconds."""
        ...

    async def sleep(self, seconds: float, /) -> None:
        """Return when that many seconds have passed; cancellable at any moment."""
        ...


@frozen(kw_only=True)
class AccessToken:
    """A bearer token and how long it lives."""

    value: str = field(repr=False)
    expires_in: float | None = None
    """Seconds from now, None where it is not known."""


@runtime_checkable
class TokenSource(Protocol):
    """Where bearer tokens come from.

    The client calls `fetch_token()` only when it needs a new one, and never twice at a time: it
    does the caching, the early renewal and the single flight, so a source only has to ask.
    """

    async def fetch_token(self) -> AccessToken:
        """A token that is valid now; raise an `IceyeError` when there is none to be had."""
        ...


class SnapshotSource(Protocol):
    """Who can look at a task's derivatives once."""

    async def look_at_derivatives(self, task_id: str) -> Snapshot:
        """One request, no retry; raises each `IceyeError`, but not for 404, 206 or 200."""
        ...


class TaskSource(Protocol):
    """Who can ask for a task once."""

    async def look_at_task(self, task_id: str) -> Task:
        """One request, no retry; `TaskNotFoundError` where the API does not know it."""
        ...


class SceneSource(Protocol):
    """Who can ask for a task's scene once."""

    async def look_at_scene(self, task_id: str) -> Scene:
        """One request, no retry; any `IceyeError` means no more than that there is no forecast."""
        ...


class LinkResponse(Protocol):
    """An answer of the file store whose head has come and whose body is still on the line."""

    @property
    def status(self) -> int:
        """HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """By lower-case name."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives, never decoded; `NetworkError` when the line breaks."""
        ...


class LinkOpener(Protocol):
    """Who can open a signed link: without our token, byte for byte."""

    def open_link(
        self, url: SignedUrl, *, headers: Mapping[str, str]
    ) -> AbstractAsyncContextManager[LinkResponse]:
        """One GET; whatever status comes is handed on; `NetworkError` where no answer comes.

        Leaving the context closes the body: the connection is reused when it was read to its end,
        and dropped otherwise.
        """
        ...


@frozen(kw_only=True)
class FoundFile:
    """A whole file that a sink holds under its final name."""

    path: str
    size: int
    sha256: str


class PartialFile(Protocol):
    """A file in the making: invisible under its final name until `commit()`."""

    async def write(self, data: bytes) -> None:
        """Append."""
        ...

    async def commit(self) -> str:
        """Make it durable under its final name and say where that is."""
        ...


class Sink(Protocol):
    """Where files go.

    A name is a relative path with ``/`` of parts that this library made safe for every file
    system.  Promise: under a name stands a whole file or nothing, whatever is cancelled or killed.
    Sinks raise `OSError`; the downloader turns it into `DiskFullError` or `StorageError`.
    """

    def locate(self, name: str) -> str:
        """What a person would call the place of that name, e.g. a file's path; no I/O."""
        ...

    async def find(self, name: str) -> FoundFile | None:
        """The whole file of that name, hashed, or None."""
        ...

    async def put(self, name: str, body: bytes, check: Callable[[bytes], str]) -> tuple[str, str]:
        """Check a small body, store it whole, and say where: ``(path, what check gave)``.

        `check` hashes and validates; it runs where the writing does, off the event loop, and what
        it raises is raised here with nothing stored.
        """
        ...

    def create(self, name: str) -> AbstractAsyncContextManager[PartialFile]:
        """A file to stream into; left without `commit()`, it leaves no trace under its name."""
        ...
