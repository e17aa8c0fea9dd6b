"""Are pieces gathered, and bytes sliced, without losing any or looking too often?"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives._core.batches import gathered, sliced

sizes = st.integers(1, 12)


@given(st.lists(st.binary(min_size=1, max_size=9)), sizes)
def test_whole_pieces_are_gathered_until_they_are_enough(pieces: list[bytes], size: int) -> None:
    groups = list(gathered(pieces, size))

    assert [piece for group in groups for piece in group] == pieces
    for group in groups[:-1]:
        assert sum(map(len, group[:-1])) < size <= sum(map(len, group))
    assert all(sum(map(len, group[:-1])) < size for group in groups[-1:])


@given(st.binary(max_size=50), sizes)
def test_slices_are_as_long_as_they_may_be(data: bytes, size: int) -> None:
    slices = list(sliced(data, size))

    assert b"".join(slices) == data
    assert all(len(each) == size for each in slices[:-1])
    assert len(slices[-1]) <= size


def test_what_fits_is_not_copied() -> None:
    data = b"as it is"

    assert next(sliced(data, 8)) is data


class Piece(bytes):
    """Counts how often somebody asks how long it is."""

    asked = 0

    def __len__(self) -> int:
        type(self).asked += 1
        return super().__len__()


def test_a_line_that_gives_a_few_bytes_at_a_time_costs_no_more_than_one_look_at_each() -> None:
    """What is counted anew with each piece stops the loop: a second for a megabyte of those."""
    pieces: list[bytes] = [Piece(b"ab")] * 1000
    groups = list(gathered(pieces, 600))
    assert [len(group) for group in groups] == [300, 300, 300, 100]
    assert Piece.asked == len(pieces)
