"""A source that answers from a list, clocks that need no time, and a watch over both."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable

import anyio
import anyio.lowlevel
import trio.testing
from strategies import EPOCH, TASK_ID, derivative, snapshot, task

from iceye_derivatives import (
    Derivative,
    Scene,
    Snapshot,
    Task,
    TaskNotFoundError,
    TaskStatus,
    Watch,
    WatchEvent,
)
from iceye_derivatives._core.decisions import Patience
from iceye_derivatives._core.nudges import Nudges
from iceye_derivatives.watcher import watch_derivatives

__all__ = ["NONE_404", "PARTIAL_206", "READY_200", "FakeClock", "Scripted", "TrioClock", "watching"]

READY_200 = snapshot(derivative("a", "geojson"), derivative("b", "geojson"), status=200)
PARTIAL_206 = snapshot(derivative("a", "geojson"), derivative("b"))
NONE_404 = snapshot(status=404)


class FakeClock:
    """Sleeping takes no time but moves it."""

    def __init__(self) -> None:
        self.now = EPOCH.timestamp()
        self.sleeps: list[float] = []

    def time(self) -> float:
        return self.now

    async def sleep(self, seconds: float, /) -> None:
        self.sleeps.append(seconds)
        await anyio.lowlevel.checkpoint()
        self.now += seconds


class TrioClock:
    """Trio's own virtual clock: a day of sleeping passes in milliseconds, in exact order."""

    def time(self) -> float:
        return EPOCH.timestamp() + trio.current_time()

    async def sleep(self, seconds: float, /) -> None:
        await anyio.sleep(seconds)


class Scripted:
    """A source that answers from a list; the last answer is repeated."""

    def __init__(
        self, *looks: Snapshot | Exception, tasks: tuple[Task | Exception, ...] = ()
    ) -> None:
        self.looks = list(looks)
        self.tasks = list(tasks) or [task(TaskStatus.FULFILLED)]
        self.asked: list[str] = []

    async def look_at_derivatives(self, task_id: str) -> Snapshot:
        self.asked.append("derivatives")
        await anyio.lowlevel.checkpoint()
        answer = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def look_at_scene(self, task_id: str) -> Scene:
        raise TaskNotFoundError("no scene", status=404)

    async def look_at_task(self, task_id: str) -> Task:
        self.asked.append("task")
        await anyio.lowlevel.checkpoint()
        answer = self.tasks.pop(0) if len(self.tasks) > 1 else self.tasks[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def watching(
    source: Scripted,
    *,
    watch: Watch | None = None,
    clock: FakeClock | TrioClock | None = None,
    on_event: Callable[[WatchEvent], None] = lambda event: None,
    timeout: float | None = None,
    nudges: Nudges | None = None,
) -> AsyncGenerator[Derivative, None]:
    return watch_derivatives(
        source,
        Watch(TASK_ID) if watch is None else watch,
        patience=Patience(timeout=timeout),
        clock=FakeClock() if clock is None else clock,
        jitter=lambda: 0.5,
        on_event=on_event,
        nudges=nudges,
    )
