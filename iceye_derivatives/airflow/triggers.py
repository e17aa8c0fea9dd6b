"""Where does a deferred task wait: in one trigger for many ICEYE tasks, restarted at any moment?"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from math import inf
from typing import Any, Final, Literal, TypeAlias

import anyio
from airflow.triggers.base import BaseTrigger, TriggerEvent
from attrs import Factory, define

from iceye_derivatives import Backoff, DerivativesClient, Fleet, FleetState, IceyeError
from iceye_derivatives._clock import SystemClock
from iceye_derivatives._core.unread import spell
from iceye_derivatives._visible import visible
from iceye_derivatives.airflow._shared import shared_client
from iceye_derivatives.airflow.payload import Failure, News, Ready
from iceye_derivatives.events import (
    DerivativeReady,
    DerivativesUnreadable,
    WatchEvent,
    WatchFailed,
)

__all__ = ["MIN_WAIT", "SAVE_EVERY", "IceyeDerivativesTrigger", "WaitFor"]

logger = logging.getLogger("iceye_derivatives")

WaitFor: TypeAlias = Literal["any", "all"]
SAVE_EVERY: Final = 6 * 3600.0
"""Seconds between two saves, each of which wakes a worker: a restart forgets no more than that."""

MIN_WAIT: Final = 10.0
"""Seconds: twice what Airflow's supervisor takes at most to notice that a worker has ended."""

_PATH: Final = "iceye_derivatives.airflow.triggers.IceyeDerivativesTrigger"
_SAME_BREATH: Final = 0.1
"""Seconds to wait for more after the first news: that a task has ended is told right after its last
derivative.  To miss that would cost one more waking of a worker, and nothing else."""


class IceyeDerivativesTrigger(BaseTrigger):
    """Waits for derivatives of ICEYE tasks, and fires once: with `payload.News` as JSON.

    A thousand tasks in one trigger cost one poller, and all triggers of a connection in a triggerer
    share one client, so one rate limit.  Its arguments hold ids, settings and the saved state of
    the watches: never a secret, never a link.  A triggerer that is restarted, or another one that
    takes over, goes on from those arguments: each task is looked at when its watch had planned it,
    and what became ready meanwhile is found then.  Running twice does no harm: it only looks.

    Args:
        task_ids: The ICEYE tasks that are waited for from the beginning.
        iceye_conn_id: The connection, see `hook.IceyeHook`.
        state: Those that are waited for already, and where their watches stood.
        wait_for: ``any``: fire as soon as something is ready; ``all``: when all tasks have ended.
        settle: With ``any``, seconds for which more news are gathered, so that one worker is woken
            for what becomes ready together.
        deadline: Unix seconds at which patience ends, whatever is ready; None waits for ever.
        save_every: Seconds after which it fires whatever has come, so that whoever resumes defers
            again with the state of then: Airflow writes down a trigger's arguments only when a task
            is deferred.  None never does, and a restart goes on from the last news.
        min_wait: Seconds that it lives at least.  A task that is resumed before the executor has
            noticed the end of the worker that deferred it is taken for that one, and for failed.
        backoff: Keywords of `iceye_derivatives.Backoff`.
        max_failures: As in `DerivativesClient.watch_tasks`, for each task.
        cancel_on_kill: Cancel the ICEYE tasks when somebody marks the deferred task or clears it.
            Off by default: ICEYE bills cancellations by its policy.  From Airflow 3.3 on; triggers
            of older ones are not told.
        carry: JSON values that come back with the event, for whoever resumes.  Airflow has keywords
            of a deferral for that, but loses them in ``dag.test()``.
    """

    def __init__(
        self,
        *,
        task_ids: Iterable[str] = (),
        iceye_conn_id: str = "iceye_default",
        state: str | None = None,
        wait_for: WaitFor = "any",
        settle: float = 5.0,
        deadline: float | None = None,
        save_every: float | None = SAVE_EVERY,
        min_wait: float = MIN_WAIT,
        backoff: Mapping[str, float] | None = None,
        max_failures: int = 60,
        cancel_on_kill: bool = False,
        carry: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.task_ids = list(task_ids)
        self.iceye_conn_id = iceye_conn_id
        self.state = state
        self.wait_for: WaitFor = wait_for
        self.settle = settle
        self.deadline = deadline
        self.save_every = save_every
        self.min_wait = min_wait
        self.backoff = None if backoff is None else dict(backoff)
        self.max_failures = max_failures
        self.cancel_on_kill = cancel_on_kill
        self.carry = dict(carry or {})

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Its class and arguments, which are all that a restart needs."""
        return _PATH, {
            "task_ids": self.task_ids,
            "iceye_conn_id": self.iceye_conn_id,
            "state": self.state,
            "wait_for": self.wait_for,
            "settle": self.settle,
            "deadline": self.deadline,
            "save_every": self.save_every,
            "min_wait": self.min_wait,
            "backoff": self.backoff,
            "max_failures": self.max_failures,
            "cancel_on_kill": self.cancel_on_kill,
            "carry": self.carry,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, then fire; nothing is open at the ``yield``."""
        earliest = anyio.current_time() + self.min_wait
        news = await self._wait()
        await anyio.sleep_until(earliest)
        yield TriggerEvent({**news.to_payload(), "carry": self.carry})

    async def on_kill(self) -> None:
        """Cancel what was ordered, where that was asked for; Airflow gives it half a minute."""
        if not self.cancel_on_kill:
            return
        async with shared_client(self.iceye_conn_id) as client:
            for task_id in self._all_ids():
                try:
                    await client.cancel_task(task_id)
                except IceyeError as error:
                    self.log.warning("Task %s was not cancelled: %s", task_id, error)

    async def _wait(self) -> News:
        try:
            async with shared_client(self.iceye_conn_id) as client:
                return await self._watch(client)
        except IceyeError as error:
            # The whole wait: refused credentials, or a connection that lacks something.
            return News(error=Failure.of("", error), waiting=len(self._all_ids()))

    async def _watch(self, client: DerivativesClient) -> News:
        backoff = None if self.backoff is None else Backoff(**self.backoff)
        gathered = _Gathered()
        async with client.watch_tasks(
            self.task_ids, state=self._saved(), backoff=backoff, max_failures=self.max_failures
        ) as fleet:
            left, save_in = self._left(), inf if self.save_every is None else self.save_every
            with anyio.move_on_after(min(left, save_in)) as patience:
                await gathered.read(fleet, until_news=self.wait_for == "any")
            if gathered.ready and self.wait_for == "any":
                with anyio.move_on_after(max(self.settle, _SAME_BREATH)):
                    await gathered.read(fleet)
            state = fleet.state()
        late = patience.cancelled_caught and left <= save_in and len(state) > 0
        return News(
            ready=tuple(gathered.ready),
            failed=tuple(gathered.failed),
            waiting=len(state),
            state=state.to_json() if len(state) else None,
            error=self._out_of_patience(len(state)) if late else None,
        )

    def _saved(self) -> FleetState:
        return FleetState() if self.state is None else FleetState.from_json(self.state)

    def _all_ids(self) -> list[str]:
        try:
            return list(dict.fromkeys([*self.task_ids, *self._saved().task_ids]))
        except IceyeError:  # a state that cannot be read is reported where the wait goes on from it
            return self.task_ids

    def _left(self) -> float:
        return inf if self.deadline is None else max(0.0, self.deadline - SystemClock().time())

    def _out_of_patience(self, waiting: int) -> Failure:
        return Failure(
            task_id="",
            kind="WatchTimeoutError",
            message=(
                f"Patience ended while {waiting} of {len(self._all_ids())} tasks were still waited "
                "for; what came is safe: run it again, or give it a longer timeout"
            ),
            retryable=True,
        )


@define
class _Gathered:
    """News so far."""

    ready: list[Ready] = Factory(list)
    failed: list[Failure] = Factory(list)

    async def read(self, fleet: Fleet, *, until_news: bool = False) -> None:
        """Read events to their end, or until something is ready; loses nothing when cancelled."""
        while not (until_news and self.ready):
            try:
                self._note(await fleet.receive())
            except anyio.EndOfStream:
                return

    def _note(self, event: WatchEvent) -> None:
        match event:
            case DerivativeReady(derivative=derivative):
                self.ready.append(Ready.of(derivative))
            case WatchFailed(task_id=task_id, error=error):
                self.failed.append(Failure.of(task_id, error))
            case DerivativesUnreadable(task_id=task_id, unreadable=unreadable):
                # Into the log at once: while others may come, it is days until a wait ends.
                logger.warning("Task %s: cannot be read: %s", visible(task_id), spell(unreadable))
            case _:
                pass
