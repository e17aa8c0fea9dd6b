"""Is there room for a file, beside all that is promised to the others?"""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from iceye_derivatives._core.space import SpaceLedger

DISK = 10_000


class Transfers(RuleBasedStateMachine):
    """Files of known sizes that come in any order: who keeps to the ledger never fills the disk."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = SpaceLedger()
        self.used = 0
        self.running: dict[int, int] = {}
        self.ledger.look(DISK, 0.0)

    @rule(key=st.integers(0, 5), size=st.integers(0, 6_000))
    def begins(self, key: int, size: int) -> None:
        if key in self.running or self.ledger.room < size:
            return
        self.ledger.promise(key, size)
        self.running[key] = size

    @precondition(lambda self: self.running)
    @rule(data=st.data(), share=st.floats(0, 1))
    def writes(self, data: st.DataObject, share: float) -> None:
        key = data.draw(st.sampled_from(sorted(self.running)))
        size = int(self.running[key] * share)
        self.running[key] -= size
        self.used += size
        self.ledger.wrote(key, size)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def ends(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.running)))
        del self.running[key]
        self.ledger.release(key)

    @rule()
    def looks(self) -> None:
        self.ledger.look(DISK - self.used, 0.0)

    @rule(size=st.integers(0, 500))
    def somebody_makes_room(self, size: int) -> None:
        self.used = max(0, self.used - size)

    @invariant()
    def all_that_was_promised_has_room(self) -> None:
        assert self.ledger.promised == sum(self.running.values())
        assert self.used + self.ledger.promised <= DISK


TestTransfers = Transfers.TestCase


def test_bytes_that_nobody_had_expected_count_as_well() -> None:
    ledger = SpaceLedger()
    ledger.look(100, 0.0)
    ledger.promise("a", 10)
    ledger.wrote("a", 30)
    assert (ledger.room, ledger.promised) == (70, 0)
    ledger.release("a")
    ledger.release("a")
    assert ledger.room == 70
