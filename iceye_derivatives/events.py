"""What is going on: typed progress, for terminals, logs and dashboards.

Events are values, not callbacks into your code's middle: the library calls ``on_event(event)``
synchronously, and whatever you do there must not block.  None of them holds a secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from attrs import field, frozen

from iceye_derivatives.errors import DownloadError, DownloadFailedError, IceyeError
from iceye_derivatives.models import AssetRef, Availability, Derivative, Scene, Unreadable

if TYPE_CHECKING:
    from iceye_derivatives._core.watch import Watch

__all__ = [
    "DerivativeReady",
    "DerivativesUnreadable",
    "DownloadEvent",
    "DownloadReport",
    "FileRecord",
    "LinkRenewed",
    "PaceChanged",
    "PollFailed",
    "SceneReceived",
    "SnapshotReceived",
    "TaskStatusReceived",
    "TransferEvent",
    "TransferFailed",
    "TransferFinished",
    "TransferProgressed",
    "TransferRetrying",
    "TransferStarted",
    "Waiting",
    "WatchEvent",
    "WatchFailed",
    "WatchFinished",
]


@frozen(kw_only=True)
class SnapshotReceived:
    """A look at the derivatives endpoint was answered."""

    task_id: str
    availability: Availability
    ready: int
    """How many of the listed derivatives have assets."""
    listed: int
    """How many can be read."""
    faulty: int = 0
    """How many hold something that cannot be read."""


@frozen(kw_only=True)
class TaskStatusReceived:
    """The task itself was asked for."""

    task_id: str
    status: str


@frozen(kw_only=True)
class SceneReceived:
    """The task's scene was asked for, to tell when its image is due."""

    task_id: str
    scene: Scene | None
    """None where there is none to be had: the watch goes on without a forecast."""


@frozen(kw_only=True)
class DerivativeReady:
    """A derivative is handed out now."""

    task_id: str
    derivative: Derivative


@frozen(kw_only=True)
class DerivativesUnreadable:
    """A listing holds what cannot be read, and was not told of before; the watch goes on."""

    task_id: str
    unreadable: tuple[Unreadable, ...]
    """What is new of it: a complaint that comes again with each look is told once."""


@frozen(kw_only=True)
class PollFailed:
    """A look failed in a way that may pass."""

    task_id: str
    error: IceyeError
    """`TaskNotFoundError`, too, where the API has shown the task before."""
    failures: int
    """How many in a row, this one included."""
    budget: int
    """At how many in a row the watch gives up."""


@frozen(kw_only=True)
class Waiting:
    """The heartbeat of a wait: what for, and when the next look is."""

    task_id: str
    seconds: float
    """How long until the next look."""
    until: float
    """When that is: Unix seconds."""
    reason: str
    """A sentence for people, e.g. "the task is ACTIVE and its window opens in 9 h"."""


@frozen(kw_only=True)
class WatchFinished:
    """All derivatives were handed out."""

    task_id: str
    delivered: int


@frozen(kw_only=True)
class WatchFailed:
    """One task of a fleet was given up; the others go on."""

    task_id: str
    error: IceyeError
    """What `DerivativesClient.watch_task()` would have raised."""
    watch: Watch | None = field(default=None, eq=False, repr=False)
    """Where it stood, whatever the error: `DerivativesClient.watch_task()` goes on with it and
    hands out nothing twice.  A fleet always sets it."""


@frozen(kw_only=True)
class PaceChanged:
    """The API has asked the whole client to be slower (429, ``Retry-After``), or that is over.

    The rate comes back by itself within minutes, little by little: `DerivativesClient.pace` has it
    at each moment, and the first answer after it has all come back tells so, with `rate` equal to
    `set_rate`.
    """

    rate: float
    """Requests a second from now on."""
    set_rate: float
    """Requests a second at best."""
    paused: float
    """Seconds of silence that the API has asked for."""
    waiting: int
    """How many requests wait for their turn."""


WatchEvent: TypeAlias = (
    SnapshotReceived
    | TaskStatusReceived
    | SceneReceived
    | DerivativeReady
    | DerivativesUnreadable
    | PollFailed
    | Waiting
    | WatchFinished
    | WatchFailed
)


@frozen(kw_only=True)
class FileRecord:
    """How one asset ended: exactly one of ``path`` with ``sha256``, or ``error``."""

    derivative: Derivative = field(repr=False)
    asset: AssetRef
    path: str | None = None
    """Where the file is: a path, or whatever the sink calls its places."""
    size: int | None = None
    """Bytes."""
    sha256: str | None = None
    """Hexadecimal, over the bytes as stored."""
    seconds: float = 0.0
    """From its turn to the final name: waiting for another process or for a slot is counted."""
    renewals: int = 0
    """How often its link was renewed."""
    retries: int = 0
    """How often the line broke."""
    kept: bool = False
    """True when the file was there, whole, before this run: nothing was fetched."""
    error: DownloadError | None = None

    @property
    def asset_type(self) -> str:
        """``geojson``, mostly."""
        return self.asset.asset_type

    @property
    def ok(self) -> bool:
        """Whether the file is whole under its final name."""
        return self.error is None


@frozen(kw_only=True)
class DownloadReport:
    """What a download ended with: one record per asset, in the order in which they ended."""

    files: tuple[FileRecord, ...] = ()

    @property
    def failures(self) -> tuple[FileRecord, ...]:
        """The records that hold an error."""
        return tuple(record for record in self.files if record.error is not None)

    @property
    def ok(self) -> bool:
        """Whether every file is whole."""
        return not self.failures

    @property
    def size(self) -> int:
        """Bytes of all whole files together."""
        return sum(record.size or 0 for record in self.files if record.ok)

    def raise_for_failures(self) -> None:
        """Raise `DownloadFailedError` when a file failed, else do nothing.

        Raises:
            DownloadFailedError: with one `DownloadError` a failed file.
        """
        errors = [record.error for record in self.files if record.error is not None]
        if errors:
            whole = len(errors) < len(self.files)
            raise DownloadFailedError(
                f"{len(errors)} of {len(self.files)} files failed; "
                f"{'the others are whole, and ' if whole else ''}running again fetches only what "
                "is missing",
                errors,
            )


@frozen(kw_only=True)
class TransferStarted:
    """The first bytes of an asset are on their way."""

    asset: AssetRef
    path: str
    total: int | None
    """Bytes, None where the store does not tell."""
    offset: int = 0
    """Bytes that were there already."""


@frozen(kw_only=True)
class TransferProgressed:
    """Bytes arrived."""

    asset: AssetRef
    received: int
    """Bytes so far."""
    total: int | None


@frozen(kw_only=True)
class TransferRetrying:
    """The line broke; the transfer goes on after a pause."""

    asset: AssetRef
    error: IceyeError
    seconds: float
    """Until the next try."""


@frozen(kw_only=True)
class LinkRenewed:
    """The asset got a freshly signed link."""

    asset: AssetRef


@frozen(kw_only=True)
class TransferFinished:
    """The file is whole under its final name."""

    record: FileRecord


@frozen(kw_only=True)
class TransferFailed:
    """The file was given up; ``record.error`` says why."""

    record: FileRecord


TransferEvent: TypeAlias = (
    TransferStarted
    | TransferProgressed
    | TransferRetrying
    | LinkRenewed
    | TransferFinished
    | TransferFailed
)
DownloadEvent: TypeAlias = WatchEvent | TransferEvent
