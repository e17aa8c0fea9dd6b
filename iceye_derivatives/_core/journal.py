"""What is known of a task's files: which are whole, and where its watch stood?

The journal stands beside the files.  It saves looks: a file whose size and stamp are still those
that it remembers need not be hashed again.  Without it all files are hashed once more, and nothing
else is lost.  It holds no URL: "Do not store the URLs for long term access."

The journal of many files has pages, each a note of the same kind.  Only the last page grows, so
neither memory nor a write has to hold more than one.  Only a page that is `full` can have a next
one, so nobody looks for a second page of a usual task's journal.  Where two pages list one file,
the entry counts that was finished later; of two as late, that on the later page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from io import BytesIO
from typing import Final

from attrs import define, field, frozen

from iceye_derivatives._core.notes import (
    NoteFault,
    Reason,
    as_json,
    asset_fields,
    read_asset,
    read_note,
    read_number,
    read_object,
    read_optional,
    read_text,
    write_note,
)
from iceye_derivatives._core.plan import file_name
from iceye_derivatives._core.watch import Watch
from iceye_derivatives.errors import ConfigurationError
from iceye_derivatives.models import AssetRef

__all__ = [
    "FULL",
    "LARGEST",
    "Journal",
    "WholeFile",
    "join_page",
    "name_of",
    "parse_journal",
    "read_journal",
]

FORMAT: Final = 1
FULL: Final = 2_000
"""Files of a page.  It may become smaller, never larger: who reads must not stop at a full page."""
LARGEST: Final = 64 * 1024 * 1024
"""Bytes: a hundred thousand files are half of it."""
_LATEST: Final = 1e15
"""Unix seconds, of a year that nobody will see: a float still tells its tenths."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


@frozen(kw_only=True)
class WholeFile:
    """A file that was stored whole and checked."""

    asset: AssetRef
    size: int
    sha256: str
    stamp: str | None
    """What the sink said of it then; another one means that somebody has touched it since."""
    etag: str | None
    begun: float
    """Unix seconds."""
    finished: float


@define
class Journal:
    """One task's journal, or a page of it; `files` is by their names in the task's folder."""

    task_id: str
    files: dict[str, WholeFile] = field(factory=dict)
    watch: str | None = None
    """What `Watch.to_json()` gave."""

    @property
    def full(self) -> bool:
        """Whether there may be a next page."""
        return len(self.files) >= FULL

    def note(self, file: WholeFile) -> None:
        """A file is whole."""
        self.files[name_of(file.asset)] = file

    def merge(self, other: Journal) -> None:
        """Add what another process has written meanwhile; of one file the later entry counts."""
        for name, file in other.files.items():
            known = self.files.get(name)
            if known is None or known.finished < file.finished:
                self.files[name] = file
        if self.watch is None:
            self.watch = other.watch

    def update(self, files: Mapping[str, WholeFile]) -> None:
        """Add what became known after this; an entry gives way only to one that is not older."""
        for name, file in files.items():
            known = self.files.get(name)
            if known is None or known.finished <= file.finished:
                self.files[name] = file

    def resumed_watch(self) -> Watch | None:
        """A watch that knows of the task what the saved one knew; None where none can be read.

        It hands everything out again: whether a file is whole is told by the file, and a process
        that was killed may have handed out what it never brought home.
        """
        if self.watch is None:
            return None
        try:
            watch = Watch.from_json(self.watch)
        except ConfigurationError:
            return None
        watch.forget()
        return watch if watch.task_id == self.task_id else None

    def render(self) -> bytes:
        """The journal as JSON.

        Its files one by one: a hundred thousand in one call would keep the interpreter, and so the
        event loop, for the better part of a second.
        """
        head = {
            "task_id": self.task_id,
            "watch": None if self.watch is None else json.loads(self.watch),
        }
        note = BytesIO()  # joining the pieces would hold all of it three times
        note.write(write_note(FORMAT, head)[:-1] + b',"files":{')
        between = b""
        for name, file in self.files.items():
            note.write(between + as_json(name) + b":" + as_json(_fields(file)))
            between = b","
        note.write(b"}}")
        return note.getvalue()


def parse_journal(note: bytes, task_id: str | None = None) -> Journal:
    """The journal of a task.

    Raises:
        NoteFault: it is none of this version, or another task's than `task_id`.
    """
    fields = read_note(note, FORMAT)
    journal = Journal(read_text(fields, "task_id"))
    if task_id is not None and journal.task_id != task_id:
        raise NoteFault(Reason.OTHER_FILE)
    watch = read_optional(fields, "watch", dict)
    journal.watch = None if watch is None else json.dumps(watch)
    files = read_object(fields, "files")
    for name in files:
        file = _read(read_object(files, name))
        # Our name for the asset, and nobody else's: it becomes a path.
        if file.asset.task_id != journal.task_id or name_of(file.asset) != name:
            raise NoteFault(Reason.OTHER_FILE)
        journal.files[name] = file
    return journal


def read_journal(note: bytes | None) -> Journal | None:
    """The journal of whichever task; None where there is no note, or none of use."""
    try:
        return None if note is None else parse_journal(note)
    except NoteFault:
        return None


def join_page(before: Journal | None, page: Journal | None) -> Journal | None:
    """All pages before, and this one; a page of no use, or of another task, adds nothing."""
    if before is None or page is None or page.task_id != before.task_id:
        return page if before is None else before
    before.update(page.files)
    before.watch = page.watch or before.watch
    return before


def _fields(file: WholeFile) -> dict[str, object]:
    return {
        "asset": asset_fields(file.asset),
        "size": file.size,
        "sha256": file.sha256,
        "stamp": file.stamp,
        "etag": file.etag,
        "begun": file.begun,
        "finished": file.finished,
    }


def _read(fields: dict[str, object]) -> WholeFile:
    file = WholeFile(
        asset=read_asset(read_object(fields, "asset")),
        size=read_number(fields, "size"),
        sha256=read_text(fields, "sha256"),
        stamp=read_optional(fields, "stamp", str),
        etag=read_optional(fields, "etag", str),
        begun=_moment(fields, "begun"),
        finished=_moment(fields, "finished"),
    )
    if not _SHA256.fullmatch(file.sha256):
        raise NoteFault(Reason.WRONG_SHAPE)
    return file


def _moment(fields: dict[str, object], name: str) -> float:
    value = fields.get(name)
    # Python's JSON knows NaN, infinities, and whole numbers that no float can hold.
    if type(value) not in (int, float) or not abs(value) < _LATEST:  # type: ignore[arg-type]
        raise NoteFault(Reason.WRONG_SHAPE)
    return float(value)  # type: ignore[arg-type]  # one of the two, as the lines above say


def name_of(asset: AssetRef) -> str:
    """What an asset's file is called in its task's folder."""
    return file_name(asset).partition("/")[2]
