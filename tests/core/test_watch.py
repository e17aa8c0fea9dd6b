"""Does a watch hand out each derivative exactly once, and read the three answers right?"""

from __future__ import annotations

import json
import pickle
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from strategies import EPOCH, TASK_ID, derivative, names, snapshot, snapshots, task

from iceye_derivatives import (
    Backoff,
    ConfigurationError,
    Derivative,
    NoDerivativesRequestedError,
    PermissionDeniedError,
    PollBudgetError,
    RateLimitedError,
    ServerError,
    Snapshot,
    TaskEndedError,
    TaskNotFoundError,
    TaskStatus,
    Watch,
    WatchTimeoutError,
)
from iceye_derivatives._core.decisions import (
    AskTask,
    Decision,
    Failed,
    Finished,
    Look,
    Patience,
    Wait,
)

NOW = EPOCH.timestamp()
HOUR = 3600.0


def fresh(**patience: object) -> Watch:
    watch = Watch(TASK_ID)
    watch.begin(NOW, Patience(**patience))  # type: ignore[arg-type]
    return watch


def drain(watch: Watch) -> list[Derivative]:
    taken = []
    while (one := watch.pop()) is not None:
        taken.append(one)
    return taken


def keys(one: Derivative) -> frozenset[tuple[str, int]]:
    return frozenset((ref.asset_type, ref.ordinal) for ref in one.asset_refs())


def wait_of(decision: Decision) -> float:
    assert isinstance(decision, Wait), decision
    return decision.seconds


def failure_of(decision: Decision) -> Exception:
    assert isinstance(decision, Failed), decision
    return decision.error


def server_error() -> ServerError:
    return ServerError("The API failed", status=503)


class ExactlyOnce(RuleBasedStateMachine):
    """ "Each derivative exactly once, in the order first seen, … again, marked as an update."

    Any sequence of answers, takings, and restarts from the saved text: what was shown is handed
    out, nothing is handed out twice, and an update always brings an asset that is new.
    """

    @initialize()
    def start(self) -> None:
        self.watch = fresh()
        self.shown: dict[str, set[tuple[str, int]]] = {}
        self.taken: dict[str, set[tuple[str, int]]] = {}
        self.order: list[str] = []

    @rule(answer=snapshots())
    def answer(self, answer: Snapshot) -> None:
        self.watch.receive(answer, NOW)
        for one in answer.derivatives:
            if one.assets:
                self.shown.setdefault(one.id, set()).update(keys(one))

    @rule()
    def take(self) -> None:
        one = self.watch.pop()
        if one is None:
            assert self.shown == self.taken
            return
        before = self.taken.get(one.id, set())
        assert one.is_update == (one.id in self.taken)
        assert keys(one) - before, "handed out again without anything new"
        self.taken.setdefault(one.id, set()).update(keys(one))
        if not one.is_update:
            self.order.append(one.id)

    @rule()
    def restart_elsewhere(self) -> None:
        self.watch = Watch.from_json(self.watch.to_json())
        self.watch.begin(NOW, Patience())
        # What was shown but not taken is shown again by the next look, not kept in a file.
        self.shown = {name: set(seen) for name, seen in self.taken.items()}

    @invariant()
    def delivered_is_what_was_taken_in_that_order(self) -> None:
        assert list(self.watch.delivered) == self.order

    @invariant()
    def the_saved_text_holds_no_url(self) -> None:
        assert "http" not in self.watch.to_json()
        assert "Signature" not in self.watch.to_json()


TestExactlyOnce = ExactlyOnce.TestCase


@given(st.lists(snapshots(), max_size=8))
def test_the_order_handed_out_is_the_order_first_ready(answers: list[Snapshot]) -> None:
    watch = fresh()
    first_ready: list[str] = []
    for answer in answers:
        watch.receive(answer, NOW)
        merged = Counter({one.id: len(one.assets) for one in answer.derivatives[::-1]})
        for one in answer.derivatives:
            merged[one.id] = max(merged[one.id], len(one.assets))
        listed = dict.fromkeys(one.id for one in answer.derivatives)
        first_ready += [name for name in listed if merged[name] and name not in first_ready]

    assert [one.id for one in drain(watch)] == first_ready


@given(
    st.dictionaries(names, st.sampled_from(["DC_VESSELS", "DC_AIRCRAFT"]), max_size=4),
    st.none() | st.sampled_from(list(TaskStatus)),
)
def test_a_saved_watch_reads_back_as_it_was(listed: dict[str, str], status: str | None) -> None:
    watch = fresh()
    watch.receive(
        snapshot(*(derivative(name, "geojson", product_type=listed[name]) for name in listed)), NOW
    )
    drain(watch)
    watch.status = status

    again = Watch.from_json(watch.to_json())

    assert again.to_json() == watch.to_json()
    assert (again.delivered, again.missing) == (watch.delivered, watch.missing)


@given(
    st.text()
    | st.binary()
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "version",
                        "task_id",
                        "requested",
                        "sure",
                        "status",
                        "window",
                        "listed",
                        "handed",
                    ]
                ),
                inner,
            )
        ),
    ).map(json.dumps)
)
def test_text_that_is_no_saved_watch_is_refused_by_name(text: str | bytes) -> None:
    with pytest.raises(ConfigurationError, match="no saved watch"):
        Watch.from_json(text)


# -- the three answers -----------------------------------------------------------------------------


def test_the_first_thing_to_do_is_to_look() -> None:
    assert fresh().decide(NOW, 0.5) == Look()


def test_200_with_assets_for_all_finishes_once_everything_is_taken() -> None:
    watch = fresh()
    watch.receive(snapshot(derivative("a", "geojson"), status=200), NOW)

    assert not watch.finished
    assert [one.id for one in drain(watch)] == ["a"]
    assert watch.decide(NOW, 0.5) == Finished()
    assert watch.finished


def test_206_hands_out_what_is_ready_and_looks_again() -> None:
    """ "some derivatives are still being processed" """
    watch = fresh()
    watch.receive(snapshot(derivative("a"), derivative("b", "geojson")), NOW)

    assert [one.id for one in drain(watch)] == ["b"]
    assert watch.missing == ("a",)
    assert 0 < wait_of(watch.decide(NOW, 0.99)) <= 5.0


def test_200_with_an_empty_assets_list_is_not_complete() -> None:
    watch = fresh()
    watch.receive(snapshot(derivative("a"), derivative("b", "geojson"), status=200), NOW)
    drain(watch)

    assert isinstance(watch.decide(NOW, 0.5), Wait)


def test_200_that_lacks_a_requested_type_is_not_complete() -> None:
    """The page: 200 means "All requested derivatives have products available".

    Complaint 12 (sentinel-hub/sentinelhub-py #537): the monitor never ended, or ended at 100%
    before the state was final.
    """
    watch = Watch(TASK_ID, requested=("DC_VESSELS", "DC_AIRCRAFT"))
    watch.begin(NOW, Patience())
    watch.receive(snapshot(derivative("a", "geojson"), status=200), NOW)
    drain(watch)

    assert watch.missing == ("DC_AIRCRAFT",)
    assert isinstance(watch.decide(NOW, 0.5), Wait)

    aircraft = derivative("b", "geojson", product_type="DC_AIRCRAFT")
    watch.receive(snapshot(derivative("a", "geojson"), aircraft, status=200), NOW)

    assert [one.id for one in drain(watch)] == ["b"]
    assert watch.decide(NOW, 0.5) == Finished()


def test_404_asks_for_the_task() -> None:
    watch = fresh()
    watch.receive(snapshot(status=404), NOW)

    assert watch.decide(NOW, 0.5) == AskTask()


def test_404_of_a_task_that_stays_unknown_is_not_found_after_a_grace() -> None:
    """ "Not found" just after creation must not stop the wait: the task exists a second later.

    Complaint 13 (hashicorp/go-azure-sdk #740): "not found" just after creation stops the poller.
    """
    watch = fresh(grace=120.0)
    for now in (NOW, NOW + 60, NOW + 119.9):
        watch.receive(snapshot(status=404), now)
        assert watch.decide(now, 0.5) == AskTask()
        watch.receive_unknown_task(now)
        assert isinstance(watch.decide(now, 0.5), Wait)
    watch.receive(snapshot(status=404), NOW + 120)
    watch.receive_unknown_task(NOW + 120)

    error = failure_of(watch.decide(NOW + 120, 0.5))

    assert isinstance(error, TaskNotFoundError)
    assert (error.task_id, error.status) == (TASK_ID, 404)


def test_a_fresh_task_that_becomes_known_within_the_grace_is_waited_for() -> None:
    watch = fresh()
    watch.receive(snapshot(status=404), NOW)
    watch.receive_unknown_task(NOW)
    watch.receive(snapshot(status=404), NOW + 10)
    watch.receive_task(task(TaskStatus.RECEIVED), NOW + 10)

    assert wait_of(watch.decide(NOW + 10, 0.5)) > 60


@pytest.mark.parametrize("types", [None, ()])
def test_a_task_that_lists_no_derivative_types_fails(types: tuple[str, ...] | None) -> None:
    watch = fresh()
    watch.receive(snapshot(status=404), NOW)
    watch.receive_task(task(derivative_product_types=types), NOW)

    assert isinstance(failure_of(watch.decide(NOW, 0.5)), NoDerivativesRequestedError)


def test_a_watch_that_was_told_what_was_requested_believes_that() -> None:
    """No document says that getTask echoes the types: who ordered them may insist."""
    watch = Watch(TASK_ID, requested=("DC_VESSELS",))
    watch.begin(NOW, Patience())
    watch.receive(snapshot(status=404), NOW)
    watch.receive_task(task(derivative_product_types=None), NOW)

    assert isinstance(watch.decide(NOW, 0.5), Wait)


@pytest.mark.parametrize("status", [TaskStatus.REJECTED, TaskStatus.FAILED, TaskStatus.CANCELED])
def test_an_ended_task_fails_after_what_was_ready(status: TaskStatus) -> None:
    """Trap (sentinelhub, progress): the monitor looks at the percentage and never at the status."""
    watch = fresh()
    watch.receive(snapshot(derivative("a", "geojson"), derivative("b")), NOW)
    watch.receive(snapshot(status=404), NOW)
    watch.receive_task(task(status), NOW)

    assert [one.id for one in drain(watch)] == ["a"]
    error = failure_of(watch.decide(NOW, 0.5))
    assert isinstance(error, TaskEndedError)
    assert (error.status, error.delivered, error.missing) == (status, ("a",), ("b",))


def test_an_end_learned_long_after_the_last_look_is_checked_by_one_more_look() -> None:
    """What became ready in the hours between must not be lost with the task."""
    watch = fresh()
    watch.receive(snapshot(status=404), NOW)
    watch.receive_task(task(TaskStatus.ACTIVE), NOW)
    wait_of(watch.decide(NOW, 0.5))
    watch.receive_task(task(TaskStatus.FAILED), NOW + HOUR)

    assert watch.decide(NOW + HOUR, 0.5) == Look()
    watch.receive(snapshot(derivative("a", "geojson"), derivative("b")), NOW + HOUR)
    assert [one.id for one in drain(watch)] == ["a"]
    assert isinstance(failure_of(watch.decide(NOW + HOUR, 0.5)), TaskEndedError)


def test_an_end_after_fulfilment_is_noticed_though_looks_go_on_saying_404() -> None:
    watch, now = fresh(), NOW
    watch.receive(snapshot(status=404), now)
    watch.receive_task(task(TaskStatus.FULFILLED), now)
    for _ in range(200):
        decision = watch.decide(now, 0.5)
        match decision:
            case Wait(until=until):
                now = until
            case Look():
                watch.receive(snapshot(status=404), now)
            case AskTask():
                watch.receive_task(task(TaskStatus.FAILED), now)
            case _:
                break

    assert isinstance(failure_of(decision), TaskEndedError)


def test_what_is_given_back_comes_again_and_not_as_an_update() -> None:
    """A derivative whose files did not come home was not delivered."""
    watch = fresh()
    whole = snapshot(derivative("a", "geojson"), derivative("b", "geojson"), status=200)
    watch.receive(whole, NOW)
    drain(watch)
    assert watch.finished

    watch.give_back("a")
    again = Watch.from_json(watch.to_json())
    again.begin(NOW, Patience())
    again.receive(whole, NOW)

    assert [(one.id, one.is_update) for one in drain(again)] == [("a", False)]


def test_peeking_does_not_take() -> None:
    watch = fresh()
    watch.receive(snapshot(derivative("a", "geojson")), NOW)

    assert watch.peek() == watch.peek() == watch.pop()
    assert watch.peek() is None


def test_done_does_not_mean_that_derivatives_are_ready() -> None:
    watch = fresh()
    watch.receive(snapshot(status=404), NOW)
    watch.receive_task(task(TaskStatus.DONE), NOW)
    assert watch.decide(NOW, 0.5) == Look()
    watch.receive(snapshot(status=404), NOW)

    assert isinstance(watch.decide(NOW, 0.5), Wait)


def test_an_unknown_status_is_waited_for() -> None:
    watch = fresh()
    watch.receive(snapshot(status=404), NOW)
    watch.receive_task(task("SOMETHING_NEW"), NOW)

    assert isinstance(watch.decide(NOW, 0.5), Wait)


def test_an_unknown_status_is_no_reason_to_look_rarely() -> None:
    watch, now, looks = fresh(), NOW, 0
    while now < NOW + HOUR:
        match watch.decide(now, 0.5):
            case Wait(until=until):
                now = until
            case Look():
                looks += 1
                watch.receive(snapshot(status=404), now)
            case AskTask():
                watch.receive_task(task("SOMETHING_NEW"), now)
            case other:
                raise AssertionError(other)

    assert looks > 60


def test_206_then_404_is_a_flap_and_loses_nothing() -> None:
    watch = fresh()
    watch.receive(snapshot(derivative("a", "geojson"), derivative("b")), NOW)
    watch.receive(snapshot(status=404), NOW)
    watch.receive_task(task(TaskStatus.FULFILLED), NOW)
    watch.receive(snapshot(derivative("a", "geojson"), derivative("b", "geojson"), status=200), NOW)

    assert [one.id for one in drain(watch)] == ["a", "b"]
    assert watch.finished


def test_further_assets_come_as_an_update_with_all_assets() -> None:
    watch = fresh()
    watch.receive(snapshot(derivative("a", "geojson")), NOW)
    drain(watch)
    watch.receive(snapshot(derivative("a", "geojson", "png")), NOW)

    (again,) = drain(watch)

    assert again.is_update
    assert [one.type for one in again.assets] == ["geojson", "png"]


def test_one_id_listed_twice_is_one_derivative() -> None:
    """Pages that overlap list an id twice, each time with what that page knows."""
    watch = fresh()
    watch.receive(snapshot(derivative("a", "geojson"), derivative("a", "png")), NOW)

    assert [keys(one) for one in drain(watch)] == [{("geojson", 1), ("png", 1)}]


def test_what_waits_to_be_taken_gets_the_newest_link() -> None:
    watch = fresh()
    watch.receive(snapshot(derivative("a", "geojson", serial=1)), NOW)
    watch.receive(snapshot(derivative("a", "geojson", serial=2)), NOW)

    (one,) = drain(watch)

    assert one.assets[0].url.reveal().endswith("s2")


# -- failures and patience ---------------------------------------------------------------------


def test_a_refusal_fails_at_once() -> None:
    """Complaint 15 (CS-SI/eodag #1067).

    Hopeless errors are retried for the full wait; a good wait looks frozen.
    """
    watch = fresh()
    watch.receive_failure(PermissionDeniedError("Not yours", status=403))

    assert isinstance(failure_of(watch.decide(NOW, 0.5)), PermissionDeniedError)


def test_failed_polls_have_a_budget_apart_from_the_wait() -> None:
    """Trap (hyp3-sdk, poll errors): one connection error ends the watch."""
    watch = fresh(failures=3, timeout=None)
    now = NOW
    for _ in range(2):
        assert watch.decide(now, 0.5) == Look()
        watch.receive_failure(server_error())
        now += wait_of(watch.decide(now, 0.5))
    assert watch.decide(now, 0.5) == Look()
    watch.receive_failure(server_error())

    decision = watch.decide(now, 0.5)

    assert isinstance(failure_of(decision), PollBudgetError)
    assert isinstance(decision, Failed)
    assert isinstance(decision.cause, ServerError)


def test_an_answer_refills_the_budget() -> None:
    watch = fresh(failures=2)
    for _ in range(5):
        watch.receive_failure(server_error())
        watch.receive(snapshot(derivative("a")), NOW)

    assert isinstance(watch.decide(NOW, 0.5), Wait)


def test_a_task_that_never_answers_uses_up_the_budget_though_looks_say_404() -> None:
    """Else the 404 would forgive each failed question, and both would be asked for ever."""
    watch = fresh(failures=3)
    for _ in range(3):
        watch.receive(snapshot(status=404), NOW)
        assert watch.decide(NOW, 0.5) == AskTask()
        watch.receive_failure(server_error())

    assert isinstance(failure_of(watch.decide(NOW, 0.5)), PollBudgetError)


@given(st.floats(3, 3600), st.floats(0, 1, exclude_max=True))
def test_retry_after_is_never_undercut_and_hardly_exceeded(asked: float, jitter: float) -> None:
    """Trap (eodag, Retry-After): it is logged but not used."""
    watch = fresh()
    watch.decide(NOW, jitter)
    watch.receive_failure(RateLimitedError("Slow down", status=429, retry_after=asked))

    # Unix time in a float is good to a microsecond.
    assert asked - 1e-6 <= wait_of(watch.decide(NOW, jitter)) <= asked * 1.1 + 1e-6


def test_patience_ends_with_one_last_look_and_tells_what_came() -> None:
    """A normal timeout must not read as a crash."""
    watch = fresh(timeout=3.0)
    assert watch.decide(NOW, 0.99) == Look()
    watch.receive(snapshot(derivative("a", "geojson"), derivative("b")), NOW)
    drain(watch)
    assert wait_of(watch.decide(NOW, 0.99)) == 3.0
    assert watch.decide(NOW + 3.0, 0.99) == Look()
    watch.receive(snapshot(derivative("a", "geojson"), derivative("b")), NOW + 3.0)

    error = failure_of(watch.decide(NOW + 3.0, 0.99))

    assert isinstance(error, WatchTimeoutError)
    assert isinstance(error, TimeoutError)
    assert (error.delivered, error.missing, error.watch) == (("a",), ("b",), watch)
    assert "missing: b" in str(error)


def test_no_patience_at_all_still_looks_once() -> None:
    watch = fresh(timeout=0.0)
    assert watch.decide(NOW, 0.5) == Look()
    watch.receive(snapshot(derivative("a")), NOW)

    assert isinstance(failure_of(watch.decide(NOW, 0.5)), WatchTimeoutError)


def test_a_watch_that_timed_out_goes_on_with_fresh_patience() -> None:
    watch = fresh(timeout=0.0)
    watch.receive(snapshot(derivative("a", "geojson"), derivative("b")), NOW)
    drain(watch)
    watch.begin(NOW + HOUR, Patience())
    assert watch.decide(NOW + HOUR, 0.5) == Look()
    watch.receive(snapshot(derivative("a", "geojson"), derivative("b", "geojson"), status=200), NOW)

    assert [one.id for one in drain(watch)] == ["b"]
    assert watch.finished


def test_an_error_of_a_watch_pickles_without_links() -> None:
    watch = fresh(timeout=0.0)
    watch.receive(snapshot(derivative("a", "geojson", serial=77)), NOW)
    watch.decide(NOW, 0.5)
    watch.receive(snapshot(derivative("a", "geojson", serial=77)), NOW)
    pickled = pickle.dumps(failure_of(watch.decide(NOW, 0.5)))

    assert b"s77" not in pickled
    assert pickle.loads(pickled).watch.task_id == TASK_ID  # noqa: S301  our own bytes


# -- the rhythm --------------------------------------------------------------------------------


def test_before_the_window_opens_it_looks_rarely_but_is_awake_when_it_does() -> None:
    watch = fresh()
    watch.receive(snapshot(status=404), NOW)
    watch.receive_task(task(TaskStatus.ACTIVE), NOW)

    assert wait_of(watch.decide(NOW, 0.5)) == 3 * HOUR

    almost = NOW + 24 * HOUR - 60
    watch.receive_task(task(TaskStatus.ACTIVE), almost)
    assert wait_of(watch.decide(almost, 0.99)) == 60


def test_while_received_a_rejection_is_noticed_within_minutes() -> None:
    watch = fresh()
    watch.receive(snapshot(status=404), NOW)
    watch.receive_task(task(TaskStatus.RECEIVED), NOW)

    assert wait_of(watch.decide(NOW, 0.99)) < 10 * 60


def test_before_the_image_only_the_status_is_asked_for_but_now_and_then_the_endpoint() -> None:
    """ "A client must not take DONE as ready": the endpoint has the last word, even early."""
    watch, now, asked = fresh(), NOW, []
    watch.decide(now, 0.5)
    watch.receive(snapshot(status=404), now)
    for _ in range(40):
        match watch.decide(now, 0.5):
            case Wait(until=until):
                now = until
            case AskTask():
                asked.append("task")
                watch.receive_task(task(TaskStatus.RECEIVED), now)
            case Look():
                asked.append("derivatives")
                watch.receive(snapshot(status=404), now)
            case other:
                raise AssertionError(other)

    assert Counter(asked)["task"] > 4 * Counter(asked)["derivatives"] > 0


def test_a_clock_that_is_set_back_does_not_silence_a_watch() -> None:
    watch = fresh()
    watch.receive(snapshot(derivative("a")), NOW)
    planned = wait_of(watch.decide(NOW, 0.5))

    assert wait_of(watch.decide(NOW - 6 * HOUR, 0.5)) <= planned


def test_fulfilment_makes_it_quick_at_once() -> None:
    watch = fresh()
    watch.receive(snapshot(status=404), NOW)
    watch.receive_task(task(TaskStatus.ACTIVE), NOW)
    watch.receive_task(task(TaskStatus.FULFILLED), NOW + HOUR)
    assert watch.decide(NOW + HOUR, 0.99) == Look()
    watch.receive(snapshot(status=404), NOW + HOUR)

    assert wait_of(watch.decide(NOW + HOUR, 0.99)) <= 7.5


@given(st.integers(1, 200))
def test_silence_slows_and_news_makes_it_quick_again(quiet: int) -> None:
    """Complaint 8 (planetlabs/planet-client-python #843).

    Fixed delay and try count make users do arithmetic.
    """
    watch, now, ceilings = fresh(), NOW, []
    watch.decide(now, 0.999)
    for _ in range(quiet):
        watch.receive(snapshot(derivative("a"), derivative("b")), now)
        ceilings.append(wait_of(watch.decide(now, 0.999)))
        now += ceilings[-1]
        assert watch.decide(now, 0.999) == Look()

    assert ceilings == sorted(ceilings)
    assert ceilings[-1] <= 10 * 60

    watch.receive(snapshot(derivative("a", "geojson"), derivative("b")), now)
    drain(watch)
    assert wait_of(watch.decide(now, 0.999)) <= 5.0


def test_the_longer_the_window_is_open_the_rarer_it_looks_up_to_two_hours() -> None:
    watch = fresh()
    opened = NOW + 24 * HOUR
    waits = []
    for hours in range(0, 72, 3):
        watch.receive_task(task(TaskStatus.ACTIVE), opened + hours * HOUR)
        if watch.decide(opened + hours * HOUR, 0.5) == Look():
            watch.receive(snapshot(status=404), opened + hours * HOUR)
        waits.append(wait_of(watch.decide(opened + hours * HOUR, 0.5)))

    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (0.5 * 0.75 * HOUR, 0.5 * 2 * HOUR)


def test_one_setting_scales_the_whole_rhythm() -> None:
    """Complaint 8 (planetlabs/planet-client-python #843).

    Fixed delay and try count make users do arithmetic.
    Complaint (Azure/azure-sdk-for-python #1120): nobody finds how to change the poll interval.
    """
    watch = fresh(backoff=Backoff(initial=0.01, maximum=0.06))
    watch.receive(snapshot(status=404), NOW)
    watch.receive_task(task(TaskStatus.ACTIVE), NOW)

    assert wait_of(watch.decide(NOW, 0.999)) <= 360 * 0.06


def test_the_reason_for_a_wait_is_a_sentence_for_people() -> None:
    watch = fresh()
    watch.receive(snapshot(status=404), NOW)
    watch.receive_task(task(TaskStatus.ACTIVE), NOW)
    decision = watch.decide(NOW, 0.5)

    assert isinstance(decision, Wait)
    assert decision.reason == "the task is ACTIVE and its acquisition window opens in 24 h"
