"""Who looks at the tasks that are due: a few at a time, the soonest first?"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final, Protocol

import anyio
from attrs import define, field

from iceye_derivatives._calls import Paging
from iceye_derivatives._core.bulk import PERIOD, Advice, BulkLook
from iceye_derivatives._core.decisions import AskScene, AskTask, Failed, Finished, Look, Wait
from iceye_derivatives._core.fleet import Reach, Rota, RotaEntry
from iceye_derivatives._core.fleet_park import Garage, reach_of
from iceye_derivatives._core.limits import Limits
from iceye_derivatives._core.lone_error import lone_error
from iceye_derivatives._core.responses import TaskPage
from iceye_derivatives._core.watch import Watch
from iceye_derivatives._outbox import Outbox
from iceye_derivatives.errors import AuthenticationError, IceyeError
from iceye_derivatives.events import (
    DerivativeReady,
    DerivativesUnreadable,
    TaskStatusReceived,
    Waiting,
    WatchEvent,
    WatchFailed,
    WatchFinished,
)
from iceye_derivatives.models import Task
from iceye_derivatives.protocols import Clock
from iceye_derivatives.watcher import WatchSource, ask

__all__ = ["Crew", "TaskPages"]

_TICK: Final = 0.002
"""Seconds that a sleep takes at least: at a thousand looks a second, one serves two or three."""


class TaskPages(Protocol):
    """Who can list tasks (`iceye_derivatives._calls.Calls`)."""

    async def task_page(
        self,
        *,
        cursor: str | None,
        contract_id: str | None,
        created_after: datetime | None,
        created_before: datetime | None,
    ) -> TaskPage:
        """One page, no retry."""
        ...


@define
class Crew:
    """A few workers over one rota.

    One idle worker keeps the time: it sleeps until a task is due.  The other idle ones wait for
    their turn to do so.  So there is one timer for all tasks, however many wait.
    """

    rota: Rota
    garage: Garage
    outbox: Outbox
    source: WatchSource
    clock: Clock
    jitter: Callable[[], float]
    pages: TaskPages | None
    limits: Limits
    heartbeats: bool
    nudged: set[str] = field(factory=set)
    out: dict[str, Watch] = field(factory=dict)
    """The watches that are being driven."""
    _bulk: BulkLook = field(init=False, factory=BulkLook)
    _scope: anyio.CancelScope = field(init=False, factory=anyio.CancelScope)
    _turn: anyio.Lock = field(init=False, factory=partial(anyio.Lock, fast_acquire=True))
    _nap: anyio.CancelScope | None = field(init=False, default=None)
    _nap_ends: float = field(init=False, default=math.inf)

    async def run(self, workers: int) -> None:
        """Look after the tasks, each when it is due, until stopped."""
        error: BaseException | None = None
        try:
            with self._scope:
                async with anyio.create_task_group() as tasks:
                    for _ in range(workers):
                        tasks.start_soon(self._work)
        except BaseExceptionGroup as group:
            # Several may hear at once that the token is refused.
            error = lone_error(group, alike=AuthenticationError)
            if error is None:
                raise
        if error is not None:
            raise error

    def stop(self) -> None:
        """Stop looking, at once."""
        self._scope.cancel()

    async def _work(self) -> None:
        while True:
            entry = await self._next()
            if entry.reach is Reach.ALONE or self.pages is None:
                await self._look_after(entry)
            else:
                await self._save_a_request(entry, self.pages)

    def stir(self) -> None:
        """Wake the time-keeper if a task is due earlier now than when it fell asleep."""
        now = self.clock.time()
        wait = self.rota.wait(now)
        if self._nap is not None and wait is not None and now + wait < self._nap_ends:
            self._nap.cancel()

    async def _next(self) -> RotaEntry:
        async with self._turn:
            while True:
                # Whoever reads slowly holds all looks back, not only those that bring news.
                await self.outbox.cleared()
                entry = self.rota.take(self.clock.time())
                if entry is not None:
                    return entry
                await self._sleep()

    async def _sleep(self) -> None:
        now = self.clock.time()
        wait, hour = self.rota.wait(now), self.rota.hour(now)
        self._nap_ends = math.inf if wait is None else now + wait
        with anyio.CancelScope() as self._nap:
            if wait is None:
                await anyio.sleep_forever()
            else:
                await self.clock.sleep(max(wait, _TICK))
                self.rota.slept(hour + wait, self.clock.time())
        self._nap = None

    # -- one task ----------------------------------------------------------------------------------

    async def _look_after(self, entry: RotaEntry) -> None:
        watch = self.out[entry.task_id] = self.garage.fetch(entry.task_id, entry.state)
        if entry.task_id not in self.nudged:
            watch.wake(self.clock.time())
        await self._drive(watch)

    async def _drive(self, watch: Watch) -> None:
        task_id = watch.task_id
        while True:
            await self._hand_out(watch)
            await self._complain(watch)
            now = self.clock.time()
            if task_id in self.nudged:
                self.nudged.discard(task_id)
                watch.nudge(now)
            if not self.rota.is_out(task_id):
                self._leave(task_id)
                return
            match watch.decide(now, self.jitter()):
                case Wait(seconds=seconds, until=until, reason=reason):
                    self._park(watch, now, until)
                    if self.heartbeats:
                        await self.outbox.tell(
                            Waiting(task_id=task_id, seconds=seconds, until=until, reason=reason)
                        )
                    return
                case Finished():
                    await self._tell_last(
                        WatchFinished(task_id=task_id, delivered=len(watch.delivered))
                    )
                    return
                case Failed(error=error, cause=cause):
                    error.__cause__ = cause
                    if isinstance(error, AuthenticationError):
                        # Not this task's fault: each other task would only hear the same.
                        raise error
                    await self._tell_last(WatchFailed(task_id=task_id, error=error, watch=watch))
                    return
                case question:
                    await self._ask(watch, question)

    async def _ask(self, watch: Watch, question: Look | AskTask | AskScene) -> None:
        status = watch.status
        heard: list[WatchEvent] = []
        await ask(question, self.source, watch, self.clock, heard.append)
        for event in heard:
            await self._tell(event, watch, status)

    async def _hand_out(self, watch: Watch) -> None:
        wanted = partial(self.rota.is_out, watch.task_id)
        while wanted() and (derivative := watch.peek()) is not None:
            await self.outbox.tell(
                DerivativeReady(task_id=watch.task_id, derivative=derivative),
                wanted=wanted,
                taken=watch.pop,
            )

    async def _complain(self, watch: Watch) -> None:
        if untold := watch.untold:
            await self.outbox.tell(
                DerivativesUnreadable(task_id=watch.task_id, unreadable=untold),
                wanted=partial(self.rota.is_out, watch.task_id),
                taken=watch.mark_told,
            )

    async def _tell(self, event: WatchEvent, watch: Watch, status: str | None) -> None:
        news = isinstance(event, TaskStatusReceived) and event.status != status
        if news or self.heartbeats:
            await self.outbox.tell(event, wanted=partial(self.rota.is_out, watch.task_id))

    async def _tell_last(self, event: WatchFinished | WatchFailed) -> None:
        await self.outbox.tell(
            event,
            wanted=partial(self.rota.is_out, event.task_id),
            taken=partial(self._leave, event.task_id),
        )
        self._leave(event.task_id)

    def _park(self, watch: Watch, now: float, until: float) -> None:
        task_id = watch.task_id
        del self.out[task_id]
        if not self.rota.is_out(task_id):
            self._leave(task_id)
            return
        self.rota.land(task_id, now, until, reach_of(watch), self.garage.park(watch))
        self.stir()

    def _leave(self, task_id: str) -> None:
        self.out.pop(task_id, None)
        self.rota.end(task_id)
        self.outbox.ring()

    # -- many at once ------------------------------------------------------------------------------

    async def _save_a_request(self, entry: RotaEntry, pages: TaskPages) -> None:
        now = self.clock.time()
        advice = self._bulk.advise(
            now,
            savings=1 + self.rota.savings(now, PERIOD),
            waiting=len(self.rota),
            held=entry.reach is Reach.HELD,
        )
        if advice is Advice.ASK:
            await self._look_after(entry)
            return
        until = now if advice is Advice.LIST else self._bulk.held_until(now, self.jitter())
        self.rota.land(entry.task_id, now, until, Reach.HELD, entry.state)
        if advice is Advice.LIST:
            await self._list(pages)

    async def _list(self, pages: TaskPages) -> None:
        now = self.clock.time()
        since = self._bulk.created_after(now, fresh=self.rota.has_fresh)
        paging = Paging("tasks", self.limits)
        cursor: str | None = None
        self._bulk.begin()
        try:
            while True:
                page = await pages.task_page(
                    cursor=cursor, contract_id=None, created_after=since, created_before=None
                )
                for task in page.tasks:
                    await self._take_in(task)
                cursor = paging.follow(page.cursor)
                if not self._bulk.goes_on(self.clock.time(), more=cursor is not None):
                    break
        except AuthenticationError:
            raise
        except IceyeError as error:
            self._bulk.failed(self.clock.time(), refused=not error.retryable)
        self.stir()

    async def _take_in(self, task: Task) -> None:
        entry = self.rota.claim_listed(task.id)
        if entry is None:
            return
        now = self.clock.time()
        self._bulk.found(task.created_at, saves=self.rota.spared(entry, now, PERIOD))
        watch = self.garage.fetch(task.id, entry.state)
        if not (watch.sure or task.derivative_product_types or watch.seen.listed):
            # A watch would believe that no derivatives were ordered.  But whether a listing tells
            # what was is not documented, so the task itself is asked.
            state = self.garage.park(watch)
            self.rota.land(task.id, now, entry.due - self.rota.lost, Reach.ALONE, state)
            return
        status = watch.status
        watch.receive_task(task, now)
        self.out[task.id] = watch
        await self._tell(TaskStatusReceived(task_id=task.id, status=task.status), watch, status)
        if watch.asks_now:
            self._park(watch, now, now)
        else:
            await self._drive(watch)
