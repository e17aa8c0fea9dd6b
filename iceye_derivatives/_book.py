"""Which page of one task's journal is being written, and what stays in memory of the others?

Only the last page grows.  Once it is full, and was seen to stand in the sink as we wrote it, its
files leave memory.  Of pages that were found in the sink, a hundred bytes a file stay in memory, so
that no page has to be read again to look up a file.  A file that comes again is written on the page
where it stands, so a journal never has more entries than its task has files.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from hashlib import sha256

import anyio
from anyio.to_thread import run_sync

from iceye_derivatives._core.journal import Journal, WholeFile, name_of, parse_journal
from iceye_derivatives._core.notes import NoteFault
from iceye_derivatives._core.plan import journal_name
from iceye_derivatives._core.shelf import Shelf, key_of
from iceye_derivatives._core.watch import Watch
from iceye_derivatives.models import AssetRef
from iceye_derivatives.sharing import NoteSink

__all__ = ["Book", "read_page"]

logger = logging.getLogger("iceye_derivatives")


class Book:
    """One task's journal.

    Args:
        task_id: Whose.
        notes: Where it is kept.
        everything: Keep all files that it knows in memory, for a catalogue.
    """

    def __init__(self, task_id: str, notes: NoteSink, *, everything: bool = False) -> None:
        self.task_id = task_id
        self.lock = anyio.Lock()
        """Held while it is read or written."""
        self._everything = Journal(task_id) if everything else None
        self.dirty = False
        """Files, or the watch's state, have to be written, and nobody is writing them."""
        self.untold = False
        """The catalogue does not know all of its files yet."""
        self.written_at = self.told_at = 0.0
        """When the journal was last written, and the catalogue last told: Unix seconds."""
        self.failed = False
        """The last try to write failed."""
        self._notes = notes
        self._pending = Journal(task_id)
        """What was noted and not yet written."""
        self._page = 1
        """The number of the last page, as far as we know."""
        self._last = Journal(task_id)
        """The last page: what we found on it, and what we have written to it."""
        self._seal = b""
        """The hash of what we wrote last: a page that has it tells us nothing new."""
        self._there = False
        """Whether the last page exists in the sink."""
        self._found = False
        """Whether the last page holds files that others have noted."""
        self._shelves: dict[int, Shelf] = {}
        """Earlier pages that hold files of others, by number; our own files do not come twice."""
        self._read = False

    @property
    def held(self) -> int:
        """How many files are in memory, not counting those on shelves."""
        held = len(self._pending.files) + len(self._last.files)
        return held if self._everything is None else held + len(self._everything.files)

    def everything(self) -> Journal | None:
        """All files that it knows, as of now; None where they are not kept."""
        if self._everything is None:
            return None
        return Journal(self.task_id, dict(self._everything.files))

    @property
    def presses(self) -> bool:
        """Whether so much waits to be written that memory asks for it."""
        return self._pending.full and not self.failed

    def note(self, file: WholeFile) -> None:
        """A file is whole; told to the sink with the next `write()`."""
        self._pending.note(file)
        self.dirty = True
        if self._everything is not None:
            self._everything.note(file)

    async def known(self, asset: AssetRef) -> WholeFile | None:
        """What is known of an asset's file."""
        if not self._read:
            async with self.lock:
                if not self._read:
                    await self._look()
        name = name_of(asset)
        found = [self._pending.files.get(name), self._last.files.get(name)]
        if self._shelves:
            key = key_of(name)
            found += [shelf.get(key, asset) for _, shelf in sorted(self._shelves.items())[::-1]]
        # Later pages stand first here, and of two files that are as late `max` takes the first.
        files = (file for file in found if file is not None)
        return max(files, key=lambda file: file.finished, default=None)

    async def refresh(self) -> None:
        """Take in what other processes have written."""
        async with self.lock:
            await self._look()

    async def write(self, watch: Watch | None) -> None:
        """Write what was noted, and where the watch stands.

        What fails, and what is noted meanwhile, is left for the next time.
        """
        async with self.lock:
            if not self.dirty:  # somebody else has done it meanwhile
                return
            self.dirty, self.failed = False, True  # also where a cancellation ends it
            try:
                if await self._look():
                    await self._write(watch)
                    self.failed = False
            except OSError as error:
                logger.debug(
                    "The journal of task %s was not written: %s", self.task_id, error.strerror
                )
            finally:
                self.dirty |= self.failed

    async def rest(self, *, idle: bool) -> None:
        """Let the last page leave memory; where `idle`, the next look reads it again."""
        async with self.lock:
            await self._put_away()
            self._read = self._read and not idle

    async def _look(self) -> bool:
        """Find the last page and take in what stands there; False where that failed."""
        try:
            while await self._page_is_done():
                await self._put_away()
                self._page += 1
        except OSError as error:
            logger.debug("The journal of task %s was not read: %s", self.task_id, error.strerror)
            self._read = True  # tried, at least: a sink that fails is not asked for each file
            return False
        self._read = True
        return True

    async def _page_is_done(self) -> bool:
        """Whether our page is full, and the sink holds all of it that we know.

        Another process may have put an older version back: so what we wrote stays in memory until
        we have seen it there.
        """
        found, same = await read_page(self._notes, self.task_id, self._page, self._seal)
        self._there = same or found is not None
        if found is not None:
            self._last.merge(found)
            self._found, self._seal = True, b""
            same = self._last.full and self._last.files == found.files
            if self._everything is not None:
                self._everything.merge(found)
        return same and self._last.full

    async def _put_away(self) -> None:
        if self._found:
            self._shelves[self._page] = await run_sync(Shelf, self._last.files)
        self._last, self._seal, self._found = Journal(self.task_id), b"", False

    async def _write(self, watch: Watch | None) -> None:
        pending = dict(self._pending.files)  # files go on being noted meanwhile
        homes = await run_sync(self._homes, pending) if self._shelves else {self._page: pending}
        for page in sorted(homes.keys() - {self._page}):
            if not await self._amend(page, homes[page]):
                homes.setdefault(self._page, {}).update(homes[page])
        await self._grow(homes.get(self._page, {}), watch)
        for name, file in pending.items():
            if self._pending.files[name] is file:
                del self._pending.files[name]

    def _homes(self, files: dict[str, WholeFile]) -> dict[int, dict[str, WholeFile]]:
        """The files by the page where each stands already; new ones go to the last page."""
        homes: defaultdict[int, dict[str, WholeFile]] = defaultdict(dict)
        for name, file in files.items():
            key = key_of(name)
            found = (n for n, shelf in self._shelves.items() if shelf.get(key, file.asset))
            homes[max(found, default=self._page)][name] = file
        return homes

    async def _amend(self, number: int, files: dict[str, WholeFile]) -> bool:
        """Change an earlier page; False where it is gone."""
        page, _ = await read_page(self._notes, self.task_id, number)
        if page is None:
            del self._shelves[number]
            return False
        page.update(files)
        await self._notes.write_note(journal_name(self.task_id, number), page.render)
        self._shelves[number] = await run_sync(Shelf, page.files)
        return True

    async def _grow(self, files: dict[str, WholeFile], watch: Watch | None) -> None:
        """Write the last page, where there is anything to write."""
        if not files and watch is None:
            return
        self._last.update(files)
        if not self._last.files and not self._there and self._page == 1:
            return  # a wait that brought nothing yet makes no folder
        if watch is not None:
            self._last.watch = watch.to_json()
        await self._notes.write_note(journal_name(self.task_id, self._page), self._sealed)
        self._there = True

    def _sealed(self) -> bytes:
        note = self._last.render()
        self._seal = sha256(note).digest()
        return note


async def read_page(
    notes: NoteSink, task_id: str, page: int, seal: bytes = b""
) -> tuple[Journal | None, bool]:
    """The page, None where there is none to read; and whether `seal` is its hash (then None, too).

    Raises:
        OSError: the sink failed.
    """
    try:
        note = await notes.read_note(journal_name(task_id, page))
        if note is not None:
            found = await run_sync(_parsed, note, task_id, seal)
            return found, found is None
    except NoteFault as fault:
        logger.debug("Page %d of the journal of task %s is ignored: %s", page, task_id, fault)
    return None, False


def _parsed(note: bytes, task_id: str, seal: bytes) -> Journal | None:
    return None if sha256(note).digest() == seal else parse_journal(note, task_id)
