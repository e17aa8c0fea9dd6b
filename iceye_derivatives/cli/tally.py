"""How did it go with each of many tasks, and how is that said at the end?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from attrs import define, field

from iceye_derivatives.cli.board import BoardEvent
from iceye_derivatives.cli.exit_codes import Interrupted, SomeTasksFailed, SomeTasksLate
from iceye_derivatives.cli.sentences import sentence
from iceye_derivatives.cli.wording import count, size
from iceye_derivatives.errors import DownloadFailedError, IceyeError, WatchTimeoutError
from iceye_derivatives.events import (
    DownloadReport,
    FileRecord,
    TransferFailed,
    TransferFinished,
    WatchFailed,
    WatchFinished,
)

__all__ = ["Tally", "summing_up"]


@define
class Tally:
    """How it went with each task."""

    finished: list[str] = field(factory=list)
    failed: dict[str, IceyeError] = field(factory=dict)
    files: list[FileRecord] = field(factory=list)

    def note(self, event: BoardEvent) -> None:
        """Count an end."""
        match event:
            case WatchFinished(task_id=task_id):
                self.finished.append(task_id)
            case WatchFailed(task_id=task_id, error=error):
                self.failed[task_id] = error
            case TransferFinished(record=record) | TransferFailed(record=record):
                self.files.append(record)
            case _:
                pass

    def say(self, total: int, folder: str | None) -> str:
        """What is there of so many tasks, also where they were interrupted."""
        tasks = f"{len(self.finished)} of {count(total, 'task')} complete"
        if folder is None:
            return tasks
        whole = [record for record in self.files if record.error is None]
        brought = size(sum(record.size or 0 for record in whole))
        return f"{tasks}, {count(len(whole), 'file')} ({brought}) whole in {folder}"

    def conclude(self) -> None:
        """Raise what failed, if anything did: tasks and files."""
        files = _failure(DownloadReport(files=tuple(self.files)))
        if self.failed:
            total = len(self.failed) + len(self.finished)
            first, error = next(iter(self.failed.items()))
            late = all(isinstance(each, WatchTimeoutError) for each in self.failed.values())
            kind, word = (SomeTasksLate, "ran late") if late else (SomeTasksFailed, "failed")
            raise kind(
                f"{len(self.failed)} of {total} tasks {word}; the first: {first}: "
                f"{sentence(error)}",
                files,
            )
        if files is not None:
            raise files


class _HasTally(Protocol):
    tally: Tally

    def note(self, text: str) -> None: ...


@contextmanager
def summing_up(
    screen: _HasTally, total: int, advice: str, folder: str | None = None
) -> Iterator[None]:
    """Let a run say at its end what is there, and where it was interrupted how to go on.

    Raises:
        SomeTasksFailed: some were given up.
        DownloadFailedError: files failed, and no task.
    """
    try:
        yield
    except Interrupted:
        raise Interrupted(f"{screen.tally.say(total, folder)}; {advice}") from None
    screen.note(screen.tally.say(total, folder))
    screen.tally.conclude()


def _failure(report: DownloadReport) -> DownloadFailedError | None:
    try:
        report.raise_for_failures()
    except DownloadFailedError as error:
        return error
    return None
