"""How often is it worth looking, given what is known of the task?

The page: "After a task is fulfilled and derivative processing is complete, you can retrieve the
derivative products".  So while a task is RECEIVED or ACTIVE only its status is asked for, rarely;
from FULFILLED on the derivatives themselves are looked at, quickly.  All numbers are multiples of
`Backoff.maximum`, so that one setting scales the whole rhythm.
"""

from __future__ import annotations

from attrs import frozen

from iceye_derivatives._core.backoff import Backoff
from iceye_derivatives.models import TaskStatus

__all__ = ["IMAGED", "Pace", "pace"]

IMAGED = frozenset({TaskStatus.FULFILLED, TaskStatus.DONE})
"""Statuses from which on derivatives can appear (DONE does not mean that they have)."""

RECEIVED = 10
"""Ten minutes at the default: "an optimiser decides within about 20 minutes"."""
AHEAD_OF_WINDOW = 360
"""Six hours: nothing but a cancellation or a failure can happen before the window opens."""
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


@frozen
class Pace:
    """The longest wait that makes sense now, and a reason for people."""

    ceiling: float
    reason: str
    not_beyond: float | None = None
    """A moment (Unix seconds) to be awake at, whatever the jitter says."""


def pace(  # the facts are few, named, and all of them count
    *,
    now: float,
    backoff: Backoff,
    quiet_looks: int,
    silent_since: float,
    status: str | None,
    opens: float | None,
    ready: int,
    listed: int,
) -> Pace:
    """The pace for the next wait."""
    if listed:
        return Pace(
            _quick(now, backoff, quiet_looks, silent_since),
            f"{ready} of {listed} derivatives are ready, the others are still being processed",
        )
    if status == TaskStatus.RECEIVED:
        return Pace(RECEIVED * backoff.maximum, "the task is RECEIVED and being assessed")
    if status == TaskStatus.ACTIVE:
        return _before_image(now, backoff, opens)
    if status in IMAGED:
        return Pace(
            _quick(now, backoff, quiet_looks, silent_since),
            f"the task is {status} and its derivatives are being processed",
        )
    known = "the task's status is not known yet" if status is None else f"the task is {status}"
    return Pace(_quick(now, backoff, quiet_looks, silent_since), f"{known}; no derivatives yet")


def _before_image(now: float, backoff: Backoff, opens: float | None) -> Pace:
    opened_for = 0.0 if opens is None else now - opens
    if opened_for < 0:
        return Pace(
            AHEAD_OF_WINDOW * backoff.maximum,
            f"the task is ACTIVE and its acquisition window opens in {spell(-opened_for)}",
            not_beyond=now - opened_for,
        )
    least, most = WINDOW_OPENED * backoff.maximum, WINDOW_LONG_OPEN * backoff.maximum
    return Pace(
        min(most, max(least, OPEN_SHARE * opened_for)),
        "the task is ACTIVE and waits for its image",
    )


def _quick(now: float, backoff: Backoff, quiet_looks: int, silent_since: float) -> float:
    silence = max(0.0, now - silent_since)
    slow = min(LONG_SILENCE * backoff.maximum, silence * SILENCE_SHARE)
    return max(backoff.ceiling(quiet_looks), slow)


def spell(seconds: float) -> str:
    """A duration for people: ``45 s``, ``12 min``, ``9 h``, ``3 days``."""
    for size, unit, until in ((1, "s", 120), (60, "min", 7200), (3600, "h", 172_800)):
        if seconds < until:
            return f"{max(0, round(seconds / size))} {unit}"
    return f"{round(seconds / 86_400)} days"
