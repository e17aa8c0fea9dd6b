"""Who asks, waits and hands out, as the pure `Watch` decides?"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Final, Protocol, TypeAlias

import anyio
from anyio.lowlevel import checkpoint

from iceye_derivatives._core.decisions import (
    AskScene,
    AskTask,
    Failed,
    Finished,
    Look,
    Patience,
    Wait,
)
from iceye_derivatives._core.nudges import Bell, Nudges
from iceye_derivatives._core.watch import Watch
from iceye_derivatives.errors import IceyeError, TaskNotFoundError
from iceye_derivatives.events import (
    DerivativeReady,
    DerivativesUnreadable,
    PollFailed,
    SceneReceived,
    SnapshotReceived,
    TaskStatusReceived,
    Waiting,
    WatchEvent,
    WatchFinished,
)
from iceye_derivatives.models import Derivative, Scene
from iceye_derivatives.protocols import Clock, SceneSource, SnapshotSource, TaskSource

__all__ = ["OnWatchEvent", "WatchSource", "ask", "watch_derivatives"]

OnWatchEvent: TypeAlias = Callable[[WatchEvent], None]

_AT_A_TIME: Final = 50
"""Derivatives that are handed out before others in the loop get their turn."""


class WatchSource(SnapshotSource, TaskSource, SceneSource, Protocol):
    """The three questions that a watch asks."""


async def watch_derivatives(
    source: WatchSource,
    watch: Watch,
    *,
    patience: Patience,
    clock: Clock,
    jitter: Callable[[], float],
    on_event: OnWatchEvent,
    nudges: Nudges | None = None,
) -> AsyncGenerator[Derivative, None]:
    """Drive a watch; yields each derivative the moment a look shows its assets.

    Nothing is open at the ``yield``: no request, scope or lock, so abandoning the generator costs
    nothing and a deadline around it cannot fire in the wrong place.
    """
    ear = _Ear(Bell() if nudges is None else nudges.bell(watch.task_id))
    watch.begin(clock.time(), patience)
    handed = 0
    while True:
        while (derivative := watch.peek()) is not None:
            # Told first: where telling fails, the derivative is still to be handed out.
            on_event(DerivativeReady(task_id=watch.task_id, derivative=derivative))
            watch.pop()
            yield derivative
            handed += 1
            if handed % _AT_A_TIME == 0:  # whoever iterates may never wait for anything
                await checkpoint()
        if untold := watch.untold:
            on_event(DerivativesUnreadable(task_id=watch.task_id, unreadable=untold))
            watch.mark_told()
        ear.tell(watch, clock.time())
        match watch.decide(clock.time(), jitter()):
            case Look() | AskTask() | AskScene() as question:
                await ask(question, source, watch, clock, on_event)
            case Wait(seconds=seconds, until=until, reason=reason):
                on_event(
                    Waiting(task_id=watch.task_id, seconds=seconds, until=until, reason=reason)
                )
                if await ear.sleep(clock, seconds, watch):
                    watch.slept(until, clock.time())
            case Finished():
                on_event(WatchFinished(task_id=watch.task_id, delivered=len(watch.delivered)))
                return
            case Failed(error=error, cause=cause):
                raise error from cause


class _Ear:
    """Hears the nudges for one watch, asleep or awake."""

    __slots__ = ("bell", "heard")

    def __init__(self, bell: Bell) -> None:
        self.bell = bell
        self.heard = bell.rings

    def tell(self, watch: Watch, now: float) -> None:
        """Pass on what has rung since."""
        if self.bell.rings != self.heard:
            self.heard = self.bell.rings
            watch.nudge(now)

    async def sleep(self, clock: Clock, seconds: float, watch: Watch) -> bool:
        """Until the time has come, or somebody rings (False); the two need no task for a race."""
        if watch.nudged:
            await clock.sleep(seconds)  # it has been shortened as far as it may be
            return True
        if self.bell.rings != self.heard:
            return False
        with anyio.CancelScope() as scope:
            self.bell.sleepers.add(scope.cancel)
            try:
                await clock.sleep(seconds)
            finally:
                self.bell.sleepers.discard(scope.cancel)
        return not scope.cancelled_caught


async def ask(
    question: Look | AskTask | AskScene,
    source: WatchSource,
    watch: Watch,
    clock: Clock,
    on_event: OnWatchEvent,
) -> None:
    """Ask what a watch wants to know, and let it have the answer."""
    match question:
        case Look():
            await _look(source, watch, clock, on_event)
        case AskTask():
            await _ask(source, watch, clock, on_event)
        case AskScene():
            await _ask_scene(source, watch, clock, on_event)


async def _look(source: WatchSource, watch: Watch, clock: Clock, on_event: OnWatchEvent) -> None:
    try:
        snapshot = await source.look_at_derivatives(watch.task_id)
    except IceyeError as error:
        _note_failure(watch, error, on_event)
        return
    watch.receive(snapshot, clock.time())
    on_event(
        SnapshotReceived(
            task_id=watch.task_id,
            availability=snapshot.availability,
            ready=sum(derivative.is_ready for derivative in snapshot.derivatives),
            listed=len(snapshot.derivatives),
            faulty=len({fault.item for fault in snapshot.unreadable}),
        )
    )


async def _ask(source: WatchSource, watch: Watch, clock: Clock, on_event: OnWatchEvent) -> None:
    try:
        task = await source.look_at_task(watch.task_id)
    except TaskNotFoundError as error:
        watch.receive_unknown_task(error, clock.time())
        if watch.was_seen:
            _tell_failure(watch, error, on_event)
    except IceyeError as error:
        _note_failure(watch, error, on_event)
    else:
        watch.receive_task(task, clock.time())
        on_event(TaskStatusReceived(task_id=watch.task_id, status=task.status))


async def _ask_scene(
    source: WatchSource, watch: Watch, clock: Clock, on_event: OnWatchEvent
) -> None:
    scene: Scene | None = None
    try:
        scene = await source.look_at_scene(watch.task_id)
    except IceyeError as error:
        watch.receive_no_scene(error, clock.time())
    else:
        watch.receive_scene(scene, clock.time())
    on_event(SceneReceived(task_id=watch.task_id, scene=scene))


def _note_failure(watch: Watch, error: IceyeError, on_event: OnWatchEvent) -> None:
    watch.receive_failure(error)
    if error.retryable:
        _tell_failure(watch, error, on_event)


def _tell_failure(watch: Watch, error: IceyeError, on_event: OnWatchEvent) -> None:
    on_event(
        PollFailed(
            task_id=watch.task_id,
            error=error,
            failures=watch.failures,
            budget=watch.failure_budget,
        )
    )
