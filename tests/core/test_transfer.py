"""A body comes, whole or not: is it received, and stored only where all of it is right?"""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from transfers import DEAD, ETAG, OLD, answer, transfer

from iceye_derivatives._core.transfer_terms import (
    Decision,
    GiveUp,
    LinkFacts,
    Open,
    Pause,
    Receive,
    Renew,
    Store,
    Verdict,
)


def test_a_good_answer_is_received_from_the_start_and_stored_at_its_end() -> None:
    machine = transfer()
    assert machine.begin() == Open(offset=0)
    assert answer(machine, 200, {"content-length": "5"}) == Receive(offset=0, total=5)
    assert machine.received(5)
    assert machine.ended(0.5) == Store()


LENGTHS = st.sampled_from(["5", " 5 ", "6", "0", "-5", "5,5", "x", "9" * 30])
BESIDE_IT = {
    "content-encoding": st.sampled_from(["identity", "", "gzip"]),
    "etag": st.sampled_from([ETAG, "W/" + ETAG, "v1"]),
    "content-md5": st.sampled_from(["CY9rzUYh03PK3k6DJie09g==", "x"]),
    "repr-digest": st.just(f"sha-256=:{b64encode(bytes(32)).decode()}:"),
}
# Half of them tell a length that may be right: of what is drawn freely, nearly nothing comes whole.
HEADS = st.fixed_dictionaries(
    {"content-length": st.sampled_from(["5", "0"])}, optional=BESIDE_IT
) | st.fixed_dictionaries({}, optional=BESIDE_IT | {"content-length": LENGTHS})
SIZES = st.sampled_from([5, 0]) | st.sampled_from([1, 6])


@given(HEADS, SIZES, st.integers(0, 2), st.booleans())
def test_what_comes_whole_ends_as_it_does_the_long_way(
    heads: dict[str, str], size: int, breaks: int, renewed: bool
) -> None:
    """Also behind breaks and renewals; and where it is not taken so, nothing is changed."""
    short, long = transfer(), transfer()
    for machine in (short, long):
        machine.begin()
        for _ in range(breaks):
            machine.broke("the line broke", 0.5)
        if renewed:
            assert answer(machine, 403, link=DEAD) == Renew()
    offers = short.came_whole(heads, size)
    if offers is None:
        assert vars(short) == vars(long)
        return
    assert answer(long, 200, heads) == Receive(offset=0, total=size, offers=offers)
    assert long.received(size)
    assert long.ended(0.5) == Store()
    assert vars(short) == vars(long)


@pytest.mark.parametrize("etag", [ETAG, None])
def test_nothing_more_is_asked_of_a_plain_answer_to_have_come_whole(etag: str | None) -> None:
    heads = {"content-length": "5"} | ({"etag": etag} if etag else {})
    assert transfer().came_whole(heads, 5) == ()


def test_without_a_length_the_end_of_the_body_is_the_end_of_the_file() -> None:
    machine = transfer()
    machine.begin()
    assert answer(machine, 200) == Receive(offset=0, total=None)
    assert machine.received(5)
    assert machine.ended(0.5) == Store()


def test_a_file_asked_for_from_its_start_has_no_range_and_is_never_compressed() -> None:
    assert Open().headers == {"Accept-Encoding": "identity"}


def test_a_part_unasked_for_is_not_the_file() -> None:
    machine = transfer()
    machine.begin()
    decision = answer(machine, 206, {"content-range": "bytes 0-9/100"})
    assert isinstance(decision, GiveUp)
    assert decision.verdict is Verdict.CONTENT


def test_compression_unasked_for_is_not_the_file() -> None:
    machine = transfer()
    machine.begin()
    decision = answer(machine, 200, {"content-encoding": "gzip"})
    assert isinstance(decision, GiveUp)
    assert decision.verdict is Verdict.CONTENT
    assert isinstance(answer(transfer(), 200, {"content-encoding": "identity"}), Receive)


def test_fewer_bytes_than_announced_are_a_broken_line() -> None:
    machine = transfer()
    machine.begin()
    answer(machine, 200, {"content-length": "100", "etag": ETAG})
    assert machine.received(99)
    assert isinstance(machine.ended(0.5), Pause)
    assert machine.begin() == Open(offset=99, if_range=ETAG)


def test_more_bytes_than_announced_are_a_broken_line_and_none_is_believed() -> None:
    machine = transfer()
    machine.begin()
    answer(machine, 200, {"content-length": "100", "etag": ETAG})
    assert not machine.received(101)
    assert isinstance(machine.overran(0.5), Pause)
    assert machine.begin() == Open(offset=0)


def test_a_line_that_breaks_behind_the_last_byte_is_no_loss() -> None:
    machine = transfer(retries=0)
    machine.begin()
    answer(machine, 200, {"content-length": "5"})
    machine.received(5)
    assert machine.broke("the line broke", 0.5) == Store()


class AnyStore(RuleBasedStateMachine):
    """ "After any interleaving of facts a transfer either commits the right bytes or leaves none".

    A store serves versions of a file, each with its own strong ETag, and breaks as it likes.  We
    keep what a shell would keep, and compare it with the versions whenever the machine says Store.
    """

    def __init__(self) -> None:
        super().__init__()
        self.machine = transfer(retries_in_total=10_000)
        self.version = 0
        self.held = b""
        self.ask: Open | None = self.asks()
        self.coming: bytes | None = None
        self.over = False

    def asks(self) -> Open:
        ask = self.machine.begin()
        assert isinstance(ask, Open)
        return ask

    def body(self, version: int) -> bytes:
        return bytes([65 + version % 26]) * (20 + version % 3)

    def take(self, decision: Decision) -> None:
        self.coming = None
        match decision:
            case Pause() | Renew():
                self.ask = self.asks()
            case Store():
                assert self.held in {self.body(v) for v in range(self.version + 1)}
                self.over = True
            case GiveUp():
                self.over = True
            case Receive(offset=offset):
                assert offset in (0, len(self.held))
                self.held = self.held[:offset]
                self.ask = None
            case Open():
                raise AssertionError("that is begun with, and no answer")

    @precondition(lambda self: not self.over and self.ask)
    @rule(status=st.sampled_from([403, 404, 416, 429, 503]), link=st.sampled_from([OLD, DEAD]))
    def fails(self, status: int, link: LinkFacts) -> None:
        if status != 416 or self.machine.offset:
            self.take(answer(self.machine, status, link=link))

    @precondition(lambda self: not self.over and self.ask)
    @rule(ignores_range=st.booleans(), tells_length=st.booleans())
    def answers(self, *, ignores_range: bool, tells_length: bool) -> None:
        assert self.ask is not None
        body, etag = self.body(self.version), f'"{self.version}"'
        headers = {"etag": etag}
        if self.ask.offset and self.ask.if_range == etag and not ignores_range:
            headers["content-range"] = f"bytes {self.ask.offset}-{len(body) - 1}/{len(body)}"
            status, body = 206, body[self.ask.offset :]
        else:
            # Only an end that is told apart from a break may go without a length: here it is told.
            status = 200
            headers |= {"content-length": str(len(body))} if tells_length else {}
        decision = answer(self.machine, status, headers)
        self.take(decision)
        if isinstance(decision, Receive):
            self.coming = body

    @precondition(lambda self: not self.over and self.coming)
    @rule(size=st.integers(1, 12))
    def bytes_come(self, size: int) -> None:
        assert self.coming is not None
        piece, self.coming = self.coming[:size], self.coming[size:]
        self.held += piece
        assert self.machine.received(len(piece))

    @precondition(lambda self: not self.over and self.coming is not None)
    @rule()
    def line_breaks(self) -> None:
        self.take(self.machine.broke("the line broke", 0.0))

    @precondition(lambda self: not self.over and self.coming == b"")
    @rule()
    def body_ends(self) -> None:
        self.take(self.machine.ended(0.0))

    @precondition(lambda self: self.over)
    @rule()
    def next_file(self) -> None:
        self.machine = transfer(retries_in_total=10_000)
        self.held, self.ask, self.coming, self.over = b"", self.asks(), None, False

    @precondition(lambda self: not self.over)
    @rule()
    def file_is_replaced(self) -> None:
        self.version += 1

    @invariant()
    def machine_and_shell_agree(self) -> None:
        if not self.over and self.coming is not None:
            assert self.machine.offset == len(self.held)


TestAnyStore = AnyStore.TestCase
