"""Who makes a file now, and is that process still alive?

An owner record says which process on which machine makes a file.  Whether it still lives is told
by the machine itself where it is ours, and otherwise by the record's heartbeat: its time of
modification, which its owner renews.  Times are compared on the file system's clock alone, so no
two machines have to agree on what time it is.

How records follow each other, and why a mistake here costs bytes but never a wrong file, is in
``docs/decisions/0007-sharing-a-folder.md``.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

from attrs import frozen

from iceye_derivatives._core.notes import (
    NoteFault,
    Reason,
    read_note,
    read_number,
    read_text,
    write_note,
)

__all__ = ["BEAT", "LARGEST", "Judgement", "Owner", "judge", "parse_owner", "render_owner"]

FORMAT: Final = 1
LARGEST: Final = 16 * 1024
"""Bytes: nothing that we write is nearly so long."""
BEAT: Final = 20.0
"""Seconds between two heartbeats."""
SILENCE: Final = 180.0
"""Seconds without a heartbeat after which an owner on another machine counts as gone."""
HALF_WRITTEN: Final = 10.0
"""Seconds after which a record that cannot be read will not be finished any more."""
_TOKEN = re.compile(r"[0-9a-f]{17,64}", re.ASCII)


@frozen(kw_only=True)
class Owner:
    """A process that makes a file."""

    token: str
    """Of this one claim: never used again (hexadecimal)."""
    host: str
    """For people."""
    machine: str
    """Which boot of which kernel its process number belongs to; empty where that is not known."""
    pid: int
    started: str
    """When the process started, by that kernel; empty where that is not known."""


class Judgement(Enum):
    """What a record means."""

    HELD = "its owner lives, or may live"
    DEAD = "its owner is certainly gone"
    LOST = "its owner has been silent for so long that it counts as gone"


def render_owner(owner: Owner) -> bytes:
    """The record as JSON."""
    return write_note(
        FORMAT,
        {
            "token": owner.token,
            "host": owner.host,
            "machine": owner.machine,
            "pid": owner.pid,
            "started": owner.started,
        },
    )


def parse_owner(note: bytes) -> Owner:
    """The record.

    Raises:
        NoteFault: it is none, or its owner is still writing it.
    """
    fields = read_note(note, FORMAT)
    token = read_text(fields, "token")
    if not _TOKEN.fullmatch(token):
        raise NoteFault(Reason.WRONG_SHAPE)
    return Owner(
        token=token,
        host=read_text(fields, "host"),
        machine=read_text(fields, "machine"),
        pid=read_number(fields, "pid"),
        started=read_text(fields, "started"),
    )


def judge(owner: Owner | None, *, alive: bool | None, age: float) -> Judgement:
    """Whether somebody else may take the file over.

    Args:
        owner: What the record says; None where it cannot be read.
        alive: Whether the process lives, where this machine can tell.
        age: Seconds since the record's last heartbeat, by the file system's clock.
    """
    if alive is not None and owner is not None:
        return Judgement.HELD if alive else Judgement.DEAD
    patience = HALF_WRITTEN if owner is None else SILENCE
    return Judgement.LOST if age > patience else Judgement.HELD
