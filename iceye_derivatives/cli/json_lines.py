"""How is each event written for programs: one JSON object a line, with stable names?

Every line has ``event`` and ``time`` (ISO 8601, UTC).  No line holds a URL.

=====================  ==========================================================================
event                  its other fields
=====================  ==========================================================================
note                   text
ordered                task_id status reference derivative_product_types
task_status            task_id status
scene                  task_id imaging(when it is planned to begin, or null)
snapshot               task_id answer(404, 206, 200) availability ready listed faulty
expected               task_id missing(derivative_id or null, product_type) unreadable
unreadable             task_id unreadable(item, field, problem, derivative_id or null, product_type
                       or null)
waiting                task_id seconds until reason
poll_failed            task_id error failures budget
derivative_ready       task_id derivative_id product_type is_update image_reference image_id
                       asset_types
watch_finished         task_id delivered
watch_failed           task_id error (one of many tasks was given up)
transfer_started       task_id derivative_id product_type asset_type ordinal path total offset
transfer_progressed    the same five, received total (at most one a second for each file)
transfer_retrying      the same five, error seconds
link_renewed           the same five
transfer_finished      the same five, path size sha256 seconds renewals retries kept
transfer_failed        the same five, error seconds renewals retries
found                  the same five, path detections(or null) classes(name to number)
status                 task_id status reference contract_id imaging_mode window(start, end)
                       derivative_product_types ordered_at(or null) answer
                       derivatives(derivative_id, product_type, asset_types) unreadable
task                   task_id status reference contract_id imaging_mode window(start, end)
                       derivative_product_types ordered_at(or null)
verified               folder task_id name condition(whole, changed, missing, unfinished, foreign)
                       size(bytes that are there, or null) sha256(what the journal says, or null)
report                 (the last line, however it ended) ok exit_code error task_id status answers
                       missing unreadable files(as in transfer_finished and transfer_failed)
report_of_many         (in its place where several tasks were asked for, and of `cancel`) ok
                       exit_code error finished(ids) failed(id to error) files
report_of_files        (in its place where a folder was verified) ok exit_code conditions(each to
                       its number)
=====================  ==========================================================================

An ``error`` is an object of ``type`` (the class), ``message`` and ``retryable``, or null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from attrs import asdict

from iceye_derivatives.cli.board import ANSWERS, Awaited, Board, BoardEvent, Expected, Ordered
from iceye_derivatives.cli.exit_codes import exit_code
from iceye_derivatives.cli.findings import Found
from iceye_derivatives.cli.sentences import sentence
from iceye_derivatives.cli.wording import iso
from iceye_derivatives.errors import IceyeError
from iceye_derivatives.events import (
    DerivativeReady,
    DerivativesUnreadable,
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
from iceye_derivatives.models import AssetRef, Task, Unreadable

__all__ = [
    "Line",
    "derivative_fields",
    "event_line",
    "found_line",
    "many_report_line",
    "report_line",
    "task_line",
    "unreadable_fields",
]

Line: TypeAlias = dict[str, Any]


def event_line(event: BoardEvent) -> Line:
    """The line of an event, but for its ``time``."""
    match event:
        case (
            TransferStarted()
            | TransferProgressed()
            | TransferRetrying()
            | LinkRenewed()
            | TransferFinished()
            | TransferFailed()
        ):
            return _transfer_line(event)
        case WatchFailed(task_id=task_id, error=error):
            return {"task_id": task_id, "event": "watch_failed", "error": _error(error)}
        case DerivativesUnreadable(task_id=task_id, unreadable=unreadable):
            faults = unreadable_fields(unreadable)
            return {"task_id": task_id, "event": "unreadable", "unreadable": faults}
        case _:
            return {"task_id": event.task_id, **_watch_line(event)}


def report_line(board: Board, error: BaseException | None) -> Line:
    """The last line: all that is known at the end, whatever the end is."""
    records = [row.record for row in board.rows if row.record is not None]
    return {
        "event": "report",
        "ok": error is None,
        "exit_code": 0 if error is None else exit_code(error),
        "error": error and _error(error),
        "task_id": board.task_id,
        "status": board.statuses[-1] if board.statuses else None,
        "answers": list(board.answers),
        "missing": [_awaited(each) for each in board.awaited],
        "unreadable": unreadable_fields(board.unreadable),
        "files": [{**_asset(record.asset), **_record(record)} for record in records],
    }


def many_report_line(
    finished: Sequence[str],
    failed: Mapping[str, IceyeError],
    files: Sequence[FileRecord],
    error: BaseException | None,
) -> Line:
    """The last line of a run over many tasks."""
    return {
        "event": "report_of_many",
        "ok": error is None,
        "exit_code": 0 if error is None else exit_code(error),
        "error": error and _error(error),
        "finished": list(finished),
        "failed": {task_id: _error(each) for task_id, each in failed.items()},
        "files": [{**_asset(record.asset), **_record(record)} for record in files],
    }


def task_line(task: Task) -> Line:
    """What a task says of itself."""
    window, ordered = task.acquisition_window, task.created_at
    return {
        "task_id": task.id,
        "status": task.status,
        "reference": task.reference,
        "contract_id": task.contract_id,
        "imaging_mode": task.imaging_mode,
        "window": window and [iso(window.start.timestamp()), iso(window.end.timestamp())],
        "derivative_product_types": list(task.derivative_product_types or ()),
        "ordered_at": ordered and iso(ordered.timestamp()),
    }


def found_line(found: Found) -> Line:
    """What a whole file holds."""
    return {
        "event": "found",
        **_asset(found.record.asset),
        "path": found.record.path,
        "detections": found.detections,
        "classes": dict(found.classes),
    }


def derivative_fields(event: DerivativeReady) -> Line:
    """A derivative without its links."""
    derivative = event.derivative
    return {
        "derivative_id": derivative.id,
        "product_type": derivative.product_type,
        "is_update": derivative.is_update,
        "image_reference": derivative.image_reference,
        "image_id": derivative.image_id,
        "asset_types": [asset.type for asset in derivative.assets],
    }


def unreadable_fields(unreadable: Sequence[Unreadable]) -> list[Line]:
    """What cannot be read: no value of it stands in there but two names."""
    return [asdict(fault) for fault in unreadable]


def _watch_line(
    event: SnapshotReceived
    | TaskStatusReceived
    | SceneReceived
    | DerivativeReady
    | PollFailed
    | Waiting
    | WatchFinished
    | Ordered
    | Expected,
) -> Line:
    match event:
        case DerivativeReady():
            return {"event": "derivative_ready", **derivative_fields(event)}
        case SnapshotReceived(availability=availability, ready=ready, listed=listed):
            line: Line = {"answer": ANSWERS[availability], "availability": availability}
            line = {"event": "snapshot", **line, "ready": ready, "listed": listed}
            line["faulty"] = event.faulty
        case TaskStatusReceived(status=status):
            line = {"event": "task_status", "status": status}
        case SceneReceived(scene=scene):
            planned = None if scene is None else scene.imaging_time.start.isoformat()
            line = {"event": "scene", "imaging": planned}
        case PollFailed(error=error, failures=failures, budget=budget):
            line = {"event": "poll_failed", "error": _error(error)}
            line |= {"failures": failures, "budget": budget}
        case Waiting(seconds=seconds, until=until, reason=reason):
            line = {"event": "waiting", "seconds": round(seconds, 3)}
            line |= {"until": iso(until), "reason": reason}
        case WatchFinished(delivered=delivered):
            line = {"event": "watch_finished", "delivered": delivered}
        case Ordered(status=status, reference=reference, product_types=types):
            line = {"event": "ordered", "status": status, "reference": reference}
            line |= {"derivative_product_types": list(types)}
        case Expected(missing=missing, unreadable=unreadable):
            line = {"event": "expected", "missing": [_awaited(each) for each in missing]}
            line["unreadable"] = unreadable_fields(unreadable)
    return line


def _transfer_line(
    event: TransferStarted
    | TransferProgressed
    | TransferRetrying
    | LinkRenewed
    | TransferFinished
    | TransferFailed,
) -> Line:
    match event:
        case TransferStarted(path=path, total=total, offset=offset):
            name = "transfer_started"
            rest: Line = {"path": path, "total": total, "offset": offset}
        case TransferProgressed(received=received, total=total):
            name, rest = "transfer_progressed", {"received": received, "total": total}
        case TransferRetrying(error=error, seconds=seconds):
            name = "transfer_retrying"
            rest = {"error": _error(error), "seconds": round(seconds, 3)}
        case LinkRenewed():
            name, rest = "link_renewed", {}
        case TransferFinished(record=record):
            return {"event": "transfer_finished", **_asset(record.asset), **_record(record)}
        case TransferFailed(record=record):
            return {"event": "transfer_failed", **_asset(record.asset), **_record(record)}
    return {"event": name, **_asset(event.asset), **rest}


def _asset(asset: AssetRef) -> Line:
    return {
        "task_id": asset.task_id,
        "derivative_id": asset.derivative_id,
        "product_type": asset.product_type,
        "asset_type": asset.asset_type,
        "ordinal": asset.ordinal,
    }


def _record(record: FileRecord) -> Line:
    told = {"seconds": round(record.seconds, 3), "renewals": record.renewals}
    if record.error is not None:
        return {"error": _error(record.error), **told, "retries": record.retries}
    return {
        "path": record.path,
        "size": record.size,
        "sha256": record.sha256,
        **told,
        "retries": record.retries,
        "kept": record.kept,
    }


def _awaited(each: Awaited) -> Line:
    return {"derivative_id": each.derivative_id, "product_type": each.product_type}


def _error(error: BaseException) -> Line:
    retryable = isinstance(error, IceyeError) and error.retryable
    return {"type": type(error).__name__, "message": sentence(error), "retryable": retryable}
