"""One file's life: open, receive, renew, pause, store or give up?"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from iceye_derivatives._core.download_settings import DownloadSettings
from iceye_derivatives._core.transfer import Transfer
from iceye_derivatives._core.transfer_terms import (
    Answer,
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
from iceye_derivatives.models import AssetRef
from iceye_derivatives.sharing import PartMark

NOW = 1_700_000_000.0
OLD = LinkFacts(expires=NOW + 3000, skew=0.0, fresh=False)
FRESH = LinkFacts(expires=NOW + 3600, skew=0.0, fresh=True)
DEAD = LinkFacts(expires=NOW - 1, skew=0.0, fresh=False)
ETAG = '"v1"'
XML = b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'


def transfer(**settings: Any) -> Transfer:
    return Transfer(attrs.evolve(DownloadSettings(), **settings))


def answer(
    machine: Transfer,
    status: int,
    headers: Mapping[str, str] | None = None,
    *,
    beginning: bytes = b"",
    link: LinkFacts = FRESH,
) -> Decision:
    found = Answer(status=status, headers=headers or {}, beginning=beginning)
    return machine.answered(found, link=link, now=NOW, draw=0.5)


def broken_at(size: int, *, etag: str | None = ETAG, total: int = 100) -> Transfer:
    """A transfer whose line broke after so many bytes."""
    machine = transfer()
    machine.begin()
    headers = {"content-length": str(total)} | ({"etag": etag} if etag else {})
    assert answer(machine, 200, headers) == Receive(offset=0, total=total)
    assert machine.received(size)
    assert isinstance(machine.broke("the line broke", 0.5), Pause)
    return machine


def test_a_good_answer_is_received_from_the_start_and_stored_at_its_end() -> None:
    machine = transfer()
    assert machine.begin() == Open(offset=0)
    assert answer(machine, 200, {"content-length": "5"}) == Receive(offset=0, total=5)
    assert machine.received(5)
    assert machine.ended(0.5) == Store()


HEADS = st.fixed_dictionaries(
    {},
    optional={
        "content-length": st.sampled_from(["5", " 5 ", "6", "0", "-5", "5,5", "x", "9" * 30]),
        "content-encoding": st.sampled_from(["identity", "", "gzip"]),
        "etag": st.sampled_from([ETAG, "W/" + ETAG, "v1"]),
        "content-md5": st.sampled_from(["CY9rzUYh03PK3k6DJie09g==", "x"]),
        "repr-digest": st.just(f"sha-256=:{b64encode(bytes(32)).decode()}:"),
    },
)


@given(HEADS, st.sampled_from([0, 1, 5, 6]))
def test_what_comes_whole_ends_as_it_does_the_long_way(heads: dict[str, str], size: int) -> None:
    short, long = transfer(), transfer()
    for machine in (short, long):
        machine.begin()
    offers = short.came_whole(heads, size)
    if offers is None:
        assert (short.offset, short.total, short.etag) == (0, None, None)
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


def test_a_broken_body_goes_on_at_the_byte_where_it_stood() -> None:
    """Trap (stac-asset, bodies).

    Retry covers getting headers; a body that breaks is not retried.
    """
    machine = broken_at(40)
    ask = machine.begin()
    assert isinstance(ask, Open)
    assert ask.headers == {
        "Accept-Encoding": "identity",
        "Range": "bytes=40-",
        "If-Range": ETAG,
    }
    headers = {"content-range": "bytes 40-99/100", "etag": ETAG}
    assert answer(machine, 206, headers) == Receive(offset=40, total=100)
    assert machine.received(60)
    assert machine.ended(0.5) == Store()


@pytest.mark.parametrize("etag", [None, 'W/"v1"', "v1", '"a"b"'])
def test_without_a_strong_etag_a_broken_body_starts_over(etag: str | None) -> None:
    """Trap (capella, resuming).

    From the file's size, with no validator; 416 is taken for "complete".
    """
    assert broken_at(40, etag=etag).begin() == Open(offset=0)


def test_200_to_a_range_starts_over() -> None:
    """Trap (cdsapi, appending): it appends after a Range request without testing for 206."""
    machine = broken_at(40)
    machine.begin()
    assert answer(machine, 200, {"content-length": "70"}) == Receive(offset=0, total=70)
    assert machine.offset == 0


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-range": "bytes 0-99/100", "etag": ETAG},
        {"content-range": "bytes 41-99/100", "etag": ETAG},
        {"content-range": "bytes 40-99/101", "etag": ETAG},
        {"content-range": "bytes 40-99/100", "etag": '"v2"'},
        {"content-range": "bytes 40-99/100", "etag": 'W/"v1"'},
        {"content-range": "bytes */100", "etag": ETAG},
        {"content-range": "items 40-99/100", "etag": ETAG},
        {"content-type": "multipart/byteranges; boundary=x", "etag": ETAG},
    ],
)
def test_a_206_of_another_place_or_another_file_starts_over(headers: dict[str, str]) -> None:
    """Complaint 24 (boto/s3transfer #86): ranged reads mixed two revisions of one object."""
    machine = broken_at(40)
    machine.begin()
    assert isinstance(answer(machine, 206, headers), Pause)
    assert machine.begin() == Open(offset=0)


@pytest.mark.parametrize(
    "headers",
    [{"content-range": "bytes 40-99/*", "etag": ETAG}, {"content-range": "bytes 40-99/100"}],
)
def test_a_206_that_tells_less_is_believed_where_the_rest_agrees(headers: dict[str, str]) -> None:
    machine = broken_at(40)
    machine.begin()
    assert answer(machine, 206, headers) == Receive(offset=40, total=100)


def test_416_starts_over() -> None:
    """Trap (capella, resuming).

    From the file's size, with no validator; 416 is taken for "complete".
    """
    machine = broken_at(40)
    machine.begin()
    assert isinstance(answer(machine, 416), Pause)
    assert machine.begin() == Open(offset=0)


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


# -- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 403, 410])
def test_a_link_just_signed_that_is_refused_is_given_up(status: int) -> None:
    """ "403 on a fresh URL: `LinkRefusedError`, with the store's code, no retry storm"."""
    decision = answer(transfer(), status, beginning=XML)
    assert isinstance(decision, GiveUp)
    assert decision.verdict is Verdict.REFUSED
    assert (decision.status, decision.store_code) == (status, "AccessDenied")


@pytest.mark.parametrize("status", [403, 410])
def test_a_link_of_unknown_age_that_is_refused_is_renewed_once(status: int) -> None:
    """Complaint 5 (chanzuckerberg/single-cell-data-portal #2266).

    Links promised for a week die in hours.
    """
    machine = transfer()
    assert answer(machine, status, beginning=XML, link=OLD) == Renew()
    assert isinstance(answer(machine, status, beginning=XML, link=FRESH), GiveUp)


@given(st.integers(0, 5), st.lists(st.floats(0, 1), min_size=6, max_size=6), st.booleans())
def test_a_file_that_is_not_there_yet_is_waited_for_so_many_times(
    absences: int, draws: list[float], known: bool
) -> None:
    """A file may be listed before the store has it.

    CloudFront gives a 404 again "for 10 seconds" by its default, so asking sooner is useless.

    Trap (earthaccess, timeouts): no timeout on the GET, and a 404 is retried like a broken line.
    """
    machine = transfer(absences=absences, absence=10.0)
    if not known:  # a listing may know another place
        assert answer(machine, 404, beginning=XML, link=OLD) == Renew()
    for draw in draws[:absences]:
        decision = machine.answered(Answer(status=404, headers={}), link=FRESH, now=NOW, draw=draw)
        assert isinstance(decision, Pause)
        assert 10 <= decision.seconds <= 20
    # The link has grown old meanwhile: that is no reason for yet another one.
    last = answer(machine, 404, beginning=XML, link=FRESH if known else OLD)
    assert isinstance(last, GiveUp)
    assert (last.verdict, last.status) == (Verdict.REFUSED, 404)


def test_a_dead_link_s_404_is_no_file_that_is_late() -> None:
    assert answer(transfer(absences=0), 404, link=DEAD) == Renew()


def test_a_link_that_is_dead_by_our_clock_is_renewed() -> None:
    assert answer(transfer(), 403, link=DEAD) == Renew()


def test_the_store_s_own_date_decides_whether_a_link_is_dead() -> None:
    """Its clock is the one that counts, in both directions.

    Complaint 3 (Sage-Bionetworks/synapsePythonClient #1126): a 403 may be an expired link or a real
    refusal, and TLS closes are neither.
    """
    late = {"date": "Tue, 14 Nov 2023 23:13:20 GMT"}  # NOW + 3600
    early = {"date": "Tue, 14 Nov 2023 22:13:10 GMT"}  # NOW - 10
    assert answer(transfer(), 403, late, link=FRESH) == Renew()
    dead_by_us = attrs.evolve(FRESH, expires=NOW - 1)
    assert isinstance(answer(transfer(), 403, early, link=dead_by_us), GiveUp)


def test_the_api_s_clock_stands_in_where_the_store_tells_no_date() -> None:
    ahead = attrs.evolve(FRESH, skew=4000.0)
    assert answer(transfer(), 403, link=ahead) == Renew()


@pytest.mark.parametrize(
    "page", [b"<Error><Code>ExpiredToken</Code></Error>", b"<Message>Request has expired</Message>"]
)
def test_a_store_that_says_expired_is_believed(page: bytes) -> None:
    """Complaint 3 (Sage-Bionetworks/synapsePythonClient #1126).

    A 403 may be an expired link or a real refusal, and TLS closes are neither.
    """
    assert answer(transfer(), 403, beginning=page, link=FRESH) == Renew()


def test_links_that_are_always_dead_end_in_a_refusal_and_no_storm() -> None:
    machine = transfer(renewals=3)
    decisions = [answer(machine, 403, link=DEAD) for _ in range(4)]
    assert decisions[:3] == [Renew()] * 3
    assert isinstance(decisions[3], GiveUp)
    assert "dead" in decisions[3].reason


def test_bytes_refill_the_budget_of_renewals() -> None:
    """A download that outlives its link's hour goes on with the next, as often as needed."""
    machine = transfer(renewals=1)
    for _ in range(10):
        assert answer(machine, 403, link=DEAD) == Renew()
        assert isinstance(answer(machine, 200, {"content-length": "100"}), Receive)
        machine.received(1)
        machine.broke("the line broke", 0.0)


def test_first_bytes_of_a_refusal_hold_no_signature() -> None:
    decision = answer(transfer(), 405, beginning=b"no: ?Expires=1&Signature=CANARY")
    assert isinstance(decision, GiveUp)
    assert b"CANARY" not in decision.first_bytes


@pytest.mark.parametrize("status", [204, 205, 226])
def test_a_success_without_a_file_is_not_the_file(status: int) -> None:
    decision = answer(transfer(), status)
    assert isinstance(decision, GiveUp)
    assert decision.verdict is Verdict.CONTENT


@pytest.mark.parametrize("status", [301, 304, 402, 405, 413, 451])
def test_what_no_retry_can_help_is_given_up(status: int) -> None:
    decision = answer(transfer(), status, link=OLD)
    assert isinstance(decision, GiveUp)
    assert decision.status == status


# -- pauses ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_pass_is_waited_for(status: int) -> None:
    assert isinstance(answer(transfer(), status), Pause)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("20", 20.5), ("Tue, 14 Nov 2023 22:13:40 GMT", 20.5), ("99999999", 300.5), ("0", 0.5)],
)
def test_retry_after_is_obeyed_in_both_forms_spread_and_capped(value: str, seconds: float) -> None:
    decision = answer(transfer(), 503, {"retry-after": value})
    assert isinstance(decision, Pause)
    assert decision.seconds == seconds


def mark(size: int = 40, total: int | None = 100, etag: str = ETAG) -> PartMark:
    asset = AssetRef(task_id="t", derivative_id="d", product_type="P", asset_type="tif")
    return PartMark(asset=asset, size=size, total=total, etag=etag, sha256="0" * 64)


def test_what_an_earlier_process_brought_is_gone_on_with() -> None:
    machine = transfer()
    machine.resume(mark())
    assert machine.begin() == Open(offset=40, if_range=ETAG)
    headers = {"content-range": "bytes 40-99/100", "etag": ETAG}
    assert answer(machine, 206, headers) == Receive(offset=40, total=100)


def test_what_is_of_no_strong_etag_is_not_gone_on_with() -> None:
    machine = transfer()
    machine.resume(mark(etag='W/"1"'))
    assert machine.begin() == Open(offset=0)


def test_what_an_earlier_process_brought_whole_is_stored_without_a_request() -> None:
    machine = transfer()
    machine.resume(mark(size=100))
    assert machine.begin() == Store()


def test_a_line_that_breaks_behind_the_last_byte_is_no_loss() -> None:
    machine = transfer(retries=0)
    machine.begin()
    answer(machine, 200, {"content-length": "5"})
    machine.received(5)
    assert machine.broke("the line broke", 0.5) == Store()


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=6, max_size=6))
def test_pauses_are_bounded_and_the_budget_ends_them(draws: list[float]) -> None:
    machine = transfer()
    decisions = [machine.broke("no answer", draw) for draw in draws]
    for step, decision in enumerate(decisions[:5]):
        assert isinstance(decision, Pause)
        assert 0 < decision.seconds <= max(1.0, 2.0**step)
    assert isinstance(decisions[5], GiveUp)
    assert decisions[5].verdict is Verdict.BROKEN


def test_bytes_refill_the_retry_budget_but_not_for_ever() -> None:
    """Complaint 9 (planetlabs/planet-client-python #974).

    The peer closes in the middle of a body and the whole order fails.
    """
    machine = transfer(retries=2, retries_in_total=20)
    for _ in range(20):
        machine.begin()
        answer(machine, 200, {"content-length": "100"})
        machine.received(1)
        assert isinstance(machine.broke("the line broke", 0.0), Pause)
    assert isinstance(machine.broke("the line broke", 0.0), GiveUp)


# -- the law ---------------------------------------------------------------------------------------


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
