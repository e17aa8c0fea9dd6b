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
    render_owner,
)
from iceye_derivatives._core.part_names import heir_name, owner_name
from iceye_derivatives.sinks._folder import Folder
from iceye_derivatives.sinks._process import forget_claim, lives, new_claim

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

    mine: Owner | None = None
    surely_alone: bool = True
    """Whether all earlier owners are certainly gone; else one may come to and go on writing."""
    took_over: bool = False
    _chain: list[str] = field(factory=list)
    """Our predecessors' records, oldest first, and ours."""

    @property
    def names(self) -> tuple[str, ...]:
        """The records that are ours to clear away in the end."""
        return tuple(self._chain)

    def take(self, folder: Folder) -> Owner | None:
        """Take the name; None when it is ours now, else who has it."""
        mine = new_claim()
        try:
            holder = self._take(folder, mine)
        except BaseException:
            forget_claim(mine)
            raise
        if holder is None:
            self.mine = mine
            return None
        forget_claim(mine)
        # A record that is being written belongs to somebody, too.
        return holder.owner or Owner(token="", host="", machine="", pid=0, started="")

    def drop(self, folder: Folder) -> None:
        """Give the name back; safe to call twice."""
        mine, self.mine = self.mine, None
        if mine is None:
            return
        forget_claim(mine)
        if folder.exists(heir_name(folder.file, mine.token)):
            return  # we were thought dead: the records are our heir's now
        # Oldest first: a reader goes from the first one on, and finds all of it or nothing.
        for name in self._chain:
            folder.discard(name)

    def beat(self, folder: Folder) -> None:
        """Show that we live."""
        if self.mine is not None:
            folder.touch(self._chain[-1])

    def _take(self, folder: Folder, mine: Owner) -> Holder | None:
        name = owner_name(folder.file)
        if folder.create(name, render_owner(mine)):
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
        if not folder.create(name, render_owner(mine)):
            return chain[-1]  # somebody else was faster
        # Between our look and our step all of it may have been given back and taken anew.
        found = [holder.name for holder in _walk(folder)]
        if found != [*(holder.name for holder in chain), name]:
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
    alive = None if holder.owner is None else lives(holder.owner)
    age = 0.0 if alive is not None else folder.clock() - holder.modified
    return judge(holder.owner, alive=alive, age=age)
