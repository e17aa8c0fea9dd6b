"""Does a fleet look, tell and end as it says, however it is left?"""

from __future__ import annotations

import math
import random
from collections import Counter
from contextlib import AbstractAsyncContextManager, aclosing
from datetime import datetime
from itertools import cycle

import anyio
import anyio.lowlevel
import pytest
import trio.testing
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from strategies import EPOCH, derivative, snapshot, task

from iceye_derivatives import (
    AuthenticationError,
    Availability,
    ConfigurationError,
    DerivativeReady,
    Fleet,
    FleetState,
    IceyeError,
    PermissionDeniedError,
    PollFailed,
    RateLimitedError,
    Scene,
    ServerError,
    Snapshot,
    SnapshotReceived,
    Task,
    TaskEndedError,
    TaskNotFoundError,
    TaskStatus,
    TaskStatusReceived,
    Waiting,
    Watch,
    WatchEvent,
    WatchFailed,
    WatchFinished,
    WatchTimeoutError,
)
from iceye_derivatives._core import fleet_park
from iceye_derivatives._core.bulk import GLIMPSE, PERIOD, STAKE
from iceye_derivatives._core.decisions import Patience
from iceye_derivatives._core.fleet import Place, Reach
from iceye_derivatives._core.fleet_park import Garage
from iceye_derivatives._core.nudges import Nudges
from iceye_derivatives._core.responses import TaskPage
from iceye_derivatives.fleet import FleetSettings, _resumed, _Slots, open_fleet
from iceye_derivatives.simulator import VirtualClock

pytestmark = pytest.mark.anyio

HOUR = 3600.0
START = EPOCH.timestamp()

trios_clock = pytest.mark.parametrize(
    "anyio_backend", [("trio", {"clock": trio.testing.MockClock(autojump_threshold=0)})]
)
both = pytest.mark.parametrize(
    "anyio_backend", ["asyncio", ("trio", {"clock": trio.testing.MockClock(autojump_threshold=0)})]
)


class Jumping:
    """Time that jumps to the next deadline when nothing else is going on, on both loops."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self._virtual = VirtualClock(start=START, pause=0.0)
        self._zero: float | None = None
        self._asleep = 0
        self._counts: list[tuple[int, int]] | None = None

    def time(self) -> float:
        if not trio.lowlevel.in_trio_run():
            return self._virtual.time() + self.ahead
        if self._zero is None:
            self._zero = trio.current_time()
        return START + trio.current_time() - self._zero + self.ahead

    async def sleep(self, seconds: float, /) -> None:
        self._asleep += 1
        if self._counts is not None:
            self._counts.append((self._asleep, len(anyio.get_running_tasks())))
        try:
            if not trio.lowlevel.in_trio_run():
                await self._virtual.sleep(seconds)
            else:
                await trio.sleep(seconds)
        finally:
            self._asleep -= 1

    def count_sleepers(self) -> list[tuple[int, int]]:
        """How many sleep, and how many tasks of the loop there are, whenever one falls asleep."""
        self._counts = []
        return self._counts


class World:
    """Tasks that are imaged and ready at their times; answers as the API does, and counts."""

    def __init__(self, clock: Jumping, ready: dict[str, float]) -> None:
        self.clock = clock
        self.ready = ready
        self.failing: dict[str, Exception] = {}
        self.asked: Counter[tuple[str, str]] = Counter()
        self.looking: set[str] = set()
        self.most = 0
        self.page_size = 50
        self.listing: list[str] = list(ready)
        self.refusal: Exception | None = None
        self.pages_read = 0
        self.takes = 0.05
        self.list_tells_types = True

    def since(self) -> float:
        return self.clock.time() - START

    async def _begin(self, task_id: str, what: str) -> None:
        assert task_id not in self.looking, "asked twice at once"
        self.asked[task_id, what] += 1
        self.looking.add(task_id)
        self.most = max(self.most, len(self.looking))
        try:
            await self.clock.sleep(self.takes)
        finally:
            self.looking.discard(task_id)
        if task_id in self.failing:
            raise self.failing[task_id]

    async def look_at_derivatives(self, task_id: str) -> Snapshot:
        await self._begin(task_id, "derivatives")
        if self.since() < self.ready[task_id]:
            return evolve(snapshot(status=404), task_id=task_id)
        found = evolve(derivative(f"of-{task_id}", "geojson"), task_id=task_id)
        return Snapshot(task_id=task_id, availability=Availability.COMPLETE, derivatives=(found,))

    def task(self, task_id: str) -> Task:
        imaged = self.since() >= self.ready[task_id] - 600
        return task(TaskStatus.FULFILLED if imaged else TaskStatus.ACTIVE, id=task_id)

    async def look_at_task(self, task_id: str) -> Task:
        await self._begin(task_id, "task")
        return self.task(task_id)

    async def look_at_scene(self, task_id: str) -> Scene:
        await self._begin(task_id, "scene")
        raise TaskNotFoundError("no scene", status=404, task_id=task_id)

    async def task_page(
        self,
        *,
        cursor: str | None,
        contract_id: str | None,
        created_after: datetime | None,
        created_before: datetime | None,
    ) -> TaskPage:
        self.pages_read += 1
        await self.clock.sleep(0.05)
        if self.refusal is not None:
            raise self.refusal
        begin = int(cursor or 0)
        end = begin + self.page_size
        tasks = tuple(
            self.task(task_id) if task_id in self.ready else task(TaskStatus.ACTIVE, id=task_id)
            for task_id in self.listing[begin:end]
        )
        if not self.list_tells_types:
            tasks = tuple(evolve(one, derivative_product_types=None) for one in tasks)
        return TaskPage(tasks=tasks, cursor=f"{end}" if end < len(self.listing) else None)

    def requests(self, *kinds: str) -> int:
        return sum(n for (_, kind), n in self.asked.items() if kind in kinds or not kinds)


def world(*names: str, ready: float = 0.0) -> World:
    return World(Jumping(), dict.fromkeys(names, ready))


def watching(
    source: World,
    *more: str,
    state: FleetState | None = None,
    patience: Patience | None = None,
    heartbeats: bool = False,
    keep_open: bool = False,
    bulk: bool = False,
    concurrency: int = 4,
    nudges: Nudges | None = None,
    only: tuple[str, ...] | None = None,
) -> AbstractAsyncContextManager[Fleet]:
    return open_fleet(
        (*(source.ready if only is None else only), *more),
        FleetSettings(
            source=source,
            pages=source if bulk else None,
            clock=source.clock,
            jitter=lambda: 0.5,
            patience=Patience() if patience is None else patience,
            heartbeats=heartbeats,
            keep_open=keep_open,
            concurrency=concurrency,
            nudges=Nudges() if nudges is None else nudges,
        ),
        state=state,
    )


async def drained(fleet: Fleet) -> list[WatchEvent]:
    return [event async for event in fleet]


def kinds(events: list[WatchEvent], task_id: str) -> list[str]:
    return [type(event).__name__ for event in events if event.task_id == task_id]


# -- what is told ----------------------------------------------------------------------------------


@both
async def test_each_task_tells_its_own_story_in_order(anyio_backend: object) -> None:
    source = world("a", "b", ready=HOUR)

    async with watching(source) as fleet:
        events = await drained(fleet)

    story = ["TaskStatusReceived", "TaskStatusReceived", "DerivativeReady", "WatchFinished"]
    assert kinds(events, "a") == kinds(events, "b") == story


async def test_heartbeats_are_told_on_request_only() -> None:
    source = world("a", ready=HOUR)
    source.failing["b"] = ServerError("down", status=503)

    async with watching(source, "b", heartbeats=True, patience=Patience(failures=2)) as fleet:
        events = await drained(fleet)

    told = {type(event) for event in events}
    assert told >= {SnapshotReceived, TaskStatusReceived, Waiting, PollFailed, WatchFailed}

    async with watching(source, "b", patience=Patience(failures=2)) as fleet:
        told = {type(event) for event in await drained(fleet)}
    assert told == {DerivativeReady, WatchFinished, WatchFailed}


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (PermissionDeniedError("not yours", status=403), PermissionDeniedError),
        (TaskNotFoundError("unknown", status=404), TaskNotFoundError),
    ],
)
async def test_one_failed_task_is_an_event_and_disturbs_no_other(
    error: Exception, kind: type[Exception]
) -> None:
    source = world("a", "bad", "c", ready=HOUR)
    source.failing["bad"] = error

    async with watching(source) as fleet:
        events = await drained(fleet)

    (failed,) = [event for event in events if isinstance(event, WatchFailed)]
    assert (failed.task_id, type(failed.error)) == ("bad", kind)
    assert sum(isinstance(event, WatchFinished) for event in events) == 2


class VaultSealedError(IceyeError):
    """What somebody's own `TokenSource` raises: it may pass."""

    retryable = True


async def test_a_passing_error_of_somebody_elses_class_ends_its_own_watch_alone() -> None:
    source = world("a", "b", ready=HOUR)
    source.failing["a"] = VaultSealedError("the vault is sealed")

    async with watching(source, patience=Patience(failures=3)) as fleet:
        events = await drained(fleet)

    assert kinds(events, "a") == ["WatchFailed"]
    assert kinds(events, "b")[-1] == "WatchFinished"


async def test_a_failure_says_what_the_watch_of_one_task_would_have_said() -> None:
    source = world("a", ready=10 * HOUR)

    async with watching(source, patience=Patience(timeout=HOUR)) as fleet:
        events = await drained(fleet)

    assert isinstance(events[-1], WatchFailed)
    assert isinstance(events[-1].error, WatchTimeoutError)
    assert source.clock.time() - START < 1.1 * HOUR


async def test_a_refused_token_ends_the_whole_and_harms_no_task() -> None:
    source = world("a", "b", ready=HOUR)
    source.failing = dict.fromkeys("ab", AuthenticationError("refused", status=401))

    with pytest.raises(AuthenticationError):
        async with watching(source) as fleet:
            await drained(fleet)

    source.failing.clear()
    async with watching(source, state=fleet.state(), only=()) as again:
        events = await drained(again)
    assert sum(isinstance(event, DerivativeReady) for event in events) == 2


# -- how it is left: trio's list for `as_safe_channel` ---------------------------------------------


@both
async def test_an_empty_fleet_ends_at_once(anyio_backend: object) -> None:
    async with watching(world()) as fleet:
        assert await drained(fleet) == []


async def test_exhausted_it_ends_again_and_again() -> None:
    async with watching(world("a")) as fleet:
        await drained(fleet)
        with pytest.raises(anyio.EndOfStream):
            await fleet.receive()


@both
async def test_a_break_leaves_nothing_behind(anyio_backend: object) -> None:
    source = world("a", "b", "c")

    async with watching(source) as fleet:
        async for _ in fleet:
            break

    assert not source.looking
    with pytest.raises(anyio.ClosedResourceError):
        await fleet.receive()


@both
async def test_closing_the_stream_ends_the_looks_but_not_the_body(anyio_backend: object) -> None:
    source = world("a", "b", ready=HOUR)

    async with watching(source) as fleet:
        await fleet.receive()
        await fleet.aclose()
        await anyio.wait_all_tasks_blocked()
        asked = source.requests()
        await source.clock.sleep(10 * HOUR)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(anyio.ClosedResourceError):
            await fleet.receive()

    assert source.requests() == asked


@both
async def test_cancelled_from_outside_it_is_gone(anyio_backend: object) -> None:
    source = world("a", "b", ready=HOUR)

    with anyio.CancelScope() as scope:
        async with watching(source) as fleet:
            async for _ in fleet:
                scope.cancel()

    assert scope.cancelled_caught
    assert not source.looking
    assert set(fleet.state().task_ids) == {"a", "b"}


@both
async def test_an_error_of_the_body_is_raised_as_it_is(anyio_backend: object) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        async with watching(world("a")):
            raise ZeroDivisionError

    assert caught.value.__context__ is None


async def test_a_group_of_the_body_is_raised_as_it_is() -> None:
    group = ExceptionGroup("two", [ValueError(), KeyError()])

    with pytest.raises(ExceptionGroup) as caught:
        async with watching(world("a")):
            raise group

    assert caught.value is group


async def test_an_error_of_the_body_beside_one_of_ours_stays_beside_it() -> None:
    source = world("a")
    source.failing["a"] = RuntimeError("a bug")

    with pytest.raises(ExceptionGroup) as caught:
        async with watching(source):
            try:
                await anyio.sleep_forever()
            finally:
                raise KeyError

    assert {type(one) for one in caught.value.exceptions} >= {KeyError}
    assert caught.group_contains(RuntimeError)


async def test_a_bug_of_a_source_is_raised_and_not_hidden() -> None:
    source = world("a")
    source.failing["a"] = RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        async with watching(source) as fleet:
            await drained(fleet)


@both
async def test_a_deadline_around_each_receive_loses_nothing(anyio_backend: object) -> None:
    """The trap of a memory stream: an item that was handed over while its reader is cancelled."""
    source = world(*(f"{number}" for number in range(30)), ready=HOUR)
    got: list[WatchEvent] = []

    async with watching(source) as fleet:
        for turn in range(100_000):
            with anyio.CancelScope() as scope:
                if turn % 3:
                    scope.cancel()  # it is cancelled before, or in the middle of the next await
                try:
                    got.append(await fleet.receive())
                except anyio.EndOfStream:
                    break
                scope.cancel()

    assert Counter(e.derivative.id for e in got if isinstance(e, DerivativeReady)) == Counter(
        f"of-{number}" for number in range(30)
    )


# -- how much is done at a time --------------------------------------------------------------------


async def test_a_slow_reader_holds_the_looks_back() -> None:
    """No look begins while an event waits: each worker is at most one look ahead."""
    source = world(*(f"{number}" for number in range(50)))

    async with watching(source, concurrency=3) as fleet:
        await fleet.receive()
        for _ in range(5):
            await anyio.wait_all_tasks_blocked()
            await source.clock.sleep(HOUR)
        assert source.requests("derivatives") <= 1 + 3

        events = await drained(fleet)

    assert sum(isinstance(event, WatchFinished) for event in events) == 50


@pytest.mark.parametrize("concurrency", [1, 3, 16])
async def test_no_more_looks_than_allowed_are_under_way(concurrency: int) -> None:
    source = world(*(f"{number}" for number in range(50)))

    source.takes = 5.0

    async with watching(source, concurrency=concurrency) as fleet:
        await drained(fleet)

    assert source.most == concurrency


async def test_of_those_that_are_due_the_soonest_is_looked_at_first() -> None:
    """However many wait for a worker, and in whatever order they were added."""
    draw = random.Random(1)
    source = world(*(f"{number}" for number in range(60)), ready=20 * HOUR)
    source.takes = 5.0  # three workers are kept busy, so that a line of those due comes about
    dues = {task_id: START + draw.uniform(0, 60) for task_id in source.ready}
    places = tuple(Place(due, task_id, Reach.ALONE, "[]") for task_id, due in dues.items())

    async with watching(
        source, state=FleetState(places), only=(), heartbeats=True, concurrency=3
    ) as fleet:
        while len({task_id for task_id, _ in source.asked}) < len(dues):
            await fleet.receive()

    first_asked = [*dict.fromkeys(task_id for task_id, _ in source.asked)]
    assert first_asked == sorted(dues, key=dues.__getitem__)


async def test_those_that_wait_take_neither_a_timer_nor_a_coroutine_each() -> None:
    """Workers, one of whom keeps the time: so many whether two tasks wait or two hundred."""
    most = []
    for tasks in (5, 200):
        source = world(*(f"{number}" for number in range(tasks)), ready=3600)
        counted = source.clock.count_sleepers()
        async with watching(source, concurrency=3) as fleet:
            await drained(fleet)
        most.append([max(each) for each in zip(*counted, strict=True)])

    assert most[0] == most[1]
    assert most[0][0] <= 3


async def test_first_looks_are_spread_as_the_rate_allows() -> None:
    source = world(*(f"{number}" for number in range(100)))

    async with watching(source) as fleet:
        await drained(fleet)

    assert 99 * 0.2 <= source.since() <= 102 * 0.2


@given(
    dues=st.lists(st.floats(-1e6, 1e6), max_size=40),
    jitters=st.lists(st.floats(0, 1, exclude_max=True), min_size=1),
)
def test_whatever_was_due_while_nobody_was_there_is_spread_in_the_order_in_which_it_was_due(
    dues: list[float], jitters: list[float]
) -> None:
    """The law of a restart: one of them an interval, and who is not due yet keeps its time."""
    draws = cycle(jitters)
    settings = FleetSettings(
        source=world(), clock=Jumping(), jitter=lambda: next(draws), interval=0.5
    )
    places = tuple(Place(START + due, f"{n}", Reach.ALONE, "[]") for n, due in enumerate(dues))

    rota = _resumed(FleetState(places), _Slots(settings), START)
    late = sorted(place for place in places if place.due <= START)
    now = {place.task_id: place.due for place in rota.waiting()}

    for number, place in enumerate(late):
        assert 0.5 * number <= now[place.task_id] - START <= 0.5 * (number + 1)
    for place in set(places) - set(late):
        assert now[place.task_id] == place.due


async def test_a_clock_that_is_set_back_does_not_keep_new_tasks_waiting() -> None:
    source = world("a", "b")

    async with watching(source, only=("a",), keep_open=True) as fleet:
        assert isinstance(await fleet.receive(), DerivativeReady)
        source.clock.ahead -= 5 * HOUR
        begun = source.clock.time()
        await fleet.add(["b"])
        while (await fleet.receive()).task_id != "b":
            pass

        assert source.clock.time() - begun < 5


def test_settings_that_cannot_be_used_are_refused_at_once() -> None:
    with pytest.raises(ConfigurationError, match="concurrency=0"):
        watching(world("a"), concurrency=0)
    with pytest.raises(ConfigurationError, match="is one string"):
        open_fleet("a-task", FleetSettings(source=world(), clock=Jumping(), jitter=float))


# -- who comes and goes while it runs --------------------------------------------------------------


async def test_tasks_are_added_while_it_runs_each_once() -> None:
    source = world("a", "b", "c")

    async with watching(source, only=("a",)) as fleet:
        assert await fleet.add(["a", "b", "c", "b"]) == 2
        assert len(fleet) == 3
        events = await drained(fleet)

    assert Counter(e.task_id for e in events if isinstance(e, DerivativeReady)) == Counter("abc")


async def test_one_that_was_taken_away_is_never_asked_for_again() -> None:
    source = world("a", "b", ready=2 * HOUR)

    async with watching(source) as fleet:
        await fleet.receive()
        assert await fleet.remove(["a", "unknown"]) == 1
        assert "a" not in fleet
        asked = source.asked["a", "task"], source.asked["a", "derivatives"]
        events = await drained(fleet)

    assert {event.task_id for event in events} == {"b"}
    assert (source.asked["a", "task"], source.asked["a", "derivatives"]) == asked


@pytest.mark.parametrize("seed", range(8))
async def test_each_is_told_of_while_it_is_there_and_not_else_however_they_come_and_go(
    seed: int,
) -> None:
    """The law of `add` and `remove`, also in the middle of a look, and for those that come back.

    Who comes back in the middle of a look goes on with it: what was told before is not told again.
    """
    draw = random.Random(seed)
    names = [f"{number}" for number in range(12)]
    source = World(Jumping(), {name: draw.uniform(0, 2 * HOUR) for name in names})
    source.takes = 30.0
    there: dict[str, int] = {}
    told = set[str]()

    def heard(event: WatchEvent) -> None:
        assert event.task_id in there, "told of one that is not there"
        if isinstance(event, DerivativeReady):
            there[event.task_id] += 1
            assert there[event.task_id] == 1, "told twice"
            told.add(event.task_id)
        if isinstance(event, WatchFinished):
            del there[event.task_id]
            assert event.task_id in told, "finished without its derivative"

    async with watching(source, only=(), keep_open=True, bulk=True) as fleet:
        for _ in range(150):
            name, what = draw.choice(names), draw.choice(["add", "remove", "receive"])
            if what == "add":
                assert await fleet.add([name]) == (name not in there)
                there.setdefault(name, 0)
            elif what == "remove":
                assert await fleet.remove([name]) == (name in there)
                there.pop(name, None)
            elif there:
                heard(await fleet.receive())
            assert len(fleet) == len(there)
        while there:
            heard(await fleet.receive())


async def test_what_waits_to_be_read_of_one_taken_away_is_not_told() -> None:
    source = world("a")

    async with watching(source, keep_open=True) as fleet:
        await anyio.wait_all_tasks_blocked()  # its derivative lies on the desk now
        await fleet.remove(["a"])
        with anyio.move_on_after(0.01):
            pytest.fail(f"told all the same: {await fleet.receive()}")
        await fleet.add(["a"])
        assert isinstance(await fleet.receive(), DerivativeReady)


async def test_an_open_fleet_waits_for_more_when_none_is_left() -> None:
    source = world("a", "b")

    async with watching(source, only=("a",), keep_open=True) as fleet:
        assert isinstance(await fleet.receive(), DerivativeReady)
        assert isinstance(await fleet.receive(), WatchFinished)
        assert len(fleet) == 0
        await fleet.add(["b"])
        assert (await fleet.receive()).task_id == "b"


async def test_a_nudged_task_is_looked_at_now() -> None:
    nudges = Nudges()
    source = world("a", "b", ready=2 * HOUR)
    early: list[float] = []

    async with watching(source, nudges=nudges) as fleet:
        async for event in fleet:
            if isinstance(event, TaskStatusReceived) and not early:
                early.append(source.since())
                source.ready["a"] = 0.0  # it is ready long before anybody would have looked
                assert nudges.nudge("a")
                assert not nudges.nudge("unknown")
            if isinstance(event, DerivativeReady):
                early.append(source.since())
                break

    assert early[1] - early[0] < 5
    assert not nudges.nudge("a")


async def test_a_nudge_does_not_shorten_what_the_api_asked_for() -> None:
    source = world("a", ready=HOUR)
    source.failing["a"] = RateLimitedError("slow down", status=429, retry_after=900.0)

    async with watching(source, heartbeats=True, keep_open=True) as fleet:
        async for event in fleet:
            if isinstance(event, Waiting):
                break
        for _ in range(20):
            fleet.nudge("a")
            await anyio.wait_all_tasks_blocked()

        assert source.requests() <= 2


# -- saved and resumed -----------------------------------------------------------------------------


async def test_a_fleet_killed_after_any_event_and_resumed_loses_nothing_and_repeats_nothing() -> (
    None
):
    names = [f"{number}" for number in range(6)]

    async def run(source: World, state: FleetState | None, events: int) -> tuple[list[str], str]:
        got: list[str] = []
        async with watching(
            source, state=state, only=tuple(names) if state is None else ()
        ) as fleet:
            text = await fleet.to_json()
            async for event in fleet:
                if isinstance(event, DerivativeReady):
                    got.append(event.derivative.id)
                text = await fleet.to_json()
                events -= 1
                if not events:
                    break
        return got, text

    for stop in range(1, 25):
        source = world(*names, ready=HOUR)
        first, text = await run(source, None, stop)
        rest, _ = await run(source, FleetState.from_json(text), -1)
        assert Counter(first + rest) == Counter(f"of-{name}" for name in names), stop


async def test_a_resumed_fleet_keeps_its_plans() -> None:
    """Nothing is asked again just because the program was started again."""
    source = world(*(f"{number}" for number in range(40)), ready=20 * HOUR)
    async with watching(source, keep_open=True) as fleet:
        for _ in range(40):
            await fleet.receive()
        await anyio.wait_all_tasks_blocked()
        saved = fleet.state()

    resumed = FleetState.from_json(saved.to_json())
    async with watching(source, state=resumed, only=(), keep_open=True) as fleet:
        kept = fleet.state()

    assert len(kept) == 40
    assert set(kept.places()) == set(saved.places())


async def test_what_came_due_while_nobody_was_there_is_no_herd() -> None:
    source = world(*(f"{number}" for number in range(100)), ready=20 * HOUR)
    async with watching(source) as fleet:
        state = fleet.state()
    source.clock.ahead += 5 * HOUR

    async with watching(source, state=state, only=(), heartbeats=True) as fleet:
        begun = source.clock.time()
        for _ in range(50):
            await fleet.receive()
        assert source.clock.time() - begun > 2


async def test_derivatives_that_are_not_dealt_with_yet_come_again() -> None:
    source = world("a", "b")
    async with watching(source) as fleet:
        got = {d.task_id: d async for d in fleet.derivatives()}
        state = fleet.state(unsettled=[got["a"]])

    async with watching(source, state=state, only=()) as again:
        rest = [d.task_id async for d in again.derivatives()]

    assert rest == ["a"]


async def test_with_one_of_a_finished_task_its_others_come_again_too() -> None:
    """Nothing is remembered of a task that has finished; of one that goes on, one comes alone."""
    source = world("a")
    names = ("first", "second")
    found = tuple(evolve(derivative(name, "geojson"), task_id="a") for name in names)

    async def look(task_id: str) -> Snapshot:
        await source._begin(task_id, "derivatives")
        return Snapshot(task_id="a", availability=Availability.COMPLETE, derivatives=found)

    source.look_at_derivatives = look  # type: ignore[method-assign]
    async with watching(source) as fleet:
        got = [await fleet.receive(), await fleet.receive()]
        before = fleet.state(unsettled=[found[1]])
        assert isinstance(await fleet.receive(), WatchFinished)
        after = fleet.state(unsettled=[found[1]])

    assert [event.derivative for event in got if isinstance(event, DerivativeReady)] == [*found]
    for state, expected in ((before, ["second"]), (after, [*names])):
        async with watching(source, state=state, only=()) as again:
            assert [one.id async for one in again.derivatives()] == expected


async def test_the_derivatives_alone_are_easy_to_have() -> None:
    source = world("a", "bad", "c")
    source.failing["bad"] = PermissionDeniedError("not yours", status=403)
    told: list[WatchEvent] = []

    async with watching(source) as fleet, aclosing(fleet.derivatives(told.append)) as derivatives:
        got = [one.id async for one in derivatives]

    assert got == ["of-a", "of-c"]
    assert any(isinstance(event, WatchFailed) for event in told)


# -- many at once ----------------------------------------------------------------------------------


def many(number: int, ready: float = 20 * HOUR) -> World:
    return world(*(f"{n}" for n in range(number)), ready=ready)


async def run_all(source: World, **settings: bool) -> list[WatchEvent]:
    async with watching(source, **settings) as fleet:  # type: ignore[arg-type]
        events = await drained(fleet)
    finished = [event.task_id for event in events if isinstance(event, WatchFinished)]
    assert sorted(finished) == sorted(source.ready)
    return events


async def test_listing_many_costs_a_fraction_of_asking_for_each() -> None:
    one_by_one, listed = many(200), many(200)

    alone = await run_all(one_by_one)
    together = await run_all(listed, bulk=True)

    assert listed.requests() + listed.pages_read < one_by_one.requests() / 2
    assert [type(event) for event in together].count(TaskStatusReceived) == 400
    assert len(alone) == len(together)


@pytest.mark.parametrize("seed", range(6))
async def test_listing_never_costs_much_more_than_asking_one_by_one_nor_holds_anybody_up_for_long(
    seed: int,
) -> None:
    """The law, for listings that hold few or many of ours among few or many of others."""
    draw = random.Random(seed)
    ready = {f"{n}": draw.uniform(HOUR, 10 * HOUR) for n in range(draw.choice([5, 40, 80]))}
    held = draw.choice([0.0, 0.3, 1.0])
    others = [f"other-{n}" for n in range(draw.choice([0, 50, 1_000]))]
    listing = [name for name in ready if draw.random() < held] + others
    draw.shuffle(listing)
    cost, longest = [], 0.0
    for bulk in (False, True):
        source = World(Jumping(), ready)
        source.listing = listing
        due: dict[str, float] = {}
        async with watching(source, bulk=bulk, heartbeats=True) as fleet:
            async for event in fleet:
                longest = max(longest, source.clock.time() - due.pop(event.task_id, math.inf))
                if isinstance(event, Waiting):
                    due[event.task_id] = event.until
        # The looks that follow are more where the image was heard of sooner, which is no loss.
        cost.append(source.requests("task", "scene") + source.pages_read)

    # Attempts that find nothing are made ever more rarely: a few pages each, six in ten hours.
    assert cost[1] <= cost[0] + 6 * STAKE
    assert longest <= PERIOD + 2 * GLIMPSE + 10


@pytest.mark.parametrize(
    "refusal",
    [
        PermissionDeniedError("no listing for you", status=403),
        TaskNotFoundError("no such page", status=404),
        ServerError("down", status=503),
    ],
)
async def test_where_the_listing_fails_each_is_asked_for_alone(refusal: Exception) -> None:
    source = many(50)
    source.refusal = refusal

    await run_all(source, bulk=True)

    assert 1 <= source.pages_read < 300


async def test_a_listing_of_others_tasks_is_given_up_and_tried_ever_more_rarely() -> None:
    source = many(50)
    source.listing = [f"other-{number}" for number in range(10_000)]

    await run_all(source, bulk=True)

    assert 5 <= source.pages_read <= 60


async def test_a_listing_that_does_not_tell_the_product_types_condemns_no_task() -> None:
    source = many(50)
    source.list_tells_types = False

    events = await run_all(source, bulk=True)

    assert not [event for event in events if isinstance(event, WatchFailed)]


async def test_a_watch_that_is_kept_whole_is_there_after_such_a_listing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(garage: Garage, watch: Watch) -> str:
        raise fleet_park._Unwritten

    source = world("a", ready=20 * HOUR)
    async with watching(source, only=(), bulk=True, keep_open=True) as fleet:
        monkeypatch.setattr(Garage, "_write", refused)
        now = source.clock.time()
        watch = fleet._garage.fresh("a", now)
        fleet._rota.add("a", now, now + HOUR, fleet._garage.park(watch))
        await fleet._crew._take_in(evolve(source.task("a"), derivative_product_types=None))

        place = fleet._rota.get("a")
        assert place is not None
        assert fleet._garage.fetch("a", place.state) is watch


async def test_a_task_that_the_listing_shows_as_ended_is_looked_at_once_more() -> None:
    source = many(30, ready=HOUR)
    ended = source.task

    def told(task_id: str) -> Task:
        return (
            evolve(ended(task_id), status=TaskStatus.CANCELED) if task_id == "7" else ended(task_id)
        )

    source.task = told  # type: ignore[method-assign]

    async with watching(source, bulk=True) as fleet:
        events = await drained(fleet)

    (failed,) = [event for event in events if isinstance(event, WatchFailed)]
    assert isinstance(failed.error, TaskEndedError)
    assert source.asked["7", "derivatives"] == 1
