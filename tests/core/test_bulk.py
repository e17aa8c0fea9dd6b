"""Is a listing made when it saves requests, judged by what it found, and left when it fails?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives._core.bulk import (
    LEAST,
    LONGEST_RETREAT,
    ON_A_PAGE,
    PERIOD,
    REFUSED_FOR,
    STAKE,
    Advice,
    BulkLook,
)

NOW = 1_800_000_000.0
MADE = datetime.fromtimestamp(NOW - 86_400, UTC)


def listed(bulk: BulkLook, now: float, *hits: int) -> bool:
    """A listing of so many pages with so many hits each; whether it came to its last page."""
    bulk.begin()
    for number, found in enumerate(hits, 1):
        for _ in range(found):
            bulk.found(MADE, saves=1)
        if not bulk.goes_on(now, more=number < len(hits)):
            return number == len(hits)
    raise AssertionError("the last page was not the last")


def test_a_listing_is_made_where_it_saves_more_than_it_costs() -> None:
    bulk = BulkLook()

    assert bulk.advise(NOW, savings=LEAST - 1, waiting=10) is Advice.ASK
    assert bulk.advise(NOW, savings=LEAST, waiting=10) is Advice.LIST
    # A hundred pages, as far as anybody knows: 149 questions are cheaper one by one.
    assert bulk.advise(NOW, savings=149, waiting=100 * ON_A_PAGE) is Advice.ASK
    assert bulk.advise(NOW, savings=150, waiting=100 * ON_A_PAGE) is Advice.LIST


def test_what_a_listing_costs_is_learned_from_the_last_one() -> None:
    bulk = BulkLook()
    listed(bulk, NOW, *[10] * 40)
    later = NOW + PERIOD

    assert bulk.advise(later, savings=59, waiting=400) is Advice.ASK
    assert bulk.advise(later, savings=60, waiting=400) is Advice.LIST


def test_a_listing_that_finds_whom_nobody_would_have_asked_for_has_saved_nothing() -> None:
    """However many it finds."""
    bulk = BulkLook()
    bulk.begin()
    for _ in range(50):
        bulk.found(MADE, saves=0)
    bulk.goes_on(NOW, more=False)

    later = NOW + PERIOD
    assert bulk.advise(later - 1, savings=100, waiting=100) is Advice.ASK
    assert bulk.advise(later, savings=100, waiting=100) is Advice.LIST


def test_the_next_listing_is_waited_for_rather_than_made_at_once() -> None:
    bulk = BulkLook()
    listed(bulk, NOW, 50, 50)

    assert bulk.advise(NOW + 1, savings=100, waiting=100) is Advice.HOLD
    assert bulk.held_until(NOW + 1, 0.5) == NOW + PERIOD
    assert bulk.advise(NOW + PERIOD, savings=100, waiting=100) is Advice.LIST


def test_nobody_is_held_back_twice_for_one_listing() -> None:
    """It did not hold this task, or has come to nothing."""
    bulk = BulkLook()
    listed(bulk, NOW, 50, 50)

    assert bulk.advise(NOW + 1, savings=100, waiting=100, held=True) is Advice.ASK


def test_while_a_listing_is_read_its_tasks_are_held_for_moments() -> None:
    bulk = BulkLook()
    bulk.begin()

    assert bulk.advise(NOW, savings=0, waiting=1) is Advice.HOLD
    assert NOW < bulk.held_until(NOW, 0.0) < bulk.held_until(NOW, 0.9) <= NOW + 60


@given(hits=st.lists(st.sampled_from([0, 0, 0, 1, 3]), min_size=1, max_size=60))
def test_a_listing_never_costs_more_than_its_stake_beyond_what_it_finds(hits: list[int]) -> None:
    bulk = BulkLook()
    bulk.begin()
    read = found = 0
    for here in hits:
        read, found = read + 1, found + here
        for _ in range(here):
            bulk.found(None, saves=1)
        if not bulk.goes_on(NOW, more=True):
            break

    assert read - found <= STAKE


@given(waits=st.lists(st.floats(0, 2 * LONGEST_RETREAT), max_size=30))
def test_a_listing_that_finds_nothing_is_tried_ever_more_rarely_but_never_forgotten(
    waits: list[float],
) -> None:
    bulk, now, tries = BulkLook(), NOW, 0
    for wait in [*waits, LONGEST_RETREAT]:
        now += wait
        if bulk.advise(now, savings=1000, waiting=1000) is Advice.LIST:
            tries += 1
            _futile(bulk, now)

    assert tries >= 1
    assert bulk.advise(now + LONGEST_RETREAT, savings=1000, waiting=1000) is Advice.LIST
    assert tries <= 10 + (now - NOW) / LONGEST_RETREAT


def _futile(bulk: BulkLook, now: float) -> None:
    bulk.begin()
    while bulk.goes_on(now, more=True):
        pass


def test_one_that_is_refused_is_tried_again_hours_later_and_one_that_broke_soon() -> None:
    for refused, pause in ((True, REFUSED_FOR), (False, PERIOD)):
        bulk = BulkLook()
        bulk.begin()
        bulk.failed(NOW, refused=refused)

        assert bulk.advise(NOW + pause - 1, savings=1000, waiting=50) is Advice.ASK
        assert bulk.advise(NOW + pause, savings=1000, waiting=50) is Advice.LIST


def test_a_clock_that_is_set_back_does_not_end_listings_for_good() -> None:
    bulk = BulkLook()
    listed(bulk, NOW, 50)
    bulk.begin()
    bulk.failed(NOW, refused=True)
    back = NOW - 400 * 86_400

    assert bulk.advise(back, savings=1000, waiting=50) is Advice.ASK
    assert bulk.advise(back + LONGEST_RETREAT, savings=1000, waiting=50) is Advice.LIST


def test_it_looks_back_as_far_as_a_task_can_still_wait_and_then_as_far_as_one_did() -> None:
    """ "At most 14 days after the request", and some for what is late."""
    bulk = BulkLook()
    first = bulk.created_after(NOW, fresh=True)
    listed(bulk, NOW, 50)

    now = datetime.fromtimestamp(NOW, UTC)
    assert timedelta(days=14) < now - first < timedelta(days=21)
    assert bulk.created_after(NOW, fresh=True) == first
    assert first < bulk.created_after(NOW, fresh=False) < MADE
