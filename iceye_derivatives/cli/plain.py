"""Which sentence does an event get where lines are written one below the other?"""

from __future__ import annotations

from iceye_derivatives._core.unread import spell as spell_faults
from iceye_derivatives.cli.board import Board, BoardEvent, Ordered
from iceye_derivatives.cli.sentences import sentence
from iceye_derivatives.cli.wording import clock_time, count, size, spell
from iceye_derivatives.errors import DownloadError
from iceye_derivatives.events import (
    DerivativeReady,
    DerivativesUnreadable,
    FileRecord,
    LinkRenewed,
    PollFailed,
    SnapshotReceived,
    TaskStatusReceived,
    TransferFailed,
    TransferFinished,
    TransferProgressed,
    TransferRetrying,
    TransferStarted,
    Waiting,
    WatchFinished,
)
from iceye_derivatives.models import AssetRef

__all__ = ["say", "say_file"]

SHA_SHOWN = 12


def say(before: Board, event: BoardEvent, after: Board) -> str | None:
    """The sentence, or None where there is nothing new to say."""
    match event:
        case Waiting() | PollFailed() | Ordered() | WatchFinished():
            return _say_of_wait(event)
        case TaskStatusReceived(status=status):
            return f"task is {status}" if after.statuses != before.statuses else None
        case SnapshotReceived():
            return _say_answer(event, after) if after.answers != before.answers else None
        case DerivativeReady(derivative=derivative):
            kinds = ", ".join(asset.type for asset in derivative.assets)
            word = "has more" if derivative.is_update else "is ready"
            return f"{derivative.product_type} {derivative.id} {word} ({kinds})"
        case DerivativesUnreadable(unreadable=unreadable):
            return f"cannot be read: {spell_faults(unreadable)}"
        case _:
            return _say_of_transfer(event)


def say_file(record: FileRecord) -> str:
    """Where a file is, how large, and how its digest begins."""
    word = "kept" if record.kept else "whole"
    digest = (record.sha256 or "")[:SHA_SHOWN]
    return f"{word}: {record.path} ({size(record.size or 0)}, sha256 {digest})"


def _say_answer(event: SnapshotReceived, after: Board) -> str:
    faulty = f", {event.faulty} cannot be read" if event.faulty else ""
    meaning = {
        404: "nothing is there yet",
        206: f"{event.ready} of {event.listed} are ready{faulty}",
        200: f"all {event.listed} are ready",
    }
    return f"derivatives: {after.answers[-1]}, {meaning[after.answers[-1]]}"


def _say_of_wait(event: Waiting | PollFailed | Ordered | WatchFinished) -> str:
    match event:
        case Waiting(seconds=seconds, until=until, reason=reason):
            when = clock_time(until, until - seconds)
            return f"waits: {reason}; next look in {spell(seconds)} ({when})"
        case PollFailed(failures=failures, budget=budget, error=error):
            return f"look failed ({failures} in a row, gives up at {budget}): {error}"
        case Ordered(task_id=task_id, reference=reference):
            return f"ordered task {task_id}, reference {reference}"
        case WatchFinished(delivered=delivered):
            return f"{count(delivered, 'derivative')} came, none is missing"


def _say_of_transfer(event: BoardEvent) -> str | None:  # noqa: PLR0911  one for each kind
    match event:
        case TransferStarted(asset=asset, total=total):
            return f"fetching {_name(asset)}{'' if total is None else f' ({size(total)})'}"
        case TransferProgressed(asset=asset, received=received, total=total):
            of = "" if total is None else f" of {size(total)}"
            return f"fetching {_name(asset)}: {size(received)}{of}"
        case TransferRetrying(asset=asset, error=error, seconds=seconds):
            return f"again in {spell(seconds)}: {_name(asset)}: {sentence(error)}"
        case LinkRenewed(asset=asset):
            return f"link renewed: {_name(asset)}"
        case TransferFinished(record=record):
            return say_file(record)
        case TransferFailed(record=FileRecord(error=DownloadError() as error) as record):
            return f"failed: {_name(record.asset)}: {sentence(error)}"
        case _:
            return None


def _name(asset: AssetRef) -> str:
    kind = asset.asset_type if asset.ordinal == 1 else f"{asset.asset_type} {asset.ordinal}"
    return f"{asset.product_type} {asset.derivative_id} {kind}"
