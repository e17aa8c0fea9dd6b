"""Which line is said of one task among many, on a terminal that moves?

Short, since many come: where a file is follows from its task's id, and what is waited for stands in
the counts below.  Only what went wrong is told in full, on as many lines as that takes.
"""

from __future__ import annotations

from rich.text import Text

from iceye_derivatives._core.unread import spell
from iceye_derivatives._visible import visible
from iceye_derivatives.cli.board import BoardEvent
from iceye_derivatives.cli.sentences import sentence
from iceye_derivatives.cli.wording import count, shorten, size
from iceye_derivatives.errors import DownloadError
from iceye_derivatives.events import (
    DerivativeReady,
    DerivativesUnreadable,
    FileRecord,
    PollFailed,
    TaskStatusReceived,
    TransferFailed,
    TransferFinished,
    WatchFailed,
    WatchFinished,
)
from iceye_derivatives.models import AssetRef

__all__ = ["news_of"]

WORD, PRODUCT = 10, 12
"""Columns."""


def news_of(event: BoardEvent, moment: str) -> Text | None:
    """The line, or None where the counts say enough."""
    match event:
        case TaskStatusReceived(task_id=task_id, status=status):
            return _line(moment, task_id, status, "yellow")
        case DerivativeReady(task_id=task_id, derivative=found):
            word = "has more" if found.is_update else "ready"
            what = _name(found.product_type, found.id)
            return _line(moment, task_id, word, "cyan", what)
        case TransferFinished(record=record):
            return _of_file(moment, record)
        case WatchFinished(task_id=task_id, delivered=delivered):
            return _line(moment, task_id, "complete", "bold green", count(delivered, "derivative"))
        case _:
            return _of_trouble(event, moment)


def _of_file(moment: str, record: FileRecord) -> Text:
    word, style = ("kept", "green") if record.kept else ("whole", "bold green")
    what = f"{_name_of(record.asset):<{PRODUCT + 9}}{size(record.size or 0):>10}"
    return _line(moment, record.asset.task_id, word, style, what)


def _of_trouble(event: BoardEvent, moment: str) -> Text | None:
    match event:
        case PollFailed(task_id=task_id, error=error, failures=failures, budget=budget):
            told = f"{failures} in a row, gives up at {budget}: {error}"
            line = _line(moment, task_id, "look failed", "magenta", told)
        case DerivativesUnreadable(task_id=task_id, unreadable=unreadable):
            line = _line(moment, task_id, "unreadable", "magenta", spell(unreadable))
        case TransferFailed(record=FileRecord(error=DownloadError() as error) as record):
            told = f"{_name_of(record.asset)}: {sentence(error)}"
            line = _line(moment, record.asset.task_id, "failed", "bold red", told)
        case WatchFailed(task_id=task_id, error=error):
            line = _line(moment, task_id, "given up", "bold red", sentence(error))
        case _:
            return None
    line.no_wrap, line.overflow = False, "fold"
    return line


def _line(moment: str, task_id: str, word: str, style: str, what: str = "") -> Text:
    return Text.assemble(
        (f"{moment} ", "dim"),
        f"{visible(task_id)}  ",
        (f"{visible(word):<{WORD}}", style),
        f" {visible(what)}",
        no_wrap=True,
        overflow="crop",
    )


def _name_of(asset: AssetRef) -> str:
    return _name(asset.product_type, asset.derivative_id)


def _name(product_type: str, derivative_id: str) -> str:
    # Before they are put in columns: what is spelt out is longer.
    return f"{visible(product_type):<{PRODUCT}}{shorten(visible(derivative_id))}"
