"""Where are the bytes of a file between the line and the sink?"""

from __future__ import annotations

from iceye_derivatives._body import _groups


class Piece(bytes):
    """Counts how often somebody asks how long it is."""

    asked = 0

    def __len__(self) -> int:
        type(self).asked += 1
        return super().__len__()


def test_a_line_that_gives_a_few_bytes_at_a_time_costs_no_more_than_one_look_at_each() -> None:
    """What is counted anew with each piece stops the loop: a second for a megabyte of those."""
    pieces: list[bytes] = [Piece(b"ab")] * 1000
    groups = list(_groups(pieces, 600))
    assert [len(group) for group in groups] == [300, 300, 300, 100]
    assert Piece.asked == len(pieces)
