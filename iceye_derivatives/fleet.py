"""How are a hundred thousand tasks watched at once, and what does one read of it?"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from math import inf
from typing import Final

import anyio
import anyio.lowlevel
from anyio import to_thread
from anyio.abc import ObjectReceiveStream
from attrs import Factory, define, field, frozen

from iceye_derivatives._core.decisions import Patience
from iceye_derivatives._core.fleet import Place, Reach, Rota
from iceye_derivatives._core.fleet_park import Garage
from iceye_derivatives._core.fleet_state import FleetState
from iceye_derivatives._core.limits import DEFAULT_LIMITS, Limits
from iceye_derivatives._core.nudges import Nudges
from iceye_derivatives._core.watch import Watch
from iceye_derivatives._crew import Crew, TaskPages
from iceye_derivatives._desk import Desk
from iceye_derivatives.errors import ConfigurationError
from iceye_derivatives.events import DerivativeReady, WatchEvent
from iceye_derivatives.models import Derivative
from iceye_derivatives.protocols import Clock
from iceye_derivatives.watcher import WatchSource

__all__ = ["Fleet", "FleetSettings", "open_fleet"]

_SLICE: Final = 200
"""Tasks that are added or taken away in one turn of the loop."""


@frozen(kw_only=True)
class FleetSettings:
    """What a fleet is made of."""

    source: WatchSource
    clock: Clock
    jitter: Callable[[], float]
    patience: Patience = Factory(Patience)
    pages: TaskPages | None = None
    """Who lists tasks; None asks for each alone."""
    limits: Limits = DEFAULT_LIMITS
    requested: Mapping[str, tuple[str, ...]] = field(factory=dict)
    """Which product types were ordered, where that is known."""
    interval: float = 0.2
    """Seconds between the first looks at tasks that were added together."""
    concurrency: int = 16
    heartbeats: bool = False
    keep_open: bool = False
    nudges: Nudges = Factory(Nudges)


class Fleet(ObjectReceiveStream[WatchEvent]):
    """Many watched tasks: the stream of what happens to them.

    It comes from `DerivativesClient.watch_tasks()`, which says what its events are and when it
    ends.  Iterate over it, or `receive()` one event at a time, with a deadline around it where you
    like: nothing is lost with a `receive()` that is cancelled.  A derivative counts as handed out
    in the step in which you get its event, and not before.

    `len()` gives the number of tasks that are still watched, ``in`` tells whether one is.
    """

    def __init__(self, settings: FleetSettings, rota: Rota, slots: _Slots) -> None:
        self._settings = settings
        self._slots = slots
        self._rota = rota
        self._garage = Garage(settings.patience)
        self._desk = Desk(self._has_ended)
        self._crew = Crew(
            rota=self._rota,
            garage=self._garage,
            desk=self._desk,
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
        return await self._desk.take()

    async def aclose(self) -> None:
        """Stop looking; what the API had shown and nobody read is told again on a resume."""
        self.stop()
        await anyio.lowlevel.checkpoint()

    def stop(self) -> None:
        """The same at once: safe to call twice, and when cancelled."""
        self._crew.stop()
        self._desk.close()

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
        """
        added, state = 0, ""
        for number, task_id in enumerate(_checked(task_ids)):
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
            # By the rota's clock: of one that is set back the slots would lie hours ahead.
            hour = self._rota.hour(now)
            added += self._rota.add(task_id, now, now + self._slots.next(hour) - hour, own)
        self._crew.stir()
        return added

    async def remove(self, task_ids: Iterable[str]) -> int:
        """Watch these no more: after this none of their events is told, and nothing is asked.

        A look that is under way is not cancelled, its answer is dropped.

        Returns:
            How many were watched.
        """
        removed = 0
        for number, task_id in enumerate(_checked(task_ids)):
            if number % _SLICE == 0:
                await anyio.lowlevel.checkpoint()
            removed += self._rota.remove(task_id)
            self._garage.forget(task_id)
            self._crew.nudged.discard(task_id)
        self._desk.ring()
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
            place = known.get(task_id) or self._rota.get(task_id)
            watch = self._garage.read(task_id, "[]" if place is None else place.state)
            watch.give_back(derivative.id)
            known[task_id] = Place(now, task_id, Reach.ALONE, self._garage.note(watch, now))
        return FleetState(waiting, self._rota.lost, known)

    async def to_json(self, *, unsettled: Iterable[Derivative] = ()) -> str:
        """`state()` as text, written in a thread: a hundred thousand tasks do not stop the loop."""
        return await to_thread.run_sync(self.state(unsettled=unsettled).to_json)

    def _noted(self, now: float) -> Iterator[tuple[str, Place]]:
        """Those of which the rota knows less than is known."""
        note = self._garage.note
        for task_id, watch in self._garage.whole.items():
            place = self._rota.get(task_id)
            if place is not None:
                due = place.due - self._rota.lost
                yield task_id, Place(due, task_id, place.reach, note(watch, now))
        for task_id, watch in self._crew.out.items():
            if self._rota.is_out(task_id):
                yield task_id, Place(now, task_id, Reach.ALONE, note(watch, now))

    def _has_ended(self) -> bool:
        return not len(self._rota) and not self._settings.keep_open

    async def run(self) -> None:
        """Look after the tasks until stopped; the context does this, nobody else has to."""
        await self._crew.run(self._settings.concurrency)


def open_fleet(
    task_ids: Iterable[str], settings: FleetSettings, *, state: FleetState | None = None
) -> AbstractAsyncContextManager[Fleet]:
    """A fleet that looks as long as the context is open."""
    if settings.concurrency < 1:
        raise ConfigurationError(
            f"concurrency={settings.concurrency} looks at nothing: give at least 1"
        )
    return _open_fleet(_checked(task_ids), settings, FleetState() if state is None else state)


@asynccontextmanager
async def _open_fleet(
    task_ids: Iterable[str], settings: FleetSettings, state: FleetState
) -> AsyncGenerator[Fleet, None]:
    error: BaseException | None = None
    slots = _Slots(settings)
    now = settings.clock.time()
    rota = await to_thread.run_sync(_resumed, state, slots, now)
    del state  # it would be kept as long as the context is open
    fleet = Fleet(settings, rota, slots)
    settings.nudges.join(fleet)
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(fleet.run)
            await fleet.add(task_ids)
            yield fleet
            # Not in a `finally`: where the body raises, the task group cancels by itself.
            tasks.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        # As in `Downloader.transfers()`: a lone error is raised as what it is, outside of the
        # `except`, so that it does not drag the group along as its context.
        if len(group.exceptions) > 1:
            raise
        error = group.exceptions[0]
    finally:
        settings.nudges.leave(fleet)
        fleet.stop()
    if error is not None:
        raise error


@define
class _Slots:
    """When those are looked at first that could be at once: one after the other."""

    settings: FleetSettings
    _free_from: float = field(init=False, default=-inf)

    def next(self, now: float) -> float:
        """The next free moment, on whatever clock `now` is."""
        interval = self.settings.interval
        slot = max(now, self._free_from)
        self._free_from = slot + interval
        return slot + self.settings.jitter() * interval


def _resumed(state: FleetState, slots: _Slots, now: float) -> Rota:
    """What should have been looked at while nobody was there is late, and no herd."""
    patience = slots.settings.patience
    garage, end = Garage(patience), now + (inf if patience.timeout is None else patience.timeout)
    places = [
        place._replace(due=min(place.due, end), state=garage.renew(place.state, now))
        for place in state.places()
    ]
    late = sorted(place for place in places if place.due <= now)
    spread = [place._replace(due=slots.next(now)) for place in late]
    return Rota([place for place in places if place.due > now] + spread)


def _checked(task_ids: Iterable[str]) -> Iterable[str]:
    if isinstance(task_ids, str):
        raise ConfigurationError(f"{task_ids!r} is one string: give the task ids as a list")
    return task_ids
