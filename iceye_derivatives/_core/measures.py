"""Which numbers does an operator want, and how do events become them?

A fold and nothing else: each event gives the samples that follow from it and from those before.
What is remembered of a task or a file is forgotten with its end.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from attrs import Factory, define, field, frozen

from iceye_derivatives.errors import StorageError
from iceye_derivatives.events import (
    DerivativeReady,
    DerivativesUnreadable,
    DownloadEvent,
    LinkRenewed,
    PaceChanged,
    PollFailed,
    SnapshotReceived,
    TransferFailed,
    TransferFinished,
    TransferProgressed,
    TransferRetrying,
    TransferStarted,
    WatchFailed,
    WatchFinished,
)
from iceye_derivatives.models import AssetRef

__all__ = ["MEASURES", "Kind", "Measures", "Sample"]

_MOST_READY, _MOST_UNHEARD = 10_000, 100
"""How many handed-out files are remembered, once any transfer was heard of, and before: without a
download, none of them would ever be forgotten."""

Kind: TypeAlias = Literal["count", "spread", "level"]

MEASURES: dict[str, tuple[Kind, str, str]] = {
    "first_derivative": ("spread", "s", "From the begin of a watch to its first derivative"),
    "polls": ("count", "{poll}", "Looks at derivatives, answered or not"),
    "polls_per_derivative": (
        "spread",
        "{poll}",
        "Looks of a whole watch, where they are told, by derivatives given",
    ),
    "unreadable": ("count", "{complaint}", "Complaints of what cannot be read in listings"),
    "failed_polls": ("count", "{poll}", "Looks that failed in a way that may pass"),
    "ready_to_disk": ("spread", "s", "From handed out to whole under its final name"),
    "renewals": ("count", "{link}", "Links that were signed anew"),
    "stalls": ("count", "{stall}", "Transfers that broke and went on after a pause"),
    "bytes": ("count", "By", "Bytes of files that arrived"),
    "bytes_again": ("count", "By", "Bytes that had arrived before and were fetched again"),
    "files": ("count", "{file}", "Files that are whole"),
    "failed_files": ("count", "{file}", "Files that were given up"),
    "queue": ("level", "{file}", "Files handed out that are not on disk yet"),
    "rate": ("level", "{request}/s", "Requests a second that may go since it last changed"),
    "paused": ("level", "s", "Silence that the API has asked for"),
}
"""Name to kind, unit (as UCUM writes it) and what it is."""


@frozen
class Sample:
    """One number: to be added to a count or a spread, or the level that holds from now on."""

    name: str
    value: float


@define
class _Watched:
    begun: float
    polls: int = 0
    is_early: bool = True
    """Whether it has no derivative yet."""
    handed_out: set[AssetRef] = Factory(set)
    """An update names again what came before, and no download tells of that again."""


@define
class Measures:
    """Folds the events of any number of watches and downloads."""

    _watches: dict[str, _Watched] = Factory(dict)
    _ready: dict[AssetRef, float] = Factory(dict)
    _received: dict[AssetRef, int] = Factory(dict)
    _downloads: bool = field(default=False, eq=False)
    """Whether anything was heard of transfers; where they are not told, there is no queue."""

    def receive(self, event: DownloadEvent | PaceChanged, now: float) -> list[Sample]:
        """The samples that follow; `now` in Unix seconds.  What it does not know gives none."""
        match event:
            case TransferProgressed() | TransferStarted():
                return [*self._first_transfer(), *self._bytes(event)]
            case TransferFinished() | TransferFailed():
                return self._ended(event, now)
            case TransferRetrying(error=error):
                # Waiting for another process, or for room, is none of the line's.
                return [] if isinstance(error, StorageError) else [Sample("stalls", 1)]
            case LinkRenewed():
                return [Sample("renewals", 1)]
            case PaceChanged(rate=rate, paused=paused):
                return [Sample("rate", rate), Sample("paused", paused)]
            case _:
                return self._watched(event, now)

    def _watched(self, event: DownloadEvent, now: float) -> list[Sample]:
        task_id: str | None = getattr(event, "task_id", None)
        if task_id is None:
            return []
        watch = self._watches.setdefault(task_id, _Watched(now))
        samples = list[Sample]()
        match event:
            case SnapshotReceived():
                watch.polls += 1
                return [Sample("polls", 1)]
            case PollFailed():
                watch.polls += 1
                return [Sample("polls", 1), Sample("failed_polls", 1)]
            case DerivativeReady():
                return self._handed_out(event, watch, now)
            case WatchFinished(delivered=delivered):
                del self._watches[task_id]
                # A fleet without heartbeats tells no looks: 0 would be a number that is wrong.
                known = delivered > 0 and watch.polls > 0
                return [Sample("polls_per_derivative", watch.polls / delivered)] if known else []
            case WatchFailed():
                del self._watches[task_id]
            case DerivativesUnreadable(unreadable=unreadable):
                samples.append(Sample("unreadable", len(unreadable)))
            case _:
                pass
        return samples

    def _handed_out(self, event: DerivativeReady, watch: _Watched, now: float) -> list[Sample]:
        for ref in event.derivative.asset_refs():
            if ref not in watch.handed_out:
                watch.handed_out.add(ref)
                self._ready.setdefault(ref, now)
        while len(self._ready) > (_MOST_READY if self._downloads else _MOST_UNHEARD):
            # Nobody downloads here, or nobody tells of it.
            del self._ready[next(iter(self._ready))]
        samples = [Sample("queue", len(self._ready))] if self._downloads else []
        if watch.is_early and watch.polls:
            watch.is_early = False
            samples.append(Sample("first_derivative", max(0.0, now - watch.begun)))
        return samples

    def _first_transfer(self) -> list[Sample]:
        if self._downloads:
            return []
        self._downloads = True
        return [Sample("queue", len(self._ready))]

    def _bytes(self, event: TransferProgressed | TransferStarted) -> list[Sample]:
        before = self._received.get(event.asset, 0)
        if isinstance(event, TransferStarted):
            self._received[event.asset] = event.offset
            again = before - event.offset
            return [Sample("bytes_again", again)] if again > 0 else []
        self._received[event.asset] = event.received
        more = event.received - before
        return [Sample("bytes", more)] if more > 0 else []

    def _ended(self, event: TransferFinished | TransferFailed, now: float) -> list[Sample]:
        self._downloads = True
        received = self._received.pop(event.record.asset, 0)
        ready = self._ready.pop(event.record.asset, None)
        samples = [Sample("queue", len(self._ready))]
        if isinstance(event, TransferFailed):
            return [*samples, Sample("failed_files", 1)]
        if not event.record.kept:
            # A small file comes in one piece, of which no progress is told.
            samples.append(Sample("bytes", max(0, (event.record.size or 0) - received)))
        if ready is not None:
            samples.append(Sample("ready_to_disk", max(0.0, now - ready)))
        return [*samples, Sample("files", 1)]
