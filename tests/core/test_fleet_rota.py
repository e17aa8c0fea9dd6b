"""Does each task have its turn: none twice at once, none starved, none after it was taken away?"""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from iceye_derivatives._core import fleet
from iceye_derivatives._core.fleet import Reach, Rota, RotaEntry

IDS = st.sampled_from([f"task-{number}" for number in range(12)])
WAITS = st.floats(0, 7200, allow_nan=False)
REACHES = st.sampled_from(list(Reach))
NOW = 1_800_000_000.0


class AnyOrderOfCalls(RuleBasedStateMachine):
    """A model of plain dicts beside the rota: due times by hand, no heap."""

    def __init__(self) -> None:
        super().__init__()
        self.rota = Rota()
        self.now = NOW
        self.due: dict[str, float] = {}
        """On a clock that is never set back, as the rota's own."""
        self.out: set[str] = set()
        self.gone_while_out: set[str] = set()
        self.behind = 0.0

    @property
    def hour(self) -> float:
        return self.now + self.behind

    @initialize(step=st.sampled_from([0, 4096]))
    def tidy_at_once_or_hardly_ever(self, step: int) -> None:
        self.untidy, fleet._UNTIDY = fleet._UNTIDY, step  # type: ignore[misc]

    def teardown(self) -> None:
        fleet._UNTIDY = getattr(self, "untidy", fleet._UNTIDY)  # type: ignore[misc]

    @rule(seconds=st.floats(0, 4000, allow_nan=False))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(seconds=st.floats(0, 90_000, allow_nan=False))
    def the_clock_is_set_back(self, seconds: float) -> None:
        self.rota.hour(self.now)
        self.now -= seconds
        self.behind += seconds

    @rule(back=st.floats(0, 90_000), ask=st.booleans(), share=st.floats(0, 1))
    def the_clock_is_set_back_while_it_is_slept(self, back: float, share: float, ask: bool) -> None:
        """Whoever sleeps ends at the moment that was due, and whatever was asked meanwhile."""
        wait = self.rota.wait(self.now)
        if wait is None:
            return
        until = self.rota.hour(self.now) + wait
        self.now += share * wait - back
        if ask:
            self.rota.wait(self.now)
        self.now += (1 - share) * wait
        self.rota.slept(until, self.now)
        self.behind += max(0.0, until - self.hour)

    @rule(task_id=IDS, wait=WAITS)
    def add(self, task_id: str, wait: float) -> None:
        known = task_id in self.due or task_id in self.out
        assert self.rota.add(task_id, self.now, self.now + wait, "") is not known
        if task_id in self.gone_while_out:
            self.gone_while_out.discard(task_id)
            self.out.add(task_id)
        elif not known:
            self.due[task_id] = self.hour + wait

    @rule(task_id=IDS)
    def remove(self, task_id: str) -> None:
        known = task_id in self.due or task_id in self.out
        assert self.rota.remove(task_id) is known
        self.due.pop(task_id, None)
        if task_id in self.out:
            self.out.discard(task_id)
            self.gone_while_out.add(task_id)

    @rule()
    def take(self) -> None:
        place = self.rota.take(self.now)
        first = min(self.due.values(), default=None)
        if place is None:
            assert first is None or first > self.hour - 1e-3
            return
        assert place.task_id not in self.out | self.gone_while_out, "out twice"
        assert first is not None
        assert self.due.pop(place.task_id) <= first + 1e-3, "another has been due longer"
        assert place.due <= self.hour + 1e-3
        self.out.add(place.task_id)

    @rule(task_id=IDS)
    def claim_for_a_listing(self, task_id: str) -> None:
        place = self.rota.claim_listed(task_id)
        if place is not None:
            assert place.reach is not Reach.ALONE
            del self.due[task_id]
            self.out.add(task_id)

    @precondition(lambda self: self.out or self.gone_while_out)
    @rule(data=st.data(), wait=WAITS, reach=REACHES)
    def land(self, data: st.DataObject, wait: float, reach: Reach) -> None:
        task_id = data.draw(st.sampled_from(sorted(self.out | self.gone_while_out)))
        wanted = task_id in self.out
        assert self.rota.land(task_id, self.now, self.now + wait, reach, "s") is wanted
        self.out.discard(task_id)
        self.gone_while_out.discard(task_id)
        if wanted:
            self.due[task_id] = self.hour + wait

    @precondition(lambda self: self.out or self.gone_while_out)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        task_id = data.draw(st.sampled_from(sorted(self.out | self.gone_while_out)))
        assert self.rota.end(task_id) is (task_id in self.out)
        self.out.discard(task_id)
        self.gone_while_out.discard(task_id)

    @rule(task_id=IDS)
    def nudge(self, task_id: str) -> None:
        assert self.rota.nudge(task_id, self.now) is (task_id in self.due or task_id in self.out)
        if task_id in self.due:
            self.due[task_id] = min(self.due[task_id], self.hour)
            place = self.rota.get(task_id)
            assert place is not None
            assert place.reach is Reach.ALONE, "a listing may hold it back"

    @invariant()
    def it_knows_who_is_there_and_until_when_it_is_nobodys_turn(self) -> None:
        assert len(self.rota) == len(self.due) + len(self.out)
        assert {place.task_id for place in self.rota.waiting()} == set(self.due)
        assert all(self.rota.is_out(task_id) for task_id in self.out)
        wait, first = self.rota.wait(self.now), min(self.due.values(), default=None)
        assert (wait is None) is (first is None)
        if wait is not None and first is not None:
            assert abs(wait - max(0.0, first - self.hour)) < 1e-3

    @invariant()
    def it_counts_what_a_listing_would_save(self) -> None:
        places = self.rota.waiting()
        fresh = sum(place.reach is Reach.FRESH for place in places)
        asking = sum(place.reach in {Reach.LISTED, Reach.HELD} for place in places)
        assert self.rota.has_fresh is (fresh > 0)
        assert self.rota.savings(self.now, 1e7) == 2 * fresh + asking
        assert self.rota.savings(self.now, 0.0) >= 2 * fresh
        spared = [self.rota.spared(place, self.now, 1e7) for place in places]
        assert sum(spared) == 2 * fresh + len(places) - fresh


TestAnyOrderOfCalls = AnyOrderOfCalls.TestCase


def test_heaps_of_those_that_left_are_tidied_away_a_few_at_a_time() -> None:
    rota = Rota(RotaEntry(NOW + number, f"{number}", Reach.LISTED, "") for number in range(20_000))
    for number in range(20_000):
        if number % 10:
            rota.remove(f"{number}")

    sizes = len(rota._heap) + len(rota._old)
    taken = [rota.take(NOW + 1e6) for _ in range(2000)]

    assert sizes < 10_000
    assert [place and place.task_id for place in taken] == [f"{n}" for n in range(0, 20_000, 10)]
    assert rota.take(NOW + 1e6) is None


def test_one_that_is_nudged_when_it_is_due_already_is_held_back_for_no_listing() -> None:
    rota = Rota()
    rota.add("a", NOW, NOW - 10, "")

    rota.nudge("a", NOW)

    assert rota.take(NOW) == RotaEntry(NOW - 10, "a", Reach.ALONE, "")
