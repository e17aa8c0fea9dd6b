"""A world of tasks with a clock that jumps, and a fleet that watches it."""

from __future__ import annotations

from collections import Counter
from contextlib import AbstractAsyncContextManager
from datetime import datetime

import anyio
import anyio.lowlevel
import pytest
import trio.testing
from attrs import evolve
from strategies import EPOCH, derivative, snapshot, task

from iceye_derivatives import (
    Availability,
    Fleet,
    FleetState,
    Scene,
    Snapshot,
    Task,
    TaskNotFoundError,
    TaskStatus,
    WatchEvent,
)
from iceye_derivatives._core.decisions import Patience
from iceye_derivatives._core.nudges import Nudges
from iceye_derivatives._core.responses import TaskPage
from iceye_derivatives._fleet_opening import open_fleet
from iceye_derivatives._fleet_terms import FleetSettings
from iceye_derivatives.simulator import VirtualClock

HOUR = 3600.0
START = EPOCH.timestamp()

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
