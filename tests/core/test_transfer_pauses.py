"""What may pass is waited for: how long, how often, and how long at most?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transfers import NOW, answer, transfer

from iceye_derivatives._core.download_settings import DownloadSettings
from iceye_derivatives._core.transfer_terms import Answer, GiveUp, LinkFacts, Pause, Verdict


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


@given(st.floats(-1e6, 1e6), st.booleans())
def test_a_date_to_come_back_at_is_read_on_the_clock_that_wrote_it(off: float, tells: bool) -> None:
    """On ours, one that is fast would ask again at once, and use up the budget in seconds."""
    headers = {"retry-after": "Tue, 14 Nov 2023 22:13:40 GMT"}
    if tells:
        headers["date"] = "Tue, 14 Nov 2023 22:13:20 GMT"
    found = Answer(status=503, headers=headers)
    link = LinkFacts(expires=None, skew=0.0 if tells else -off, fresh=True)
    decision = transfer().answered(found, link=link, now=NOW + off, draw=0.5)
    assert isinstance(decision, Pause)
    assert decision.seconds == pytest.approx(20.5)


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=6, max_size=6))
def test_pauses_are_bounded_and_the_budget_ends_them(draws: list[float]) -> None:
    machine = transfer()
    decisions = [machine.broke("no answer", draw) for draw in draws]
    for step, decision in enumerate(decisions[:5]):
        assert isinstance(decision, Pause)
        assert 0 < decision.seconds <= max(1.0, 2.0**step)
        assert decision.seconds == DownloadSettings().backoff.delay(step, draws[step])
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
