"""Is what stands in a task's folder what its journal says?"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from attrs import frozen

from iceye_derivatives._core.journal import Journal, WholeFile
from iceye_derivatives._core.part_names import file_of
from iceye_derivatives._core.plan import ITEM

__all__ = ["Condition", "Finding", "Inventory", "judge_file", "roll_call"]


class Condition(StrEnum):
    """What is to be said of one name."""

    WHOLE = "whole"
    """Size and SHA-256 are those of the journal."""
    CHANGED = "changed"
    """They are not."""
    MISSING = "missing"
    """The journal knows it, the folder does not."""
    UNFINISHED = "unfinished"
    """It is in the making, or was when a download ended."""
    FOREIGN = "foreign"
    """The journal does not know it."""


@frozen(kw_only=True)
class Finding:
    """One name and its condition."""

    name: str
    condition: Condition
    size: int | None = None
    """Bytes that are there."""
    sha256: str | None = None
    """What the journal says, hexadecimal."""


@frozen(kw_only=True)
class Inventory:
    """One task's folder."""

    folder: str
    task_id: str | None
    """None where no journal tells."""
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether all that is there is whole, and nothing is missing."""
        return self.task_id is not None and all(
            finding.condition is Condition.WHOLE for finding in self.findings
        )


def judge_file(name: str, known: WholeFile, found: tuple[int, str] | None) -> Finding:
    """The condition of a file that the journal knows.

    Args:
        name: In its folder.
        known: What the journal says.
        found: Size and SHA-256 of what is there, if anything is.
    """
    if found is None:
        return Finding(name=name, condition=Condition.MISSING, sha256=known.sha256)
    whole = found == (known.size, known.sha256)
    return Finding(
        name=name,
        condition=Condition.WHOLE if whole else Condition.CHANGED,
        size=found[0],
        sha256=known.sha256,
    )


def roll_call(names: Iterable[str], journal: Journal | None) -> list[Finding]:
    """What is to be said of all names that the journal does not know.

    Hidden ones are let be, and so is what describes the folder.
    """
    known = {ITEM} if journal is None else {ITEM, *journal.files}
    visible = {name for name in names if not name.startswith(".")} - known
    beside = {name: file_of(name) for name in visible}
    in_the_making = {file for file in beside.values() if file is not None} - known
    foreign = {name for name, file in beside.items() if file is None} - in_the_making
    return [
        *(Finding(name=name, condition=Condition.UNFINISHED) for name in sorted(in_the_making)),
        *(Finding(name=name, condition=Condition.FOREIGN) for name in sorted(foreign)),
    ]
