"""When are the journals of tasks read, and when are they written?

A journal is read when the first file of its task comes.  It is written at most once a second, when
a page has filled up, when nothing is left to do, and at the end.  If it cannot be read or written,
files are hashed once more than needed; none is held up for it.
"""

from __future__ import annotations

import logging
from itertools import count
from typing import TYPE_CHECKING, Final

from iceye_derivatives._book import Book, read_page
from iceye_derivatives._core.journal import WholeFile
from iceye_derivatives._core.watch import Watch
from iceye_derivatives.models import AssetRef, Derivative
from iceye_derivatives.protocols import Clock, Sink
from iceye_derivatives.sharing import NoteSink

if TYPE_CHECKING:
    from iceye_derivatives._catalogue import Catalogue

__all__ = ["Journals", "resumed_watch"]

logger = logging.getLogger("iceye_derivatives")

_PAUSE: Final = 1.0
_FILES_A_SECOND: Final = 500
"""The more files a page holds, the more rarely it is written: each time, all of it is."""
_BOOKS: Final = 64
"""How many journals stay in memory though they are written."""
_FILES: Final = 4_000
"""How many files they may hold together: two full pages."""


class Journals:
    """The journals of one run's tasks, in a sink that may keep no notes at all.

    Args:
        sink: Where the files are.
        clock: Now.
        watch: Its state is written down beside its task's files.
        catalogue: Is written as often as a journal is, and after it.
    """

    def __init__(
        self,
        sink: Sink,
        clock: Clock,
        watch: Watch | None = None,
        catalogue: Catalogue | None = None,
    ) -> None:
        self._notes = sink if isinstance(sink, NoteSink) else None
        self._clock = clock
        self._watch = watch
        self._catalogue = catalogue
        self._closing = False
        self._books: dict[str, Book] = {}
        """Books with nothing to write; the one that was used last comes last."""
        self._open: dict[str, Book] = {}
        """Books with something to write."""
        self._untidy = False
        """Whether `_books` may have grown since we last looked."""

    async def known(self, asset: AssetRef) -> WholeFile | None:
        """What is known of an asset's file."""
        book = self._book(asset.task_id)
        return None if book is None else await book.known(asset)

    def note(self, file: WholeFile) -> None:
        """A file is whole; told to the sink with the next `save()`."""
        book = self._opened(file.asset.task_id)
        if book is not None:
            book.note(file)

    def home(self, derivative: Derivative) -> None:
        """A file of this derivative is there, whether it was fetched or kept."""
        if self._catalogue is not None:
            self._catalogue.note(derivative)
            book = self._opened(derivative.task_id)
            if book is not None:
                book.untold = True

    async def save(self, *, at_once: bool = False) -> None:
        """Write what has changed; a journal that was written a moment ago only where `at_once`."""
        now = self._clock.time()
        for book in tuple(self._open.values()):
            if at_once or not book.lock.locked():  # else somebody does it just now
                await self._save(book, now, at_once=at_once)
            if self._open.get(book.task_id) is not book:
                continue  # another worker was quicker
            if not (book.dirty or book.untold or book.lock.locked()):
                self._books[book.task_id] = self._open.pop(book.task_id)
                self._untidy = True
        if at_once or self._untidy:
            await self._tidy(now, idle=at_once)

    async def close(self) -> None:
        """Write what is left, and where the watch stands now."""
        self._closing = True
        if self._watch is not None:
            book = self._opened(self._watch.task_id)
            if book is not None:
                book.dirty, book.untold = True, self._catalogue is not None
        await self.save(at_once=True)

    def _book(self, task_id: str) -> Book | None:
        book = self._open.get(task_id)
        if book is None and self._notes is not None:
            book = self._books.pop(task_id, None)
            if book is None:
                book = Book(task_id, self._notes, everything=self._catalogue is not None)
                self._untidy = True
            self._books[task_id] = book
        return book

    def _opened(self, task_id: str) -> Book | None:
        book = self._book(task_id)
        if book is not None and self._books.pop(task_id, None) is not None:
            self._open[task_id] = book
        return book

    async def _save(self, book: Book, now: float, *, at_once: bool) -> None:
        pause = _pause(book)
        wrote = book.dirty and (at_once or book.presses or abs(now - book.written_at) >= pause)
        if wrote:
            book.written_at = now
            ours = self._watch is not None and self._watch.task_id == book.task_id
            await book.write(self._watch if ours else None)
        if book.untold and (at_once or abs(now - book.told_at) >= pause):
            book.told_at = now
            if not wrote:
                await book.refresh()
            if self._catalogue is not None:
                await self._describe(self._catalogue, book)

    async def _describe(self, catalogue: Catalogue, book: Book) -> None:
        window = None if self._watch is None else self._watch.window
        async with book.lock:
            book.untold, told = False, False
            try:
                everything = book.everything()
                if everything is not None and everything.files:
                    await catalogue.write(everything, window, ask=not self._closing)
                told = True
            except OSError as error:
                logger.debug("Task %s was not catalogued: %s", book.task_id, error.strerror)
            finally:
                book.untold |= not told

    async def _tidy(self, now: float, *, idle: bool) -> None:
        """Forget what is written: a run of weeks must not collect the files of all its tasks.

        A book that was written a moment ago stays until its pause is over: without the pause, its
        next file would have the journal written again at once.
        """
        self._untidy = False
        held = sum(book.held for book in self._books.values())
        for task_id, book in tuple(self._books.items()):
            crowd = len(self._books) > _BOOKS
            if not (idle or crowd or held > _FILES):
                break
            if self._books.get(task_id) is not book or book.lock.locked():
                continue
            before = book.held
            stale = idle or abs(now - max(book.written_at, book.told_at)) >= _pause(book)
            if stale and (crowd or self._catalogue is not None):
                del self._books[task_id]
                held -= before
            elif idle or (before and held > _FILES):
                await book.rest(idle=idle)
                held -= before - book.held


async def resumed_watch(sink: Sink, task_id: str) -> Watch | None:
    """A watch that knows what the last run there had learned of the task, or None.

    A watch is saved in the page that is the last one at the time.  So the newest is in the last
    page that has one.
    """
    watch = None
    if isinstance(sink, NoteSink):
        try:
            for page in count(1):
                found, _ = await read_page(sink, task_id, page)
                if found is None:
                    break
                watch = found.resumed_watch() or watch
                if not found.full:
                    break
        except OSError as error:
            logger.debug("The journal of task %s was not read: %s", task_id, error.strerror)
    return watch


def _pause(book: Book) -> float:
    return max(_PAUSE, book.held / _FILES_A_SECOND)
