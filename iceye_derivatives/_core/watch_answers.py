"""What does each answer change in what a watch knows?

The table is in `iceye_derivatives._core.watch`; nothing here decides when to ask.
"""

from __future__ import annotations

from functools import partial
from sys import intern

from iceye_derivatives._core.decisions import AskScene, AskTask, Failed, Look
from iceye_derivatives._core.outlook import Outlook
from iceye_derivatives._core.rhythm import BEFORE_IMAGE, IMAGED
from iceye_derivatives._core.unread import is_all_that_is_left
from iceye_derivatives._core.watch_failures import (
    failed_budget,
    failed_ended,
    failed_unknown,
    failed_unreadable,
    failed_unrequested,
)
from iceye_derivatives._core.watch_memory import WatchMemory
from iceye_derivatives.errors import ApiError, IceyeError, TaskNotFoundError
from iceye_derivatives.models import Availability, Scene, Snapshot, Task, TaskStatus

__all__ = ["WatchAnswers"]

_LOOK, _ASK_TASK, _ASK_SCENE = Look(), AskTask(), AskScene()
ENDED = frozenset({TaskStatus.REJECTED, TaskStatus.FAILED, TaskStatus.CANCELED})
ASK_AGAIN_AFTER = 15
"""In units of `Backoff.maximum`: how long a task's status counts as known while looks say 404."""
PROBE_EVERY = 6
"""Before the image only the status is asked for, but each sixth time the derivatives too: ICEYE
documents no status for derivatives, so "ask the endpoint, not the status" holds even here."""
FORETOLD = 3
"""So much more seldom where the plan of the image is known."""


class WatchAnswers(WatchMemory):
    """The half of `Watch` that takes facts in, each with the time at which it came."""

    __slots__ = ()

    def receive(self, snapshot: Snapshot, now: float) -> None:
        """The derivatives endpoint answered 200, 206 or 404."""
        self._answered(snapshot.retry_after)
        self._nudged = False
        news = bool(snapshot.derivatives) and self._take_in(snapshot, now)
        if news:
            self._news(now)
        else:
            self._quiet_looks += 1
        self._take_faults(snapshot, news=news)
        self._looked_at = now
        self._just_answered_404 = snapshot.availability is Availability.NONE
        is_complete = snapshot.availability is Availability.COMPLETE and self._has_all_requested()
        if self._ended and not is_complete:
            self._fatal = failed_ended
            return
        if self._just_answered_404 and self._task_is_stale(now):
            # Failures are forgiven when the task has answered too: else a getTask that always
            # fails beside a 404 that always comes would be asked for ever, at the quickest pace.
            self._todo = _ASK_TASK
            return
        self._forgive()
        if snapshot.derivatives:
            self._unknown_since = None
        self._complete = is_complete
        if self._stuck >= self._patience.failures:
            self._fatal = failed_unreadable

    def receive_task(self, task: Task, now: float) -> None:
        """The task answered."""
        self._answered(None)
        self._forgive()
        self._unknown_since = None
        self._asked_at = now
        self._asks += 1
        newly_imaged = task.status in IMAGED and self.status not in IMAGED
        self.status, self.window = _shared(task.status), task.acquisition_window
        if task.derivative_product_types:
            self.requested = tuple(map(_shared, task.derivative_product_types))
            self.sure = True
        self._take_dates(task, now, newly_imaged=newly_imaged)
        if newly_imaged:
            self._news(now)
        if task.status in ENDED:
            self._end()
        elif not (self.sure or self._listed or "derivativeProductTypes" in task.extra):
            self._fatal = failed_unrequested
        elif newly_imaged or self._probes(now):
            self._todo = _LOOK
        elif self._scene_is_due(now):
            self._todo = _ASK_SCENE

    def receive_scene(self, scene: Scene, now: float) -> None:
        """The scene answered."""
        self._answered(None)
        self._forgive()
        self._outlook = self._outlook or Outlook()
        self._outlook.take_scene(scene, self._by_api(now), opens=self._opens)

    def receive_no_scene(self, error: IceyeError, now: float) -> None:
        """There is no scene to be had: a fact and no failure, the task is asked as before."""
        self._answered(error.retry_after if isinstance(error, ApiError) else None)
        self._outlook = self._outlook or Outlook()
        self._outlook.take_no_scene(self._by_api(now), opens=self._opens, retryable=error.retryable)
        if self._outlook.imaging_end is not None and self._retry_after is None:
            # There was one, and "gone after cancellation" is one of the reasons why there is none.
            self._todo = _ASK_TASK if self._task_is_stale(now) else None

    def receive_unknown_task(self, error: TaskNotFoundError, now: float) -> None:
        """The API does not know the task, either.

        One that was never seen may be very fresh.  One that was seen does not cease to be: whoever
        says so has failed, and is believed only where that uses the budget of failures up.
        """
        self._answered(error.retry_after)
        self._asked_at = None
        if self._unknown_since is None:
            self._unknown_since = now
        if self.was_seen:
            spent = self._count(error)
        else:
            self._forgive()
            spent = True
        if spent and now - self._unknown_since >= self._patience.grace:
            self._fatal = failed_unknown

    def receive_failure(self, error: IceyeError) -> None:
        """A poll failed."""
        self._answered(error.retry_after if isinstance(error, ApiError) else None)
        if not error.retryable:
            self._fatal = partial(_refused, error)
            return
        if self._count(error):
            self._fatal = partial(failed_budget, last=error)

    def nudge(self, now: float) -> None:
        """Something may have happened to the task: look at once, and often for a while.

        Only a hint: what the API asked for and the pauses after failures come first, and the hint
        is kept until a look has been answered.
        """
        self._nudged = True
        self._news(now)
        if self.status in BEFORE_IMAGE:
            # What is called out are changes of the status, so a 404 is not all that one can learn.
            self._asked_at = None

    # -- small steps -------------------------------------------------------------------------------

    def _take_in(self, snapshot: Snapshot, now: float) -> bool:
        """Note what is listed, and how long it took; True where there are new assets."""
        delays, outlook = self._patience.delays, self._outlook
        if delays is not None and outlook is not None:
            new = [one for one in snapshot.derivatives if self.seen.is_first(one)]
            looked_at = self._by_api(self._looked_at)
            outlook.teach_models(delays, new, looked_at=looked_at, now=self._by_api(now))
        return self.seen.take_in(snapshot.derivatives)

    def _take_faults(self, snapshot: Snapshot, *, news: bool) -> None:
        """Note what cannot be read, and for how many looks in a row nothing else was to come."""
        if snapshot.availability is not Availability.NONE:
            self._unreadable = snapshot.unreadable
        if not is_all_that_is_left(snapshot, self._unlisted):
            self._stuck = 0
        else:
            self._stuck = 1 if news else self._stuck + 1

    def _take_dates(self, task: Task, now: float, *, newly_imaged: bool) -> None:
        if task.fulfilled_at is None and task.products_available_in_seconds is None:
            return
        self._outlook = self._outlook or Outlook()
        self._outlook.take_task(task, self._by_api(now), opens=self._opens)
        if newly_imaged and self._patience.delays is not None:
            self._outlook.teach_products(self._patience.delays)

    def _probes(self, now: float) -> bool:
        planned = None if self._outlook is None else self._outlook.imaging_end
        if planned is None or self._patience.delays is None:
            return self.status in BEFORE_IMAGE and self._asks % PROBE_EVERY == 0
        # An endpoint that may answer early is not asked before there is an image, and seldom where
        # the status is asked for as often as a forecast lets it.
        due = self._asks % (PROBE_EVERY * FORETOLD) == 0
        return self.status in BEFORE_IMAGE and self._by_api(now) >= planned and due

    def _scene_is_due(self, now: float) -> bool:
        patience = self._patience
        if self.status != TaskStatus.ACTIVE or patience.delays is None or patience.push:
            return False
        return self._outlook is None or self._by_api(now) >= self._outlook.scene_due

    def _answered(self, retry_after: float | None) -> None:
        # Any fact makes the old plan stale, also one that came without being asked for.
        self._todo, self._next, self._retry_after = None, None, retry_after

    def _count(self, failure: IceyeError) -> bool:
        """One more failed poll; True where that was the last of the budget."""
        self._failure = failure
        self._failures += 1
        return self._failures >= self._patience.failures

    def _forgive(self) -> None:
        self._failures, self._failure = 0, None

    def _end(self) -> None:
        # The last look may be hours old, and what became ready since must not be lost.
        if self._just_answered_404:
            self._fatal = failed_ended
        else:
            self._ended, self._todo = True, _LOOK

    def _news(self, now: float) -> None:
        self._quiet_looks, self._silent_since = 0, now

    def _task_is_stale(self, now: float) -> bool:
        known_for = ASK_AGAIN_AFTER * self._patience.backoff.maximum
        return self._asked_at is None or now - self._asked_at >= known_for

    def _has_all_requested(self) -> bool:
        # The page on 200: "All requested derivatives have products available".  An answer that
        # lacks a requested type breaks that promise and is not believed.
        return not self._unlisted


def _refused(error: IceyeError, watch: WatchMemory) -> Failed:  # noqa: ARG001 - as the others
    """There is nothing to be added to it."""
    return Failed(error)


def _shared(name: str) -> str:
    """The one string of that text: a hundred thousand watches hold the same few names."""
    return intern(str(name))
