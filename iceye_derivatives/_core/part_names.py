"""What is everything called that stands beside a file in the making?

==============================  ====================================================================
``<file>.<token>-<n>.part``     bytes on their way; nobody ever uses such a name a second time
``<file>.mark.part``            the sidecar: which part, and how far it has come
``<file>.owner.part``           who makes the file now
``<file>.<token>.owner.part``   who took over from the owner with that token
==============================  ====================================================================

So whatever ends in ``.part`` is unfinished, and may be deleted when no download runs.  No final
name ends so: ``part`` is a reserved asset type.
"""

from __future__ import annotations

import re

__all__ = ["file_of", "heir_name", "is_part_of", "owner_name", "part_name", "sidecar_name"]

# An asset type is shorter than a token, so `d.bed.owner.part` belongs to `d.bed`, and not to `d`.
_SUFFIX = re.compile(
    r"\.(?:[0-9a-f]{1,32}-[0-9a-f]{1,16}|mark|(?:[0-9a-f]{17,64}\.)?owner)\.part\Z", re.ASCII
)
_BYTES = re.compile(r"\.[0-9a-f]{1,32}-[0-9a-f]{1,16}\.part", re.ASCII)


def part_name(file: str, token: str, number: int) -> str:
    """What unfinished bytes of a file are called; `token` (hexadecimal) makes it unique."""
    return f"{file}.{token}-{number:x}.part"


def sidecar_name(file: str) -> str:
    """What says how far the file has come."""
    return f"{file}.mark.part"


def owner_name(file: str) -> str:
    """What says who makes the file."""
    return f"{file}.owner.part"


def heir_name(file: str, token: str) -> str:
    """What says who took over from the owner with this token (hexadecimal)."""
    return f"{file}.{token}.owner.part"


def is_part_of(file: str, name: str) -> bool:
    """Whether `part_name` gave this name to a part of this file."""
    return name.startswith(file) and _BYTES.fullmatch(name, len(file)) is not None


def file_of(name: str) -> str | None:
    """Beside which file a name stands; None for a name that is none of these."""
    found = _SUFFIX.search(name, 1)
    return None if found is None else name[: found.start()]
