"""Tasks come and go while a fleet runs: is each told of while it is there, and not else?"""

from __future__ import annotations

import random
from collections import Counter

import anyio
import anyio.lowlevel
import pytest
from fleet_world import HOUR, Jumping, World, drained, watching, world

from iceye_derivatives import DerivativeReady, WatchEvent, WatchFinished

pytestmark = pytest.mark.anyio


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
        await anyio.wait_all_tasks_blocked()  # its derivative lies in the outbox now
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
