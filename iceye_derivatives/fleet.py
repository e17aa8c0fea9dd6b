"""What does a program see of a hundred thousand tasks that are watched at once?"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from typing import Final

import anyio
import anyio.lowlevel
from anyio import to_thread
from anyio.abc import ObjectReceiveStream

from iceye_derivatives._core.fleet import Reach, Rota, RotaEntry
from iceye_derivatives._core.fleet_park import Garage
from iceye_derivatives._core.fleet_state import FleetState
from iceye_derivatives._core.watch import Watch
from iceye_derivatives._crew import Crew
from iceye_derivatives._fleet_terms import FirstLooks, FleetSettings, checked_ids
from iceye_derivatives._outbox import Outbox
from iceye_derivatives.events import DerivativeReady, WatchEvent
from iceye_derivatives.models import Derivative

__all__ = ["Fleet"]

_SLICE: Final = 200
"""Tasks that are added or taken away in one turn of the loop."""


class Fleet(ObjectReceiveStream[WatchEvent]):
    """Many watched tasks: the stream of what happens to them.

    It comes from `DerivativesClient.watch_tasks()`, which says what its events are and when it
    ends.  Iterate over it, or `receive()` one event at a time, with a deadline around it where you
    like: nothing is lost with a `receive()` that is cancelled.  A derivative counts as handed out
    in the step in which you get its event, and not before.

    `len()` gives the number of tasks that are still watched, ``in`` tells whether one is.
    """

    def __init__(self, settings: FleetSettings, rota: Rota, first_looks: FirstLooks) -> None:
        self._settings = settings
        self._first_looks = first_looks
        self._rota = rota
        self._garage = Garage(settings.patience)
        self._outbox = Outbox(self._has_ended)
        self._crew = Crew(
            rota=self._rota,
            garage=self._garage,
            outbox=self._outbox,
            source=settings.source,
            clock=settings.clock,
            jitter=settings.jitter,
            pages=settings.pages,
            limits=settings.limits,
            heartbeats=settings.heartbeats,
        )

    def __len__(self) -> int:
        return len(self._rota)

    def __contains__(self, task_id: object) -> bool:
        return task_id in self._rota

    async def receive(self) -> WatchEvent:
        """The next event.

        Cancelled, it has taken nothing: the next `receive()` gives what this one would have given.

        Raises:
            anyio.EndOfStream: no task is watched any more (and `keep_open` is not set).
            anyio.ClosedResourceError: the fleet was closed.
        """
        return await self._outbox.take()

    async def aclose(self) -> None:
        """Stop looking; what the API had shown and nobody read is told again on a resume."""
        self.stop()
        await anyio.lowlevel.checkpoint()

    def stop(self) -> None:
        """As `aclose()`, but at once; safe to call twice, and when cancelled."""
        self._crew.stop()
        self._outbox.close()

    async def derivatives(
        self, on_event: Callable[[WatchEvent], None] | None = None
    ) -> AsyncGenerator[Derivative, None]:
        """The derivatives alone, e.g. for `Downloader.transfers()`; it ends with the stream.

        Args:
            on_event: Called with each event, before its derivative is yielded.  `WatchFailed` is
                told only here.

        Example::

            async with (
                client.watch_tasks(task_ids) as fleet,
                Downloader(client, sink).transfers(fleet.derivatives()) as events,
            ):
                async for event in events:
                    print(event)
        """
        async for event in self:
            if on_event is not None:
                on_event(event)
            if isinstance(event, DerivativeReady):
                yield event.derivative

    async def add(self, task_ids: Iterable[str]) -> int:
        """Watch these too; a task that is watched already is left as it is.

        Their first looks are spread over time, as fast as the client's rate allows and in the order
        given.  Cancelled, it has added the first of them.

        Returns:
            How many are new.

        Raises:
            ConfigurationError: one of them is no string; none is added then.
            anyio.ClosedResourceError: the fleet was closed, and would never look.
        """
        if self._outbox.closed:
            raise anyio.ClosedResourceError
        added, state = 0, ""
        for number, task_id in enumerate(checked_ids(task_ids)):
            now = self._settings.clock.time()
            if number % _SLICE == 0:
                self._crew.stir()
                await anyio.lowlevel.checkpoint()
                state = self._garage.park(self._garage.fresh("", now))
            requested = self._settings.requested.get(task_id)
            if requested is not None:
                watch = Watch(task_id, requested=requested)
                watch.begin(now, self._settings.patience)
            own = state if requested is None else self._garage.park(watch)
            # By the rota's clock: once Unix time was set back, the slots would lie hours ahead.
            hour = self._rota.hour(now)
            added += self._rota.add(task_id, now, now + self._first_looks.next(hour) - hour, own)
        self._crew.stir()
        return added

    async def remove(self, task_ids: Iterable[str]) -> int:
        """Watch these no more: after this none of their events is told, and nothing is asked.

        A look that is under way is not cancelled, its answer is dropped.

        Returns:
            How many were watched.

        Raises:
            ConfigurationError: one of them is no string; none is removed then.
        """
        removed = 0
        for number, task_id in enumerate(checked_ids(task_ids)):
            if number % _SLICE == 0:
                await anyio.lowlevel.checkpoint()
            removed += self._rota.remove(task_id)
            self._garage.forget(task_id)
            self._crew.nudged.discard(task_id)
        self._outbox.ring()
        return removed

    def nudge(self, task_id: str) -> bool:
        """Look at it now: something may have happened to it; False where it is not watched."""
        if task_id not in self._rota:
            return False
        self._crew.nudged.add(task_id)
        self._rota.nudge(task_id, self._settings.clock.time())
        self._crew.stir()
        return True

    def state(self, *, unsettled: Iterable[Derivative] = ()) -> FleetState:
        """Where all tasks stand now; takes a millisecond or two, also after the context has ended.

        Args:
            unsettled: Derivatives that you have been given and have not dealt with yet, e.g. whose
                files are still being downloaded: a resumed fleet hands them out again.  Of a task
                that has finished nothing is remembered, so its other derivatives come with them.
        """
        now = self._settings.clock.time()
        waiting = self._rota.waiting()
        known = dict(self._noted(now))
        for derivative in unsettled:
            task_id = derivative.task_id
            entry = known.get(task_id) or self._rota.get(task_id)
            watch = self._garage.read(task_id, "[]" if entry is None else entry.state)
            watch.give_back(derivative.id)
            known[task_id] = RotaEntry(now, task_id, Reach.ALONE, self._garage.note(watch, now))
        return FleetState(waiting, self._rota.lost, known)

    async def to_json(self, *, unsettled: Iterable[Derivative] = ()) -> str:
        """`state()` as text, written in a thread: a hundred thousand tasks do not stop the loop."""
        return await to_thread.run_sync(self.state(unsettled=unsettled).to_json)

    def _noted(self, now: float) -> Iterator[tuple[str, RotaEntry]]:
        """Tasks of which their watch knows more than the rota does."""
        note = self._garage.note
        for task_id, watch in self._garage.whole.items():
            entry = self._rota.get(task_id)
            if entry is not None:
                due = entry.due - self._rota.lost
                yield task_id, RotaEntry(due, task_id, entry.reach, note(watch, now))
        for task_id, watch in self._crew.out.items():
            if self._rota.is_out(task_id):
                yield task_id, RotaEntry(now, task_id, Reach.ALONE, note(watch, now))

    def _has_ended(self) -> bool:
        return not len(self._rota) and not self._settings.keep_open

    async def run(self) -> None:
        """Look after the tasks until stopped; the context does this, nobody else has to."""
        await self._crew.run(self._settings.concurrency)
