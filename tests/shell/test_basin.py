"""Does a long body come out of the room that it came into, as it is and without a copy?"""

from __future__ import annotations

import gc
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives._transport.basin import Basin

PIECES = st.lists(st.tuples(st.binary(min_size=1, max_size=9), st.booleans()), max_size=9)


def filled(pieces: list[tuple[bytes, bool]], spare: int) -> Basin:
    """Bytes that were put there, or that came there by themselves."""
    basin = Basin(sum(len(piece) for piece, _ in pieces) + spare)
    for piece, comes in pieces:
        if comes:
            basin.room[: len(piece)] = piece
            basin.filled += len(piece)
        else:
            basin.put(memoryview(piece))
    return basin


@given(PIECES, st.integers(0, 3), st.integers(0, 81))
def test_what_came_in_comes_out(pieces: list[tuple[bytes, bool]], spare: int, surplus: int) -> None:
    whole = b"".join(piece for piece, _ in pieces)
    basin = filled(pieces, spare)
    assert len(basin.room) == basin.size - len(whole) == spare
    start = max(0, len(whole) - surplus)
    assert basin.cut(start) == whole[start:]
    assert basin.take() == whole[:start]


def test_somebody_who_still_looks_at_it_breaks_nothing() -> None:
    basin = filled([(b"body", True)], spare=1)
    looked_at = basin.room
    assert basin.take() == b"body"
    assert len(looked_at) == 1


def test_no_byte_is_copied() -> None:
    """Else a body would take twice its memory for a moment."""
    size = 500_000
    tracemalloc.start()
    try:
        basin = Basin(size + 1)
        basin.filled = size
        body = basin.take()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(body) == size
    assert peak < size * 1.1


def test_the_garbage_collector_may_close_it_while_somebody_looks_at_it() -> None:
    """Python 3.13 writes it to the terminal where that raises: under a Ctrl-C, say."""
    basin = Basin(10)
    ring: list[object] = [basin, basin.room]
    ring.append(ring)
    basin._kept.close()  # what the collector does first, on each Python
    assert bytes(basin.room) == bytes(10)
    del basin, ring
    gc.collect()
