"""How far has an unfinished file come, and does what is on disk still fit?

A sidecar stands beside a part.  It is replaced atomically, and only after the bytes that it speaks
of were synced: the part may hold more than it says, never less.  It names its part, and a part's
name is never used twice, so a sidecar that a process wrote after it had lost the file can at worst
describe a part that is not there.
"""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen

from iceye_derivatives._core.notes import (
    NoteFault,
    Reason,
    asset_fields,
    read_asset,
    read_note,
    read_number,
    read_object,
    read_optional,
    read_text,
    write_note,
)
from iceye_derivatives._core.part_names import is_part_of
from iceye_derivatives.models import AssetRef
from iceye_derivatives.sharing import PartMark

__all__ = ["LARGEST", "Sidecar", "parse_sidecar", "render_sidecar"]

FORMAT: Final = 1
LARGEST: Final = 64 * 1024
"""Bytes: nothing that we write is nearly so long."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


@frozen
class Sidecar:
    """A mark, and the part that it is a mark in."""

    part: str
    """The part's name in the file's folder."""
    mark: PartMark


def render_sidecar(sidecar: Sidecar) -> bytes:
    """The sidecar as JSON; no URL is in it."""
    mark = sidecar.mark
    return write_note(
        FORMAT,
        {
            "part": sidecar.part,
            "asset": asset_fields(mark.asset),
            "size": mark.size,
            "total": mark.total,
            "etag": mark.etag,
            "sha256": mark.sha256,
        },
    )


def parse_sidecar(note: bytes, *, file: str, asset: AssetRef) -> Sidecar:
    """The sidecar of this file and asset.

    Args:
        note: What was found.
        file: The final name of the file within its folder.
        asset: Whose file it is.

    Raises:
        NoteFault: it is none, or another one's.
    """
    fields = read_note(note, FORMAT)
    part = read_text(fields, "part")
    mark = PartMark(
        asset=read_asset(read_object(fields, "asset")),
        size=read_number(fields, "size"),
        total=read_optional(fields, "total", int),
        etag=read_text(fields, "etag"),
        sha256=read_text(fields, "sha256"),
    )
    if not _SHA256.fullmatch(mark.sha256) or not 0 < mark.size <= (mark.total or mark.size):
        raise NoteFault(Reason.WRONG_SHAPE)
    if mark.asset != asset or not is_part_of(file, part):
        raise NoteFault(Reason.OTHER_FILE)
    return Sidecar(part, mark)
