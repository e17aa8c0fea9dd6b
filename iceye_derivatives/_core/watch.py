"""What is new, and what is finished?

`Watch` takes facts (an answer of the derivatives endpoint, of the task, a failure) together with
the time at which they came, and gives decisions.  It never waits and never asks: `watcher.py` does.

===================================================  ==========================================
the answer                                           what the watch makes of it
===================================================  ==========================================
200, every listed derivative has assets              hand out what is new, finish
206, or 200 with an empty ``assets``                 hand out what is new, look again
200, but a requested type is not listed              the same: such a 200 is not complete
404                                                  ask for the task: which of three causes?
404, and the task stays unknown beyond a grace       `TaskNotFoundError`
404, and it lists no derivativeProductTypes          `NoDerivativesRequestedError`
404, and it is REJECTED, FAILED or CANCELED          `TaskEndedError`
404 otherwise                                        wait
401 twice, 403, 400                                  fail at once
429, 5xx, no answer                                  try again, on a budget of its own
===================================================  ==========================================

The truth lives here and not in the frame of `watch_task()`: a generator whose ``__anext__`` was
cancelled is dead, and iterating it again ends silently, as if all were well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from math import inf
from sys import intern

from iceye_derivatives._core.backoff import Backoff
from iceye_derivatives._core.decisions import (
    AskScene,
    AskTask,
    Decision,
    Failed,
    Finished,
    Look,
    Patience,
    Wait,
)
from iceye_derivatives._core.outlook import Outlook
from iceye_derivatives._core.reasons import reason
from iceye_derivatives._core.rhythm import (
    BEFORE_IMAGE,
    IMAGED,
    Facts,
    due_question,
    next_delay,
    spell,
)
from iceye_derivatives._core.seen import Seen
from iceye_derivatives._core.watch_failures import (
    failed_budget,
    failed_ended,
    failed_timeout,
    failed_unknown,
    failed_unrequested,
)
from iceye_derivatives._core.watch_state import WatchState, dump_state, load_state
from iceye_derivatives.errors import ApiError, IceyeError
from iceye_derivatives.models import (
    AcquisitionWindow,
    Availability,
    Derivative,
    Scene,
    Snapshot,
    Task,
    TaskStatus,
)

__all__ = ["Watch"]

_LOOK, _ASK_TASK, _ASK_SCENE = Look(), AskTask(), AskScene()
ENDED = frozenset({TaskStatus.REJECTED, TaskStatus.FAILED, TaskStatus.CANCELED})
FAILURE_BACKOFF = Backoff(initial=2.0, factor=2.0, maximum=300.0)
ASK_AGAIN_AFTER = 15
"""In units of `Backoff.maximum`: how long a task's status counts as known while looks say 404."""
UNIX = datetime(1970, 1, 1, tzinfo=UTC)
PROBE_EVERY = 6
"""Before the image only the status is asked for, but each sixth time the derivatives too: ICEYE
documents no status for derivatives, so "ask the endpoint, not the status" holds even here."""
NUDGES_APART = 1.0
"""Seconds from one answered look to the next that a nudge may cause: a storm of hints is one."""
RETRY_AFTER_SPREAD = 0.1
"""Up to a tenth of a ``Retry-After`` is added, so that those it stopped do not return at once."""


class Watch:
    """What is known of one task's derivatives: the state behind `DerivativesClient.watch_task()`.

    Promises, for any sequence of answers: each derivative is handed out once, in the order first
    seen, and again (marked ``is_update``) only when assets appear that were not handed out before;
    what was handed out stays known over `to_json()` and `from_json()`.

    Save it after you have dealt with an item, and a later process goes on from there; what the API
    had shown but nobody had taken yet is handed out then.  The saved text holds no URL.

    Example:
        >>> watch = Watch("7fb95g75-6828-5673-c4gd-3d074g77bgb7")
        >>> Watch.from_json(watch.to_json()).task_id
        '7fb95g75-6828-5673-c4gd-3d074g77bgb7'
    """

    __slots__ = (
        "_asked_at",
        "_asks",
        "_closes",
        "_complete",
        "_deadline",
        "_delay",
        "_ended",
        "_failure",
        "_failures",
        "_fatal",
        "_just_answered_404",
        "_last_look_taken",
        "_looked_at",
        "_next",
        "_nudged",
        "_opens",
        "_outlook",
        "_patience",
        "_quiet_looks",
        "_retry_after",
        "_seen",
        "_silent_since",
        "_todo",
        "_unknown_since",
        "requested",
        "status",
        "sure",
        "task_id",
    )

    def __init__(
        self, task_id: str, *, requested: Iterable[str] | None = None, seen: Seen | None = None
    ) -> None:
        self.task_id = task_id
        self.status: str | None = None
        """The task's status when it was last asked for."""
        self._opens: float | None = None
        self._closes: float | None = None
        self.requested = None if requested is None else tuple(requested)
        """The product types ordered, as far as known."""
        self.sure = bool(self.requested)
        """Whether it is known that derivatives were asked for at all."""
        self._seen = seen
        self._outlook: Outlook | None = None
        self._complete = False
        self.begin(0.0, Patience())

    # -- what a caller may ask ---------------------------------------------------------------------

    @property
    def finished(self) -> bool:
        """Whether all derivatives were handed out: tells success from a generator that died."""
        return self._complete and (self._seen is None or not self._seen.queued)

    @property
    def delivered(self) -> tuple[str, ...]:
        """Ids of the derivatives handed out so far, in that order."""
        return () if self._seen is None else self._seen.delivered

    @property
    def missing(self) -> tuple[str, ...]:
        """Ids listed without assets, then requested product types that are not listed at all."""
        if self._seen is None:
            return tuple(sorted(set(self.requested or ())))
        unlisted = set(self.requested or ()) - set(self._seen.listed.values())
        return (*self._seen.unready, *sorted(unlisted))

    @property
    def seen(self) -> Seen:
        """What was shown and what was handed out."""
        # Made when it is needed: a hundred thousand watches wait for days with nothing in it.
        if self._seen is None:
            self._seen = Seen()
        return self._seen

    @seen.setter
    def seen(self, seen: Seen) -> None:
        self._seen = seen

    @property
    def window(self) -> AcquisitionWindow | None:
        """The acquisition window, as far as known."""
        if self._opens is None or self._closes is None:
            return None
        # Not `datetime.fromtimestamp`: by its own offset a moment may lie beyond the calendar.
        with suppress(OverflowError):
            return AcquisitionWindow(
                start=UNIX + timedelta(seconds=self._opens),
                end=UNIX + timedelta(seconds=self._closes),
            )
        return None

    @window.setter
    def window(self, window: AcquisitionWindow | None) -> None:
        self._opens = None if window is None else window.start.timestamp()
        self._closes = None if window is None else window.end.timestamp()

    def to_json(self) -> str:
        """The state as JSON, without any URL; `from_json()` takes it."""
        return dump_state(
            WatchState(
                task_id=self.task_id,
                requested=self.requested,
                sure=self.sure,
                status=self.status,
                opens=self._opens,
                closes=self._closes,
                outlook=self._outlook,
                seen=self._seen or Seen(),
            )
        )

    @classmethod
    def from_json(cls, text: str | bytes) -> Watch:
        """A watch that goes on where the saved one stood.

        Raises:
            ConfigurationError: when the text is not what `to_json()` writes.
        """
        state = load_state(text)
        watch = cls(state.task_id, requested=state.requested)
        if state.seen.listed or state.seen.handed:
            watch.seen = state.seen
        watch.sure, watch.status, watch._outlook = state.sure, state.status, state.outlook
        watch._opens, watch._closes = state.opens, state.closes
        return watch

    # -- facts in ----------------------------------------------------------------------------------

    def begin(self, now: float, patience: Patience) -> None:
        """A run starts: patience and budgets are fresh, what was seen stays."""
        self._patience = patience
        self._deadline = None if patience.timeout is None else now + patience.timeout
        self._todo: Look | AskTask | AskScene | None = _LOOK
        self._just_answered_404 = False
        self._ended = False
        self._next: float | None = None
        self._delay = 0.0
        self._quiet_looks = 0
        self._silent_since = now
        self._asked_at: float | None = None
        self._asks = 0
        self._unknown_since: float | None = None
        self._failures = 0
        self._failure: IceyeError | None = None
        self._retry_after: float | None = None
        self._nudged = False
        self._looked_at = -inf
        self._last_look_taken = False
        self._fatal: Callable[[], Failed] | None = None

    def receive(self, snapshot: Snapshot, now: float) -> None:
        """The derivatives endpoint answered 200, 206 or 404."""
        self._answered(snapshot.retry_after)
        self._nudged = False
        if snapshot.derivatives and self._take_in(snapshot, now):
            self._news(now)
        else:
            self._quiet_looks += 1
        self._looked_at = now
        self._just_answered_404 = snapshot.availability is Availability.NONE
        is_complete = snapshot.availability is Availability.COMPLETE and self._has_all_requested()
        if self._ended and not is_complete:
            self._fatal = partial(failed_ended, self)
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
        elif not self.sure and not self._listed:
            self._fatal = partial(failed_unrequested, self)
        elif newly_imaged or self._probes(now):
            self._todo = _LOOK
        elif self._scene_is_due(now):
            self._todo = _ASK_SCENE

    def receive_scene(self, scene: Scene, now: float) -> None:
        """The scene answered."""
        self._answered(None)
        self._forgive()
        self._outlook = self._outlook or Outlook()
        self._outlook.take_scene(scene, now, opens=self._opens)

    def receive_no_scene(self, error: IceyeError, now: float) -> None:
        """There is no scene to be had: a fact and no failure, the task is asked as before."""
        self._answered(error.retry_after if isinstance(error, ApiError) else None)
        self._outlook = self._outlook or Outlook()
        self._outlook.take_no_scene(now, opens=self._opens, retryable=error.retryable)

    def receive_unknown_task(self, now: float) -> None:
        """The API does not know the task, either."""
        self._answered(None)
        self._forgive()
        self._asked_at = None
        if self._unknown_since is None:
            self._unknown_since = now
        if now - self._unknown_since >= self._patience.grace:
            self._fatal = partial(failed_unknown, self)

    def receive_failure(self, error: IceyeError) -> None:
        """A poll failed."""
        self._answered(error.retry_after if isinstance(error, ApiError) else None)
        if not error.retryable:
            self._fatal = partial(Failed, error)
            return
        self._failure = error
        self._failures += 1
        if self._failures >= self._patience.failures:
            self._fatal = partial(failed_budget, self, error)

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

    # -- decisions out -----------------------------------------------------------------------------

    def peek(self) -> Derivative | None:
        """What `pop()` would give, without counting it as handed out."""
        return None if self._seen is None else self._seen.peek(self.task_id)

    def give_back(self, derivative_id: str) -> None:
        """Count it as not handed out: its files did not come home, so it is to come again."""
        if self._seen is not None:
            self._seen.give_back(derivative_id)
        self._complete = False

    def pop(self) -> Derivative | None:
        """The next derivative to hand out, which counts as handed out from now on."""
        return None if self._seen is None else self._seen.pop(self.task_id)

    @property
    def nudged(self) -> bool:
        """Whether a hint waits for its look: until that is answered, another changes nothing."""
        return self._nudged

    def wake(self, now: float) -> None:
        """The wait is over, whatever the clock says: whoever waits for many keeps the time."""
        if self._next is not None:
            self._next = min(self._next, now)

    @property
    def asks_now(self) -> bool:
        """Whether it has a question that does not wait."""
        return self._todo is not None

    @property
    def wants_status(self) -> bool:
        """Whether it asks for the task next, which a listing of tasks would answer as well."""
        then = self._silent_since if self._next is None else self._next
        return isinstance(self._todo or self._question(then), AskTask)

    @property
    def failures(self) -> int:
        """Failed polls in a row."""
        return self._failures

    @property
    def failure_budget(self) -> int:
        """At how many of them the watch gives up."""
        return self._patience.failures

    def decide(self, now: float, jitter: float) -> Decision:
        """What to do now; take every `pop()` first.  `jitter` is a draw from [0, 1)."""
        if self._complete:
            return Finished()
        if self._fatal is not None:
            # Made only now: what was ready has been taken meanwhile, and the error tells of it.
            return self._fatal()
        if self._todo is None and self._next is None:
            self._schedule(now, jitter)
        if self._nudged and self._failure is None and self._retry_after is None:
            self._bring_forward(now)
        if self._todo is None and self._next is not None and now >= self._next:
            self._todo, self._next = self._question(now), None
        if self._deadline is not None and now >= self._deadline:
            if not self._last_look_taken:
                self._last_look_taken, self._todo = True, _LOOK
            elif self._todo is None:
                return failed_timeout(self, self._patience.timeout or 0.0)
        if self._todo is not None:
            todo, self._todo, self._next = self._todo, None, None
            return todo
        return self._wait(now)

    def _wait(self, now: float) -> Wait:
        # Clocks are set back: a wait is never longer than it was planned to be.
        until = now if self._next is None else min(self._next, now + self._delay)
        if self._deadline is not None:
            until = min(until, self._deadline)
        return Wait(seconds=max(0.0, until - now), until=until, reason=self._reason(now))

    def _reason(self, now: float) -> str:
        if self._failure is not None:
            why = f"the last poll failed ({type(self._failure).__name__})"
        elif self._nudged:
            why = "something may have happened to the task"
        else:
            why = reason(self._facts(now))
        if self._retry_after is not None:
            why += f"; the API asked to wait {spell(self._retry_after)}"
        return why

    def _schedule(self, now: float, jitter: float) -> None:
        self._just_answered_404 = False
        if self._failure is not None:
            delay = FAILURE_BACKOFF.delay(self._failures - 1, jitter)
        else:
            delay = next_delay(self._facts(now), jitter)
        if self._retry_after is not None:
            delay = max(delay, self._retry_after * (1 + RETRY_AFTER_SPREAD * jitter))
        self._delay, self._next = delay, now + delay

    def _bring_forward(self, now: float) -> None:
        # Clocks are set back here too: the pause is never longer than it is meant to be.
        pause = min(max(0.0, self._looked_at + NUDGES_APART - now), NUDGES_APART)
        if self._next is None or now + pause < self._next:
            self._delay, self._next = pause, now + pause

    def _facts(self, now: float) -> Facts:
        seen, requested = self._seen, self.requested or ()
        return Facts(
            now=now,
            patience=self._patience,
            status=self.status if self._unknown_since is None else None,
            opens=self._opens,
            outlook=self._outlook,
            requested=requested,
            awaited=requested if seen is None else seen.awaited(requested),
            ready=0 if seen is None else seen.ready,
            listed=0 if seen is None else len(seen.listed),
            quiet_looks=self._quiet_looks,
            silent_since=self._silent_since,
            asked_at=self._asked_at,
        )

    def _question(self, now: float) -> Look | AskTask | AskScene:
        if self._nudged or self._failure is not None:
            return _LOOK
        return due_question(self._facts(now))

    @property
    def _listed(self) -> bool:
        return self._seen is not None and bool(self._seen.listed)

    # -- small steps -------------------------------------------------------------------------------

    def _take_in(self, snapshot: Snapshot, now: float) -> bool:
        """Note what is listed, and how long it took; True where there are new assets."""
        delays, outlook = self._patience.delays, self._outlook
        if delays is not None and outlook is not None:
            new = [one for one in snapshot.derivatives if self.seen.is_first(one)]
            outlook.teach_models(delays, new, looked_at=self._looked_at, now=now)
        return self.seen.take_in(snapshot.derivatives)

    def _take_dates(self, task: Task, now: float, *, newly_imaged: bool) -> None:
        if task.fulfilled_at is None and task.products_available_in_seconds is None:
            return
        self._outlook = self._outlook or Outlook()
        self._outlook.take_task(task, now, opens=self._opens)
        if newly_imaged and self._patience.delays is not None:
            self._outlook.teach_products(self._patience.delays)

    def _probes(self, now: float) -> bool:
        if self.status not in BEFORE_IMAGE or self._asks % PROBE_EVERY:
            return False
        # An endpoint that may answer early is not asked before there is an image.
        planned = None if self._outlook is None else self._outlook.imaging_end
        return planned is None or self._patience.delays is None or now >= planned

    def _scene_is_due(self, now: float) -> bool:
        patience = self._patience
        if self.status != TaskStatus.ACTIVE or patience.delays is None or patience.push:
            return False
        return self._outlook is None or now >= self._outlook.scene_due

    def _answered(self, retry_after: float | None) -> None:
        # Any fact makes the old plan stale, also one that came without being asked for.
        self._todo, self._next, self._retry_after = None, None, retry_after

    def _forgive(self) -> None:
        self._failures, self._failure = 0, None

    def _end(self) -> None:
        # The last look may be hours old, and what became ready since must not be lost.
        if self._just_answered_404:
            self._fatal = partial(failed_ended, self)
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
        return set(self.requested or ()) <= set(self._seen.listed.values() if self._seen else ())


def _shared(name: str) -> str:
    """The one string of that text: a hundred thousand watches hold the same few names."""
    return intern(str(name))
