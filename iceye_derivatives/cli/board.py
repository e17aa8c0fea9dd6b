"""What is to be seen of a task, given all that has happened?

A pure fold: ``board = fold(board, event, at)``.  No terminal and no clock in here; every way of
showing (live, plain, JSON's report, a recording) draws the same `Board`.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import reduce
from typing import TypeAlias, TypeVar

from attrs import evolve, frozen

from iceye_derivatives.cli.sentences import sentence
from iceye_derivatives.events import (
    DerivativeReady,
    DerivativesUnreadable,
    DownloadEvent,
    FileRecord,
    LinkRenewed,
    PollFailed,
    SceneReceived,
    SnapshotReceived,
    TaskStatusReceived,
    TransferFailed,
    TransferFinished,
    TransferProgressed,
    TransferRetrying,
    TransferStarted,
    Waiting,
    WatchFailed,
    WatchFinished,
)
from iceye_derivatives.models import AssetRef, Availability, Unreadable

T = TypeVar("T")

__all__ = ["Awaited", "Board", "BoardEvent", "Expected", "Ordered", "Phase", "Row", "fold"]

ANSWERS = {Availability.NONE: 404, Availability.PARTIAL: 206, Availability.COMPLETE: 200}
"""The status that each availability has on ICEYE's page."""


class Phase(StrEnum):
    """Where an asset is between the models and the disk."""

    AWAITED = "awaited"
    READY = "ready"
    FETCHING = "fetching"
    RETRYING = "retrying"
    WHOLE = "whole"
    KEPT = "kept"
    FAILED = "failed"

    @property
    def final(self) -> bool:
        """Whether nothing more happens to the asset in this run."""
        return self in {Phase.WHOLE, Phase.KEPT, Phase.FAILED}


@frozen(kw_only=True)
class Awaited:
    """A derivative that is not ready; without an id as long as the API does not list it."""

    product_type: str
    derivative_id: str | None = None


@frozen(kw_only=True)
class Ordered:
    """A task was ordered by this run."""

    task_id: str
    status: str
    reference: str | None
    product_types: tuple[str, ...]


@frozen(kw_only=True)
class Expected:
    """What is known to be still missing, after a look or an answer about the task."""

    task_id: str
    missing: tuple[Awaited, ...]
    unreadable: tuple[Unreadable, ...] = ()
    """What of it the last listing held in a form that cannot be read."""


BoardEvent: TypeAlias = DownloadEvent | Ordered | Expected


@frozen(kw_only=True)
class Row:
    """One asset on its way; `at` are seconds of whatever clock the fold was given."""

    asset: AssetRef
    phase: Phase = Phase.READY
    received: int = 0
    total: int | None = None
    offset: int = 0
    begun_at: float = 0.0
    latest_at: float = 0.0
    note: str = ""
    record: FileRecord | None = None

    @property
    def speed(self) -> float | None:
        """Bytes a second since the transfer began, None before that can be told."""
        seconds = self.latest_at - self.begun_at
        fresh = self.received - self.offset
        return fresh / seconds if seconds > 0 and fresh > 0 else None


@frozen(kw_only=True)
class Board:
    """All that is to be seen."""

    task_id: str | None = None
    statuses: tuple[str, ...] = ()
    """The task's statuses in the order in which they were learned."""
    answers: tuple[int, ...] = ()
    """The answers of the derivatives endpoint, each change once: ``(404, 206, 200)``."""
    looks: int = 0
    """How often was looked."""
    waiting: Waiting | None = None
    trouble: PollFailed | None = None
    """The last look, where it failed."""
    product_types: tuple[str, ...] = ()
    """In the order first heard of, so that rows keep their place."""
    awaited: tuple[Awaited, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    rows: tuple[Row, ...] = ()
    finished: bool = False

    def row(self, asset: AssetRef) -> Row | None:
        """The row of an asset."""
        return next((row for row in self.rows if row.asset == asset), None)

    def count(self, *phases: Phase) -> int:
        """How many assets are in any of these phases."""
        return sum(row.phase in phases for row in self.rows)


def fold(board: Board, event: BoardEvent, at: float) -> Board:  # noqa: PLR0911  one for each kind of event
    """The board after one more event; `at` is when it came, in seconds of any clock."""
    match event:
        case Ordered() | TaskStatusReceived() | SnapshotReceived() | Expected():
            return _learn(board, event)
        case SceneReceived() | DerivativesUnreadable():
            return board  # what it means for the wait is told by the wait's reason, and `Expected`
        case PollFailed():
            return evolve(board, trouble=event, looks=board.looks + 1)
        case Waiting():
            return evolve(board, waiting=event, task_id=event.task_id)
        case WatchFailed():
            return board  # one of many: the screens for many keep their own count
        case WatchFinished():
            board = evolve(board, awaited=(), unreadable=())
            return evolve(board, finished=True, waiting=None, trouble=None)
        case DerivativeReady():
            return _hand_out(board, event)
        case TransferFinished(record=record) | TransferFailed(record=record):
            return _change(board, record.asset, lambda row: _end(row, record, at))
        case TransferStarted() | TransferProgressed() | TransferRetrying() | LinkRenewed():
            return _change(board, event.asset, lambda row: _move(row, event, at))


def _learn(
    board: Board, event: Ordered | TaskStatusReceived | SnapshotReceived | Expected
) -> Board:
    board = evolve(board, task_id=event.task_id)
    match event:
        case Ordered(status=status, product_types=types):
            awaited = tuple(Awaited(product_type=name) for name in types)
            board = evolve(board, awaited=awaited, statuses=_with_news(board.statuses, status))
            return _know(board, types)
        case TaskStatusReceived(status=status):
            return evolve(board, trouble=None, statuses=_with_news(board.statuses, status))
        case SnapshotReceived(availability=availability):
            answers = _with_news(board.answers, ANSWERS[availability])
            return evolve(board, trouble=None, answers=answers, looks=board.looks + 1)
        case Expected(missing=missing, unreadable=unreadable):
            board = evolve(board, awaited=missing, unreadable=unreadable)
            return _know(board, tuple(each.product_type for each in missing))


def _hand_out(board: Board, event: DerivativeReady) -> Board:
    derivative = event.derivative
    # What is listed is awaited by its id, what is not yet listed by its type.
    names = (derivative.id, None)
    waits_for_it = [
        each
        for each in board.awaited
        if each.product_type == derivative.product_type and each.derivative_id in names
    ]
    rest = tuple(each for each in board.awaited if each not in waits_for_it[:1])
    board = evolve(_know(board, (derivative.product_type,)), task_id=event.task_id, awaited=rest)
    return reduce(lambda so_far, ref: _change(so_far, ref, _same), derivative.asset_refs(), board)


def _move(
    row: Row,
    event: TransferStarted | TransferProgressed | TransferRetrying | LinkRenewed,
    at: float,
) -> Row:
    if row.phase.final:
        return row
    row = evolve(row, latest_at=at)
    match event:
        case TransferStarted(offset=offset, total=total):
            return evolve(
                row,
                phase=Phase.FETCHING,
                received=offset,
                offset=offset,
                total=total,
                begun_at=at,
                note="",
            )
        case TransferProgressed(received=received, total=total):
            return evolve(row, phase=Phase.FETCHING, received=received, total=total, note="")
        case TransferRetrying(error=error):
            return evolve(row, phase=Phase.RETRYING, note=sentence(error))
        case LinkRenewed():
            return evolve(row, note="its link was renewed")


def _end(row: Row, record: FileRecord, at: float) -> Row:
    if row.phase.final:
        return row
    if record.error is not None:
        note = sentence(record.error)
        return evolve(row, phase=Phase.FAILED, record=record, note=note, latest_at=at)
    whole = row.received if record.size is None else record.size
    return evolve(
        row,
        phase=Phase.KEPT if record.kept else Phase.WHOLE,
        record=record,
        received=whole,
        total=whole,
        note="",
        latest_at=at,
    )


def _change(board: Board, asset: AssetRef, change: Callable[[Row], Row]) -> Board:
    if board.row(asset) is None:
        board = evolve(_know(board, (asset.product_type,)), rows=(*board.rows, Row(asset=asset)))
    rows = tuple(change(row) if row.asset == asset else row for row in board.rows)
    return evolve(board, rows=rows)


def _same(row: Row) -> Row:
    return row


def _know(board: Board, types: tuple[str, ...]) -> Board:
    return evolve(board, product_types=tuple(dict.fromkeys((*board.product_types, *types))))


def _with_news(known: tuple[T, ...], latest: T) -> tuple[T, ...]:
    return known if known[-1:] == (latest,) else (*known, latest)
