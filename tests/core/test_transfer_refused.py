"""The store refuses a link: is it renewed, waited for, or given up?"""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from transfers import DEAD, FRESH, NOW, OLD, XML, answer, transfer

from iceye_derivatives._core.transfer_terms import (
    Answer,
    GiveUp,
    LinkFacts,
    Pause,
    Receive,
    Renew,
    Verdict,
)

EXPIRED = b"<Message>Request has expired</Message>"


@pytest.mark.parametrize("status", [400, 401, 403, 410])
def test_a_link_just_signed_that_is_refused_is_given_up(status: int) -> None:
    """ "403 on a fresh URL: `LinkRefusedError`, with the store's code, no retry storm"."""
    decision = answer(transfer(), status, beginning=XML)
    assert isinstance(decision, GiveUp)
    assert decision.verdict is Verdict.REFUSED
    assert (decision.status, decision.store_code) == (status, "AccessDenied")


@pytest.mark.parametrize("status", [400, 401, 403, 410])
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


@pytest.mark.parametrize(("link", "page"), [(DEAD, XML), (FRESH, EXPIRED)])
def test_a_dead_link_s_404_is_no_file_that_is_late(link: LinkFacts, page: bytes) -> None:
    """It is renewed as often as any dead link, and never waited for."""
    machine = transfer(renewals=3)
    decisions = [answer(machine, 404, beginning=page, link=link) for _ in range(4)]
    assert decisions[:3] == [Renew()] * 3
    assert isinstance(decisions[3], GiveUp)


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


@pytest.mark.parametrize("page", [b"<Error><Code>ExpiredToken</Code></Error>", EXPIRED])
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
    assert decision.first_bytes.startswith(b"no: ?")
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
