"""Does listing many tasks at once spare requests, and harm none of them?"""

from __future__ import annotations

import math
import random

import pytest
from attrs import evolve
from fleet_world import HOUR, Jumping, World, drained, watching, world

from iceye_derivatives import (
    PermissionDeniedError,
    ServerError,
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
)
from iceye_derivatives._core.bulk import GLIMPSE, PERIOD, STAKE
from iceye_derivatives._core.fleet_park import Garage
from iceye_derivatives._core.parked_fields import Unwritten

pytestmark = pytest.mark.anyio


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
        raise Unwritten

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
