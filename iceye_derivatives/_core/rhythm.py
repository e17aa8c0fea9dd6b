"""How often is it worth looking, given what is known of the task?

The page: "After a task is fulfilled and derivative processing is complete, you can retrieve the
derivative products".  So while a task is RECEIVED or ACTIVE only its status and its scene are asked
for, rarely; from FULFILLED on the derivatives themselves are looked at, quickly.  All numbers are
multiples of `Backoff.maximum`, so that one setting scales the whole rhythm.

Where the scene tells when the image is taken, and `Delays` how long things take, the forecast says
when to look; where they do not, the plain rhythm holds.
"""

from __future__ import annotations

from attrs import frozen

from iceye_derivatives._core.backoff import jittered
from iceye_derivatives._core.decisions import AskScene, AskTask, Look, Patience
from iceye_derivatives._core.forecast import models_wait, products_wait
from iceye_derivatives._core.outlook import Outlook
from iceye_derivatives.models import TaskStatus

__all__ = ["BEFORE_IMAGE", "IMAGED", "Facts", "due_question", "next_delay", "spell"]

BEFORE_IMAGE = frozenset({TaskStatus.RECEIVED, TaskStatus.ACTIVE})
IMAGED = frozenset({TaskStatus.FULFILLED, TaskStatus.DONE})
"""Statuses from which on derivatives can appear (DONE does not mean that they have)."""

RECEIVED = 10
"""Ten minutes at the default: "an optimiser decides within about 20 minutes"."""
AHEAD_OF_WINDOW = 360
"""Six hours: nothing but a cancellation or a failure can happen before the window opens."""
AHEAD_OF_IMAGE = 600
"""Ten hours, where it is known when the image is planned for."""
APPROACH = 0.45
"""And no more than this share of the time until then: plans move, also to an earlier moment, and an
image that comes against its plan is what is noticed hours late."""
TASK_BESIDE_SCENE = 1440
"""A day: there is a scene "only in ACTIVE, FULFILLED, DONE", so one that is there tells that the
task has not ended, and one that is gone has the task asked for at once.  Should a scene ever
outlive its task, that stays unnoticed for no longer."""
SCENE_PAUSE = 10
"""Ten minutes at least from one question for the scene to the next."""
AROUND_IMAGE = 120
"""Two hours: where the next question would be sooner than that, it is the one after the image.  By
then plans are fixed to minutes, and each question costs a lone task a token as well."""
PUSHED = 720
"""Twelve hours, where changes of the status are told by notifications, which may get lost."""
FAR = 0.1
"""Jitter shortens a wait of hours by this share at most: that sets tasks that began together an
hour apart, which is enough, and each question more costs a lone task a token as well."""
WINDOW_OPENED = 45
"""Three quarters of an hour: the image may come at any time, its models take a while after that."""
WINDOW_LONG_OPEN = 120
"""Two hours, where the window has been open for most of a day."""
OPEN_SHARE = 1 / 8
"""In between, the ceiling is this share of the time for which the window has been open.

These numbers are a price: they keep three days of waiting and two hours of models under 400
requests (`benchmarks/waiting.py` prints it), though full jitter halves each wait on average."""
LONG_SILENCE = 10
"""Ten minutes is the slowest look at a task whose derivatives take unusually long."""
SILENCE_SHARE = 1 / 100
"""Past an hour and forty minutes of silence (at the default) the ceiling is this share of it."""

_LOOK, _ASK_TASK, _ASK_SCENE = Look(), AskTask(), AskScene()


@frozen(kw_only=True)
class Facts:
    """All that the rhythm depends on; moments are Unix seconds by the API's clock."""

    now: float
    patience: Patience
    status: str | None
    opens: float | None
    """When the acquisition window opens."""
    outlook: Outlook | None
    requested: tuple[str, ...]
    """Product types, as far as known."""
    awaited: tuple[str, ...]
    """Those of them that have not come."""
    ready: int
    listed: int
    quiet_looks: int
    silent_since: float
    asked_at: float | None
    """When the task was last asked for."""

    @property
    def unit(self) -> float:
        """Seconds by which the whole rhythm is scaled."""
        return self.patience.backoff.maximum

    @property
    def opened_for(self) -> float:
        """Seconds since the window opened, negative before."""
        return 0.0 if self.opens is None else self.now - self.opens

    @property
    def before_image(self) -> bool:
        """Whether no derivative can be expected yet."""
        return self.status in BEFORE_IMAGE and not self.listed

    @property
    def fulfilled_at(self) -> float | None:
        """Since when derivatives can come, where that is known and forecasts are made."""
        foretold = self.patience.delays is not None and self.status is not None
        return self.outlook.fulfilled_at if foretold and self.outlook is not None else None

    @property
    def imaging_end(self) -> float | None:
        """When the image is planned to have been taken, where that is known and forecasts made."""
        foretold = self.patience.delays is not None and not self.patience.push
        return self.outlook.imaging_end if foretold and self.outlook is not None else None

    @property
    def ahead(self) -> bool:
        """Whether the image's time has not come near; a plan counts for more than the window."""
        planned = self.imaging_end
        early = planned is not None and self.opens is not None and planned <= self.opens
        return self.opened_for < 0 and not early

    @property
    def planned(self) -> Outlook | None:
        """The outlook of an ACTIVE task whose image's time has come near and is known."""
        near = self.status == TaskStatus.ACTIVE and not self.ahead
        return self.outlook if near and self.imaging_end is not None else None


def next_delay(facts: Facts, jitter: float) -> float:
    """Seconds until the next question; `jitter` is a draw from [0, 1)."""
    if not facts.before_image:
        return _derivatives(facts, jitter)
    if facts.patience.push:
        return _far(PUSHED * facts.unit, jitter)
    if facts.status == TaskStatus.RECEIVED:
        return jittered(RECEIVED * facts.unit, jitter)
    if facts.ahead:
        return _ahead_of_window(facts, jitter)
    if facts.planned is None:
        return jittered(window_pace(facts), jitter)
    return _around_image(facts, facts.planned, jitter)


def due_question(facts: Facts) -> Look | AskTask | AskScene:
    """What to ask when the time has come."""
    if not facts.before_image:
        return _LOOK
    if facts.planned is None:
        return _ASK_TASK
    imaging_end = facts.planned.imaging_end or 0.0
    scene_asked_at = facts.planned.scene_asked_at or 0.0
    if facts.now >= imaging_end:
        # "Values move until the scene is taken, then fixed": one question after it tells.
        return _ASK_SCENE if scene_asked_at < imaging_end else _ASK_TASK
    # The scene tells both of a plan that has moved and, as it is gone then, of an end.
    since = facts.now - (facts.asked_at or 0.0)
    return _ASK_TASK if since >= TASK_BESIDE_SCENE * facts.unit else _ASK_SCENE


def _ahead_of_window(facts: Facts, jitter: float) -> float:
    if facts.imaging_end is not None:
        delay = _far(AHEAD_OF_IMAGE * facts.unit, jitter)
    else:
        delay = jittered(AHEAD_OF_WINDOW * facts.unit, jitter)
    return min(delay, max(-facts.opened_for, jittered(1.0, jitter)))


def _around_image(facts: Facts, outlook: Outlook, jitter: float) -> float:
    left = (outlook.imaging_end or 0.0) - facts.now
    if left > 0:
        gap = min(AHEAD_OF_IMAGE * facts.unit, APPROACH * left)
        if gap >= AROUND_IMAGE * facts.unit:
            return _far(gap, jitter)
        return max(left + jittered(facts.unit, jitter), _scene_pause(facts, outlook))
    if due_question(facts) == _ASK_SCENE:
        return max(jittered(facts.unit, jitter), _scene_pause(facts, outlook))
    return products_wait(
        -left,
        jitter,
        patience=facts.patience,
        promised=outlook.promised,
        requested=facts.requested,
        longest=window_pace(facts),
    )


def _scene_pause(facts: Facts, outlook: Outlook) -> float:
    # A plan that is always a minute ahead must not be asked for each minute.
    asked_at = outlook.scene_asked_at
    since = SCENE_PAUSE * facts.unit if asked_at is None else max(0.0, facts.now - asked_at)
    return max(0.0, SCENE_PAUSE * facts.unit - since)


def _derivatives(facts: Facts, jitter: float) -> float:
    outlook, since = facts.outlook, facts.fulfilled_at
    if outlook is None or since is None:
        return jittered(quick_pace(facts), jitter)
    return models_wait(
        max(0.0, facts.now - since),
        jitter,
        patience=facts.patience,
        requested=facts.requested,
        awaited=facts.awaited,
        planned=outlook.imaging_end is not None,
    )


def window_pace(facts: Facts) -> float:
    """The ceiling while the window is open and nothing tells when the image is taken."""
    least, most = WINDOW_OPENED * facts.unit, WINDOW_LONG_OPEN * facts.unit
    return min(most, max(least, OPEN_SHARE * facts.opened_for))


def quick_pace(facts: Facts) -> float:
    """The ceiling where derivatives may appear at any moment."""
    silence = max(0.0, facts.now - facts.silent_since)
    slow = min(LONG_SILENCE * facts.unit, silence * SILENCE_SHARE)
    return max(facts.patience.backoff.ceiling(facts.quiet_looks), slow)


def _far(gap: float, jitter: float) -> float:
    return gap * (1.0 - FAR * (1.0 - jitter))


def spell(seconds: float) -> str:
    """A duration for people: ``45 s``, ``12 min``, ``9 h``, ``3 days``."""
    for size, unit, until in ((1, "s", 120), (60, "min", 7200), (3600, "h", 172_800)):
        if seconds < until:
            return f"{max(0, round(seconds / size))} {unit}"
    return f"{round(seconds / 86_400)} days"
