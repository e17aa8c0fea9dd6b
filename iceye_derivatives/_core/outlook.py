"""What is known of when a task's image is taken, and of when its products came?

Facts only, as they came; what follows from them is for the rhythm to say.  Held apart from the
watch, because most tasks of a fleet have only just been ordered and know nothing of it yet.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import define

from iceye_derivatives._core.delays import LONGEST, Delays
from iceye_derivatives._core.spread import IMAGE_TO_FULFILLED, SHARE_OF_PROMISE, WHOLE
from iceye_derivatives.models import Derivative, Scene, Task

__all__ = ["Outlook"]

DAY = 86_400.0
"""Seconds after which a scene is asked for again, whether or not it was to be had."""
LATE = 4 * 3600.0
"""The same where the image should have been taken by now and no status tells that it was."""
SOON = 900.0
"""The same where only the question failed."""
VAGUE = 120.0
"""What came between two looks is learned from only if they are this many seconds apart at most,"""
VAGUE_SHARE = 0.5
"""or this share of the delay: a watch that was away for a day knows nothing of hours."""


@define
class Outlook:
    """Moments in Unix seconds by the API's clock; None where a fact is not known."""

    imaging_start: float | None = None
    imaging_end: float | None = None
    scene_asked_at: float | None = None
    """When the scene was last asked for, whatever the answer."""
    scene_due: float = 0.0
    """From when on it is worth asking for again, beside the task."""
    promised: float | None = None
    """``productsAvailableInSeconds``: products are due this long after imaging."""
    fulfilled_at: float | None = None

    def take_scene(self, scene: Scene, now: float, *, opens: float | None) -> None:
        """The scene answered; "values move until the scene is taken, then fixed"."""
        self.scene_asked_at = now
        self.imaging_start = scene.imaging_time.start.timestamp()
        self.imaging_end = scene.imaging_time.end.timestamp()
        self.scene_due = now + (DAY if now < self.imaging_end else LATE)
        if opens is not None and now < opens < self.imaging_end:
            # Nothing is taken before, and until then an end is told by the task itself.
            self.scene_due = opens

    def take_no_scene(self, now: float, *, opens: float | None, retryable: bool) -> None:
        """There was none to be had."""
        self.scene_asked_at = now
        self.scene_due = now + (SOON if retryable else DAY)
        if opens is not None and now < opens:
            self.scene_due = min(self.scene_due, opens)

    def take_task(self, task: Task, now: float, *, opens: float | None) -> None:
        """The task answered, perhaps with when its products are due, or came."""
        if task.products_available_in_seconds is not None:
            self.promised = min(max(0.0, task.products_available_in_seconds), LONGEST)
        if task.fulfilled_at is not None:
            # Their clock may be ahead of ours, and a moment of another year is no fact.
            fulfilled_at = min(task.fulfilled_at.timestamp(), now)
            if max(opens or 0.0, now - LONGEST) <= fulfilled_at:
                self.fulfilled_at = fulfilled_at

    def teach_products(self, delays: Delays) -> None:
        """Let it be learned how long after its image the task was fulfilled."""
        if self.fulfilled_at is None or self.imaging_end is None:
            return
        if self.scene_asked_at is None or self.scene_asked_at < self.imaging_end:
            return  # the plan may have moved since
        took = self.fulfilled_at - self.imaging_end
        delays.observe(IMAGE_TO_FULFILLED, took, took)
        if self.promised:
            share = took / self.promised * WHOLE
            delays.observe(SHARE_OF_PROMISE, share, share)

    def teach_models(
        self, delays: Delays, came: Iterable[Derivative], *, looked_at: float, now: float
    ) -> None:
        """Let it be learned how long after FULFILLED these derivatives had assets."""
        if self.fulfilled_at is None:
            return
        earliest, latest = max(0.0, looked_at - self.fulfilled_at), now - self.fulfilled_at
        if latest - earliest <= max(VAGUE, VAGUE_SHARE * latest):
            for derivative in came:
                delays.observe(derivative.product_type, earliest, latest)
