"""When is what is known of a task's files read and written down?

Read once a task, when its first file comes; written at most once a second, when nothing is left to
do, and at the end.  A journal that cannot be read or written costs looks at files and nothing else,
so it never stands in the way of one.
"""

from __future__ import annotations

import logging
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import anyio
import anyio.to_thread
from attrs import define, evolve, field

from iceye_derivatives._core.journal import Journal, WholeFile, parse_journal
from iceye_derivatives._core.notes import NoteFault
from iceye_derivatives._core.plan import journal_name
from iceye_derivatives._core.watch import Watch
from iceye_derivatives.models import AssetRef, Derivative
from iceye_derivatives.protocols import Clock, Sink
from iceye_derivatives.sharing import NoteSink

if TYPE_CHECKING:
    from iceye_derivatives._catalogue import Catalogue

__all__ = ["Journals", "resumed_watch"]

logger = logging.getLogger("iceye_derivatives")

_PAUSE: Final = 1.0
_BOOKS: Final = 64
"""Tasks whose journals are kept in memory though all of them is written."""
_FILES_A_SECOND: Final = 500
"""A journal of many files is written more rarely: it is written whole each time."""


@define
class _Book:
    journal: Journal
    lock: anyio.Lock = field(factory=anyio.Lock)
    read: bool = False
    dirty: bool = False
    untold: bool = False
    """The catalogue does not know all of it."""
    written_at: float = 0.0
    seal: bytes = b""
    """The hash of what we wrote last: as long as that stands there, it tells nothing new."""


class Journals:
    """The journals of one run's tasks, in a sink that may keep no notes at all.

    Args:
        sink: Where the files are.
        clock: Now.
        watch: Its state is written down beside its task's files.
        catalogue: Is written whenever a journal is.
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
        self._books: dict[str, _Book] = {}

    async def known(self, asset: AssetRef) -> WholeFile | None:
        """What is known of an asset's file."""
        book = self._book(asset.task_id)
        if not book.read:
            await self._read(book)
        return book.journal.get(asset)

    def note(self, file: WholeFile) -> None:
        """A file is whole; told to the sink with the next `save()`."""
        book = self._book(file.asset.task_id)
        book.journal.note(file)
        book.dirty = True

    def home(self, derivative: Derivative) -> None:
        """A file of this derivative is there, whether it was fetched or kept."""
        if self._catalogue is not None:
            self._catalogue.note(derivative)
            self._book(derivative.task_id).untold = True

    async def save(self, *, at_once: bool = False) -> None:
        """Write what has changed; unless `at_once`, not where that was done a moment ago."""
        for task_id, book in tuple(self._books.items()):
            pause = max(_PAUSE, len(book.journal.files) / _FILES_A_SECOND)
            changed = book.dirty or book.untold
            if changed and (at_once or self._clock.time() - book.written_at >= pause):
                book.dirty, book.written_at = False, self._clock.time()
                try:
                    await self._write(book)
                except BaseException:
                    book.dirty = True  # cancelled before it was written: `close` makes up for it
                    raise
            if book.dirty or book.untold or book.lock.locked():
                continue  # a second book beside one that is being written would undo its entries
            if at_once or len(self._books) > _BOOKS:
                # A run of weeks must not collect the files of all its tasks, be it never idle.
                self._books.pop(task_id, None)

    async def close(self) -> None:
        """Write what is left, and where the watch stands now."""
        self._closing = True
        if self._watch is not None:
            self._book(self._watch.task_id).dirty = True
        await self.save(at_once=True)

    def _book(self, task_id: str) -> _Book:
        book = self._books.get(task_id)
        if book is None:
            book = self._books[task_id] = _Book(Journal(task_id))
        return book

    async def _read(self, book: _Book) -> None:
        async with book.lock:
            if not book.read:
                found, _ = await _read(self._notes, book.journal.task_id)
                if found is not None:
                    book.journal.merge(found)
                book.read = True

    async def _write(self, book: _Book) -> None:
        if self._notes is None:
            return
        task_id = book.journal.task_id
        async with book.lock:
            # Another process may share the folder: what it wrote down is kept.
            found, same = await _read(self._notes, task_id, book.seal)
            if found is not None:
                book.journal.merge(found)
            book.read = True
            if self._watch is not None and self._watch.task_id == task_id:
                book.journal.watch = self._watch.to_json()
            if not book.journal.files and found is None and not same:
                return  # a wait that brought nothing yet makes no folder
            # A copy, as files go on being noted while a thread writes.
            now = evolve(book.journal, files=dict(book.journal.files))
            try:
                await self._notes.write_note(journal_name(task_id), partial(_sealed, book, now))
            except OSError as error:
                book.dirty = True
                logger.debug("The journal of task %s was not written: %s", task_id, error.strerror)
            if self._catalogue is not None and now.files:
                await self._describe(self._catalogue, book, now)

    async def _describe(self, catalogue: Catalogue, book: _Book, journal: Journal) -> None:
        window = None if self._watch is None else self._watch.window
        book.untold, written = False, False
        try:
            await catalogue.write(journal, window, ask=not self._closing)
            written = True
        except OSError as error:
            logger.debug("Task %s was not catalogued: %s", journal.task_id, error.strerror)
        finally:
            book.untold |= not written


async def resumed_watch(sink: Sink, task_id: str) -> Watch | None:
    """A watch that knows what the last run there had learned of the task, or None."""
    found, _ = await _read(sink if isinstance(sink, NoteSink) else None, task_id)
    return None if found is None else found.resumed_watch()


def _sealed(book: _Book, journal: Journal) -> bytes:
    note = journal.render()
    book.seal = sha256(note).digest()
    return note


async def _read(
    notes: NoteSink | None, task_id: str, seal: bytes = b""
) -> tuple[Journal | None, bool]:
    """The journal, and whether it is the very one that `seal` is the hash of: then it is None."""
    if notes is None:
        return None, False
    try:
        note = await notes.read_note(journal_name(task_id))
        if note is not None:
            found = await anyio.to_thread.run_sync(_parsed, note, task_id, seal)
            return found, found is None
    except NoteFault as fault:
        logger.debug("The journal of task %s is ignored: %s", task_id, fault)
    except OSError as error:
        logger.debug("The journal of task %s was not read: %s", task_id, error.strerror)
    return None, False


def _parsed(note: bytes, task_id: str, seal: bytes) -> Journal | None:
    return None if sha256(note).digest() == seal else parse_journal(note, task_id)
