"""Does a long body come out of the room that it came into, as it is and without a copy?"""

from __future__ import annotations

import gc
import tracemalloc
from pickle import PickleBuffer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives._transport.basin import Basin

PIECES = st.lists(st.tuples(st.binary(min_size=1, max_size=9), st.booleans()), max_size=9)


def filled(pieces: list[tuple[bytes, bool]], spare: int) -> Basin:
    """Bytes that were put there, or that came there by themselves."""
    basin = Basin(sum(len(piece) for piece, _ in pieces) + spare)
    for piece, comes in pieces:
        if comes:
            basin.lend()[: len(piece)] = piece
            basin.filled += len(piece)
        else:
            basin.put(memoryview(piece))
    return basin


@given(PIECES, st.integers(0, 3), st.integers(0, 81))
def test_what_came_in_comes_out(pieces: list[tuple[bytes, bool]], spare: int, surplus: int) -> None:
    whole = b"".join(piece for piece, _ in pieces)
    basin = filled(pieces, spare)
    assert len(basin.lend()) == basin.size - len(whole) == spare
    start = max(0, len(whole) - surplus)
    assert basin.cut(start) == whole[start:]
    assert basin.take() == whole[:start]


def test_somebody_who_still_looks_at_it_breaks_nothing() -> None:
    basin = filled([(b"body", True)], spare=1)
    looked_at = basin.lend()
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


def ring_around(basin: Basin) -> list[object]:
    """What holds itself, and so is found by the garbage collector only."""
    ring: list[object] = [basin]
    ring.append(ring)
    return ring


def test_nobody_looks_into_it_between_two_reads() -> None:
    """Else the garbage collector crashes Python 3.12.1, or makes 3.13 write to the terminal."""
    basin = Basin(10)
    basin.lend()[:4] = b"body"
    ring_around(basin)
    basin._kept.close()  # what the collector does first; refused while somebody looks
    del basin
    gc.collect()


def test_a_read_that_failed_looks_into_it_no_more() -> None:
    """Its error holds the frames of it, and so what was lent to it."""
    basin = Basin(10)
    basin.filled = 3

    def read(into: Basin) -> None:
        room = into.lend()
        raise ConnectionResetError(len(room))

    with pytest.raises(ConnectionResetError, match="7") as failed:
        read(basin)
    held = ring_around(basin)
    held.append(failed.value)
    basin.call_back()
    basin._kept.close()
    del basin, held, failed
    gc.collect()


def test_what_is_read_into_is_not_called_back() -> None:
    basin = Basin(10)
    room = basin.lend()
    read_into = PickleBuffer(room)  # holds it as a system call does
    basin.call_back()
    assert len(room) == 10
    read_into.release()
    basin.call_back()
    with pytest.raises(ValueError, match="released"):
        len(room)
