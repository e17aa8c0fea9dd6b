"""What is known of when a task's image is taken, and of when its products are due?

Facts only, as they came; what follows from them is the forecast's to say.  Held apart from the
watch, because most tasks of a fleet have only just been ordered and know nothing of it yet.
"""

from __future__ import annotations

from attrs import define

__all__ = ["Outlook"]


@define
class Outlook:
    """Moments in Unix seconds by the API's clock; None where a fact is not known."""

    imaging_start: float | None = None
    imaging_end: float | None = None
    scene_asked_at: float | None = None
    """By our own clock: when the scene was last asked for, whatever the answer."""
    promised: float | None = None
    """``productsAvailableInSeconds``: products are due this long after imaging."""
    fulfilled_at: float | None = None
