"""Does a fleet that was saved and resumed lose nothing, repeat nothing and keep its plans?"""

from __future__ import annotations

from collections import Counter

import anyio
import anyio.lowlevel
import pytest
from attrs import evolve
from fleet_world import HOUR, World, drained, watching, world
from strategies import derivative

from iceye_derivatives import (
    Availability,
    DerivativeReady,
    FleetState,
    Snapshot,
    WatchFailed,
    WatchFinished,
    WatchTimeoutError,
)
from iceye_derivatives._core.decisions import Patience
from iceye_derivatives._core.fleet import Reach, RotaEntry
from iceye_derivatives._core.fleet_park import Garage

pytestmark = pytest.mark.anyio


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


@pytest.mark.parametrize("before", [None, 2 * HOUR, 90 * HOUR])
@pytest.mark.parametrize("after", [None, 30.0, 40 * HOUR])
async def test_a_resumed_fleet_has_the_patience_of_its_own_run(
    before: float | None, after: float | None
) -> None:
    """As a watch that goes on: neither what was left of the old one, nor any of 1970."""
    source = world("a", ready=60 * HOUR)
    async with watching(source, patience=Patience(timeout=before)) as fleet:
        await fleet.receive()
        text = fleet.state().to_json()
    source.clock.ahead += HOUR
    began = source.clock.time()

    patience, state = Patience(timeout=after), FleetState.from_json(text)
    async with watching(source, state=state, only=(), patience=patience) as fleet:
        last = (await drained(fleet))[-1]

    if after is None:
        assert isinstance(last, WatchFinished)
    else:
        assert isinstance(last, WatchFailed)
        assert isinstance(last.error, WatchTimeoutError)
        assert after <= source.clock.time() - began < after + 60


async def test_patience_that_ends_before_the_planned_look_is_not_stretched_by_it() -> None:
    source = world("a", ready=60 * HOUR)
    began, garage = source.clock.time(), Garage(Patience())
    parked = garage.park(garage.fresh("a", began))
    planned = FleetState((RotaEntry(began + 8 * HOUR, "a", Reach.ALONE, parked),))

    patience = Patience(timeout=30.0)
    async with watching(source, state=planned, only=(), patience=patience) as fleet:
        last = (await drained(fleet))[-1]

    assert isinstance(last, WatchFailed)
    assert 30.0 <= source.clock.time() - began < 90.0


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
