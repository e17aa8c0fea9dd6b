"""Who makes a file in a shared folder: we, or somebody else who still lives?

All of this runs in a thread, within an open folder.  The protocol needs nothing but exclusive
creation; it is proved on one page in ``docs/decisions/0007-sharing-a-folder.md``.
"""

from __future__ import annotations

from errno import EEXIST
from typing import Final

from attrs import define, field, frozen

from iceye_derivatives._core.notes import NoteFault
from iceye_derivatives._core.ownership import (
    LARGEST,
    Judgement,
    Owner,
    judge,
    parse_owner,
)
from iceye_derivatives._core.part_names import heir_name, owner_name
from iceye_derivatives.sinks._folder import Folder
from iceye_derivatives.sinks._process import lives
from iceye_derivatives.sinks._records import Record, Records

__all__ = ["Claim", "Holder"]

_LONGEST_CHAIN: Final = 4096
"""Owners of one file that died one after the other, none of whom finished it."""


@frozen
class Holder:
    """A record in a folder."""

    name: str
    token: str
    """What its heir is named after."""
    owner: Owner | None
    """None where the record cannot be read (yet)."""
    modified: float


@define
class Claim:
    """A claim on one file; `take` until it is ours, `drop` in the end."""

    _records: Records = field(factory=Records)
    """Where ours are, those of other files too."""
    surely_alone: bool = True
    """Whether all earlier owners are certainly gone; else one may wake up and go on writing."""
    took_over: bool = False
    _record: Record | None = None
    _chain: list[str] = field(factory=list)
    """Our predecessors' records, oldest first, and ours."""

    @property
    def mine(self) -> Owner | None:
        """Who we are where the name is ours."""
        return None if self._record is None else self._record.owner

    @property
    def names(self) -> tuple[str, ...]:
        """The records that are ours to clear away in the end."""
        return tuple(self._chain)

    def take(self, folder: Folder) -> Owner | None:
        """Take the name; None when it is ours now, else who has it."""
        try:
            holder = self._take(folder)
        except BaseException:
            self.forsake(folder.file)
            raise
        if holder is None:
            return None
        # A record that is being written belongs to somebody, too.
        return holder.owner or Owner(token="", host="", machine="", pid=0, started="")

    def drop(self, folder: Folder) -> None:
        """Give the name back; safe to call twice."""
        record = self._record
        if record is None:
            return
        self.forsake(folder.file)
        if folder.exists(heir_name(folder.file, record.owner.token)):
            return  # we were thought dead: the records are our heir's now
        # Oldest first: a reader goes from the first one on, and finds all of it or nothing.
        for name in self._chain:
            folder.discard(name)

    def forsake(self, file: str) -> None:
        """Make it ours no more, and leave what stands in the folder; safe to call twice."""
        record, self._record = self._record, None
        if record is not None:
            self._records.leave(record, file)

    def beat(self, folder: Folder) -> None:
        """Show that we live."""
        if self._record is not None:
            folder.touch(self._chain[-1])

    def _take(self, folder: Folder) -> Holder | None:
        name = owner_name(folder.file)
        self._record = self._records.claim(folder, name)
        if self._record is not None:
            self._chain = [name]
            return None
        chain = _walk(folder)
        if not chain:
            if folder.exists(name) and not folder.is_file(name):
                raise FileExistsError(EEXIST, "what stands there is no file: remove it", name)
            return Holder(name, "", None, 0.0)  # given back meanwhile: the next look takes it
        if len(chain) == _LONGEST_CHAIN:
            # Nobody can tell any more who is the last of them, so nobody would ever be.
            why = "too many processes died over this file: remove what ends in .part beside it"
            raise FileExistsError(EEXIST, why, name)
        verdicts = [_judged(folder, holder) for holder in chain]
        if verdicts[-1] is Judgement.HELD:
            return chain[-1]
        name = heir_name(folder.file, chain[-1].token)
        record = self._records.make(folder, name)
        if record is None:
            return chain[-1]  # somebody else was faster
        self._record = record
        # Between our look and our step all of it may have been given back and taken anew.
        found = [holder.name for holder in _walk(folder)]
        if found != [*(holder.name for holder in chain), name]:
            self.forsake(folder.file)
            folder.discard(name)
            return chain[-1]
        self._chain, self.took_over = found, True
        self.surely_alone = all(verdict is Judgement.DEAD for verdict in verdicts)
        return None


def _walk(folder: Folder) -> list[Holder]:
    """The records from the first owner's to that of who has the file now."""
    chain: list[Holder] = []
    name = owner_name(folder.file)
    while len(chain) < _LONGEST_CHAIN and (found := folder.read_stamped(name, LARGEST)):
        body, modified, mark = found
        try:
            owner = parse_owner(body)
        except NoteFault:
            owner = None
        token = mark if owner is None else owner.token
        chain.append(Holder(name, token, owner, modified))
        name = heir_name(folder.file, token)
    return chain


def _judged(folder: Folder, holder: Holder) -> Judgement:
    alive = None if holder.owner is None else lives(holder.owner, folder.file)
    age = 0.0 if alive is not None else folder.clock() - holder.modified
    return judge(holder.owner, alive=alive, age=age)
