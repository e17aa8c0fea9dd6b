"""What is new, and what is finished?

`Watch` takes facts (an answer of the derivatives endpoint, of the task, a failure) together with
the time at which they came, and gives decisions.  It never waits and never asks: `watcher.py` does.

===================================================  ==========================================
the answer                                           what the watch makes of it
===================================================  ==========================================
200, every listed derivative has assets              hand out what is new, finish
206, or 200 with an empty ``assets``                 hand out what is new, look again
206 with what cannot be read                         the same, and tell of it once
200 where nothing else is left                       the same, on a budget of its own
200, but a requested type is not listed              the same: such a 200 is not complete
404                                                  ask for the task: which of three causes?
404, and the task stays unknown beyond a grace       `TaskNotFoundError`
404, and a task seen before is unknown               try again, on a budget of its own
404, and it lists no derivativeProductTypes          `NoDerivativesRequestedError`
404, and it is REJECTED, FAILED or CANCELED          `TaskEndedError`
404 otherwise                                        wait
401 twice, 403, 400                                  fail at once
404 of somebody else's, who does not speak JSON      the same
429, 5xx, no answer                                  the same
===================================================  ==========================================

The truth lives here and not in the frame of `watch_task()`: a generator whose ``__anext__`` was
cancelled is dead, and iterating it again ends silently, as if all were well.
"""

from __future__ import annotations

from iceye_derivatives._core.backoff import Backoff
from iceye_derivatives._core.decisions import AskScene, AskTask, Decision, Finished, Look, Wait
from iceye_derivatives._core.reasons import reason
from iceye_derivatives._core.rhythm import Facts, due_question, next_delay, spell
from iceye_derivatives._core.watch_answers import WatchAnswers
from iceye_derivatives._core.watch_failures import failed_timeout

__all__ = ["Watch"]

_LOOK = Look()
FAILURE_BACKOFF = Backoff(initial=2.0, factor=2.0, maximum=300.0)
NUDGES_APART = 1.0
"""Seconds from one answered look to the next that a nudge may cause: a storm of hints is one."""
RETRY_AFTER_SPREAD = 0.1
"""Up to a tenth of a ``Retry-After`` is added, so that those it stopped do not return at once."""


class Watch(WatchAnswers):
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

    __slots__ = ()

    @property
    def nudged(self) -> bool:
        """Whether a hint waits for its look: until that is answered, another changes nothing."""
        return self._nudged

    def wake(self, now: float) -> None:
        """The wait is over, whatever the clock says: whoever waits for many keeps the time."""
        if self._next is not None:
            self._next = min(self._next, now)

    def slept(self, until: float, now: float) -> None:
        """A wait has been waited to its end, at `until`: a clock that shows less was set back.

        What is planned by it would begin again, and patience would end that much later.
        """
        if self._deadline is not None:
            self._deadline -= max(0.0, until - now)
        self.wake(now)

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
            return self._fatal(self)
        facts = None
        if self._todo is None and self._next is None:
            facts = self._facts(now)
            self._schedule(now, facts, jitter)
        if self._nudged and not self._is_in_trouble and self._retry_after is None:
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
        return self._wait(now, facts)

    def _wait(self, now: float, facts: Facts | None) -> Wait:
        # Clocks are set back: a wait is never longer than it was planned to be.
        until = now if self._next is None else min(self._next, now + self._delay)
        if self._deadline is not None:
            until = min(until, self._deadline)
        return Wait(seconds=max(0.0, until - now), until=until, reason=self._reason(now, facts))

    def _reason(self, now: float, facts: Facts | None) -> str:
        if self._failure is not None:
            why = f"the last poll failed ({type(self._failure).__name__})"
        elif self._stuck:
            why = "what is left of the listing cannot be read"
        elif self._nudged:
            why = "something may have happened to the task"
        else:
            why = reason(self._facts(now) if facts is None else facts)
        if self._retry_after is not None:
            why += f"; the API asked to wait {spell(self._retry_after)}"
        return why

    def _schedule(self, now: float, facts: Facts, jitter: float) -> None:
        self._just_answered_404 = False
        if self._is_in_trouble:
            delay = FAILURE_BACKOFF.delay((self._failures or self._stuck) - 1, jitter)
        else:
            delay = next_delay(facts, jitter)
        if self._retry_after is not None:
            delay = max(delay, self._retry_after * (1 + RETRY_AFTER_SPREAD * jitter))
        self._delay, self._next = delay, now + delay

    @property
    def _is_in_trouble(self) -> bool:
        """Whether a budget is being used up, which nothing may hurry."""
        return self._failure is not None or self._stuck > 0

    def _bring_forward(self, now: float) -> None:
        # Clocks are set back here too: the pause is never longer than it is meant to be.
        pause = min(max(0.0, self._looked_at + NUDGES_APART - now), NUDGES_APART)
        if self._next is None or now + pause < self._next:
            self._delay, self._next = pause, now + pause

    def _facts(self, now: float) -> Facts:
        seen, requested = self._seen, self.requested or ()
        unready = () if seen is None else seen.unready
        return Facts(
            now=self._by_api(now),
            patience=self._patience,
            status=self.status if self._unknown_since is None else None,
            opens=self._opens,
            outlook=self._outlook,
            requested=requested,
            awaited=requested if seen is None else seen.awaited(requested, unready),
            ready=0 if seen is None else len(seen.listed) - len(unready),
            listed=0 if seen is None else len(seen.listed),
            quiet_looks=self._quiet_looks,
            silent_since=self._by_api(self._silent_since),
            asked_at=None if self._asked_at is None else self._by_api(self._asked_at),
        )

    def _question(self, now: float) -> Look | AskTask | AskScene:
        if self._nudged or self._failure is not None or self._listed:
            return _LOOK
        return due_question(self._facts(now))
