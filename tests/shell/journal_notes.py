"""Notes of a journal in memory: counted, failing to order, and ended before or behind a step."""

from __future__ import annotations

import errno
from collections.abc import Callable

from store_fakes import FakeClock

from iceye_derivatives._book import Book
from iceye_derivatives._core.journal import Journal, WholeFile, join_page, name_of, parse_journal
from iceye_derivatives._core.plan import journals_among
from iceye_derivatives._journal import Journals
from iceye_derivatives.models import AssetRef
from iceye_derivatives.sinks import MemorySink

FULL = 3
TASK = "task-1"


class Killed(BaseException):
    """The process ended here."""


class Notes(MemorySink):
    """Counts what is asked of it, fails to order, and ends a process before or behind a step."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []
        self.written: list[str] = []
        self.dies_in: float = float("inf")
        self.full = self.deaf = False

    async def read_note(self, name: str) -> bytes | None:
        self._step()
        self.read.append(name)
        if self.deaf:
            raise OSError(errno.EIO, "Input/output error")
        return self.notes.get(name)

    async def write_note(self, name: str, render: Callable[[], bytes]) -> None:
        self._step()
        self.written.append(name)
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.notes[name] = render()
        self._step()

    def _step(self) -> None:
        self.dies_in -= 1
        if self.dies_in < 0:
            raise Killed

    def listed(self, task_id: str = TASK) -> Journal:
        """All pages that are there, as who looks into the folder reads them."""
        whole = None
        names = [name.rpartition("/")[2] for name in self.notes if name.startswith(f"{task_id}/")]
        for name in journals_among(names):
            whole = join_page(whole, parse_journal(self.notes[f"{task_id}/{name}"], task_id))
        return whole or Journal(task_id)


def file(number: int, finished: float = 1.0, task_id: str = TASK) -> WholeFile:
    asset = AssetRef(
        task_id=task_id, derivative_id=f"d{number}", product_type="X", asset_type="geojson"
    )
    return WholeFile(
        asset=asset,
        size=number,
        sha256=f"{number:064x}",
        stamp=f"{finished}",
        etag=None,
        begun=0.0,
        finished=finished,
    )


def by_name(*files: WholeFile) -> dict[str, WholeFile]:
    """The last word on each."""
    words: dict[str, WholeFile] = {}
    for each in sorted(files, key=lambda each: each.finished):
        words[name_of(each.asset)] = each
    return words


async def told(sink: Notes, numbers: range) -> dict[str, WholeFile]:
    """What a new run is told of these files."""
    book = Book(TASK, sink)
    found = [await book.known(file(number).asset) for number in numbers]
    return {name_of(each.asset): each for each in found if each is not None}


async def written(sink: Notes, count: int) -> Notes:
    """Pages of exactly so many files as make one full."""
    running = Journals(sink, FakeClock())
    for number in range(count):
        running.note(file(number))
        await running.save(at_once=True)
    await running.close()
    return sink
