"""How are bytes that came in pieces of any size cut into batches?"""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["gathered", "sliced"]


def gathered(pieces: list[bytes], size: int) -> Iterator[list[bytes]]:
    """Whole pieces in groups, each of at least `size` bytes but for the last."""
    group: list[bytes] = []
    held = 0  # counted on: a line that gives a few bytes at a time would make it quadratic
    for piece in pieces:
        group.append(piece)
        held += len(piece)
        if held >= size:
            yield group
            group, held = [], 0
    if group:
        yield group


def sliced(data: bytes, size: int) -> Iterator[bytes]:
    """Slices of at most `size` bytes; no copy where one is enough."""
    if len(data) <= size:
        yield data
    else:
        for start in range(0, len(data), size):
            yield data[start : start + size]
