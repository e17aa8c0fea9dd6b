"""How far has an unfinished file come, and does what is on disk still fit?

A sidecar stands beside a part.  It is written only after the bytes that it speaks of were synced:
the part may hold more than it says, never less.  It has two pages, each a whole note, which are
written in turns: where the power goes meanwhile, the other one is as it was.  It names its part,
and a part's name is never used twice, so a sidecar that a process wrote after it had lost the file
can at worst describe a part that is not there.
"""

from __future__ import annotations

import re
from typing import Final
from zlib import crc32

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

__all__ = ["LARGEST", "Sidecar", "page_of", "parse_sidecar", "render_page"]

FORMAT: Final = 2
LARGEST: Final = 64 * 1024
"""Bytes: nothing that we write is nearly so long."""
_BLOCK: Final = 4096
"""Bytes that disks and file systems write as one: what is not in it is left alone."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


@frozen
class Sidecar:
    """A mark, and the part that it is a mark in."""

    part: str
    """The part's name in the file's folder."""
    mark: PartMark


def render_page(sidecar: Sidecar) -> bytes:
    """One page of the sidecar; no URL is in it."""
    mark = sidecar.mark
    return page_of(
        write_note(
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
    )


def page_of(note: bytes) -> bytes:
    """A note, a line with its check, and blanks."""
    page = b"%b\n%08x" % (note, crc32(note))
    return page.ljust(-(-len(page) // _BLOCK) * _BLOCK)


def parse_sidecar(found: bytes, *, file: str, asset: AssetRef) -> Sidecar:
    """The sidecar of this file and asset: of its pages, the one that has come further.

    Args:
        found: Both pages.
        file: The final name of the file within its folder.
        asset: Whose file it is.

    Raises:
        NoteFault: neither page can be read, or they are of another file.
    """
    middle = len(found) // 2
    pages: list[Sidecar] = []
    for page in (found[:middle], found[middle:]):
        try:
            pages.append(_parse_page(page, file, asset))
        except NoteFault as error:
            fault = error
    if not pages:
        raise fault
    return max(pages, key=lambda sidecar: sidecar.mark.size)


def _parse_page(page: bytes, file: str, asset: AssetRef) -> Sidecar:
    note, _, check = page.rstrip(b" ").rpartition(b"\n")
    if check != b"%08x" % crc32(note):
        raise NoteFault(Reason.UNREADABLE)
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
