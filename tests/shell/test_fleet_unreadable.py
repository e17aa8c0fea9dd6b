"""What does a fleet tell of a task of which a part cannot be read?"""

from __future__ import annotations

import pytest
from attrs import evolve
from fleet_world import HOUR, World, both, drained, watching, world
from strategies import unreadable

from iceye_derivatives import (
    Availability,
    DerivativeReady,
    DerivativesUnreadable,
    FleetState,
    Snapshot,
    UnreadableDerivativesError,
    WatchFailed,
    WatchFinished,
)
from iceye_derivatives._core.decisions import Patience

pytestmark = pytest.mark.anyio

FAULT = unreadable(1, "bad", "DC_AIRCRAFT")


def broken(source: World, *, mended: float) -> World:
    """One of the derivatives of "poor" cannot be read, until that hour."""
    ask = source.look_at_derivatives

    async def look(task_id: str) -> Snapshot:
        found = await ask(task_id)
        is_good = task_id != "poor" or not found.derivatives or source.since() >= mended
        faulty = evolve(found, availability=Availability.PARTIAL, unreadable=(FAULT,))
        return evolve(found if is_good else faulty, claims_all=True)

    source.look_at_derivatives = look  # type: ignore[method-assign]
    return source


@both
async def test_it_is_told_once_and_the_good_ones_come_before() -> None:
    source = broken(world("poor", "good"), mended=2 * HOUR)

    async with watching(source) as fleet:
        events = await drained(fleet)

    told = [event for event in events if isinstance(event, DerivativesUnreadable)]
    assert told == [DerivativesUnreadable(task_id="poor", unreadable=(FAULT,))]
    ready = [event for event in events if isinstance(event, DerivativeReady)]
    assert {event.task_id for event in ready} == {"poor", "good"}
    assert events.index(told[0]) > events.index(
        next(event for event in ready if event.task_id == "poor")
    )
    assert [type(event) for event in events if isinstance(event, WatchFinished | WatchFailed)] == [
        WatchFinished,
        WatchFinished,
    ]


@both
async def test_what_stays_so_is_given_up_after_the_budget() -> None:
    source = broken(world("poor", "good"), mended=1000 * HOUR)

    async with watching(source, patience=Patience(failures=5)) as fleet:
        events = await drained(fleet)

    (failed,) = (event for event in events if isinstance(event, WatchFailed))
    assert isinstance(failed.error, UnreadableDerivativesError)
    assert failed.error.unreadable == (FAULT,)
    assert source.asked["poor", "derivatives"] == 5


async def test_one_that_is_killed_after_any_event_and_resumed_tells_it_once() -> None:
    for stop in range(1, 5):
        source = broken(world("poor"), mended=HOUR)
        told, text = await run(source, None, stop)
        rest, _ = await run(source, FleetState.from_json(text), -1)
        assert told + rest == 1, stop


async def run(source: World, state: FleetState | None, events: int) -> tuple[int, str]:
    told = 0
    async with watching(source, state=state, only=("poor",) if state is None else ()) as fleet:
        text = await fleet.to_json()
        async for event in fleet:
            told += isinstance(event, DerivativesUnreadable)
            text = await fleet.to_json()
            events -= 1
            if not events:
                break
    return told, text
