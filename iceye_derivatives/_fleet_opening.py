"""How does a fleet begin, go on where an earlier one stood, and end?"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from math import inf

import anyio
from anyio import to_thread

from iceye_derivatives._core.fleet import Rota
from iceye_derivatives._core.fleet_park import Garage
from iceye_derivatives._core.fleet_state import FleetState
from iceye_derivatives._core.lone_error import lone_error
from iceye_derivatives._fleet_terms import FirstLooks, FleetSettings, checked_ids
from iceye_derivatives.errors import ConfigurationError
from iceye_derivatives.fleet import Fleet

__all__ = ["open_fleet"]


def open_fleet(
    task_ids: Iterable[str], settings: FleetSettings, *, state: FleetState | None = None
) -> AbstractAsyncContextManager[Fleet]:
    """A fleet that watches its tasks as long as the context is open."""
    if settings.concurrency < 1:
        raise ConfigurationError(
            f"concurrency={settings.concurrency} looks at nothing: give at least 1"
        )
    return _open_fleet(checked_ids(task_ids), settings, FleetState() if state is None else state)


@asynccontextmanager
async def _open_fleet(
    task_ids: Iterable[str], settings: FleetSettings, state: FleetState
) -> AsyncGenerator[Fleet, None]:
    error: BaseException | None = None
    first_looks = FirstLooks(settings)
    now = settings.clock.time()
    rota = await to_thread.run_sync(_resumed, state, first_looks, now)
    del state  # it would be kept as long as the context is open
    fleet = Fleet(settings, rota, first_looks)
    settings.nudges.join(fleet)
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(fleet.run)
            await fleet.add(task_ids)
            del task_ids  # as above
            yield fleet
            # Not in a `finally`: where the body raises, the task group cancels by itself.
            tasks.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        error = lone_error(group)
        if error is None:
            raise
    finally:
        settings.nudges.leave(fleet)
        fleet.stop()
    if error is not None:
        raise error


def _resumed(state: FleetState, first_looks: FirstLooks, now: float) -> Rota:
    """The rota of a saved fleet; looks that are overdue are spread, so that they are no herd."""
    patience = first_looks.settings.patience
    garage, end = Garage(patience), now + (inf if patience.timeout is None else patience.timeout)
    entries = [
        entry._replace(due=min(entry.due, end), state=garage.renew(entry.state, now))
        for entry in state.places()
    ]
    late = sorted(entry for entry in entries if entry.due <= now)
    spread = [entry._replace(due=first_looks.next(now)) for entry in late]
    return Rota([entry for entry in entries if entry.due > now] + spread)
