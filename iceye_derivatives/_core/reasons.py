"""What is a watch waiting for, in a sentence for people?"""

from __future__ import annotations

from datetime import UTC, datetime

from iceye_derivatives._core.forecast import product_quantile
from iceye_derivatives._core.outlook import Outlook
from iceye_derivatives._core.rhythm import IMAGED, Facts, spell
from iceye_derivatives.models import TaskStatus

__all__ = ["reason"]

ENOUGH = 3.0
"""Delays of a kind that were seen before anybody is told of them."""


def reason(facts: Facts) -> str:
    """The sentence of `Waiting.reason`."""
    if facts.listed:
        rest = _with_usual("the others are still being processed", facts)
        return f"{facts.ready} of {facts.listed} derivatives are ready, {rest}"
    if facts.status == TaskStatus.RECEIVED:
        return "the task is RECEIVED and being assessed"
    if facts.status == TaskStatus.ACTIVE:
        return _of_active(facts)
    if facts.status in IMAGED:
        rest = _with_usual("its derivatives are being processed", facts)
        return f"the task is {facts.status} and {rest}"
    known = "the task's status is not known yet" if facts.status is None else "the task is "
    return f"{known}{facts.status or ''}; no derivatives yet"


def _of_active(facts: Facts) -> str:
    planned = None if facts.patience.delays is None else _of_image(facts, facts.outlook)
    if planned is not None:
        return f"the task is ACTIVE and its {planned}"
    if facts.opened_for < 0:
        opens = spell(-facts.opened_for)
        return f"the task is ACTIVE and its acquisition window opens in {opens}"
    return "the task is ACTIVE and waits for its image"


def _of_image(facts: Facts, outlook: Outlook | None) -> str | None:
    if outlook is None or outlook.imaging_start is None or facts.patience.delays is None:
        return None
    moment = _moment(outlook.imaging_start, facts.now)
    if moment is None:
        return None
    after = spell(outlook.promised or product_quantile(facts.patience.delays, None, 0.5))
    if facts.now < outlook.imaging_start:
        return f"image is planned for {moment}; the products are due about {after} after"
    return f"image was planned for {moment}; the products are due about {after} after that"


def _with_usual(text: str, facts: Facts) -> str:
    delays = facts.patience.delays
    if delays is None or facts.outlook is None or facts.outlook.fulfilled_at is None:
        return text
    usual = [
        f"{kind} after about {spell(delays.quantile(kind, 0.5))}"
        for kind in facts.awaited
        if delays.observations(kind) >= ENOUGH
    ]
    return f"{text} (usually {', '.join(usual)})" if usual else text


def _moment(at: float, now: float) -> str | None:
    """The time of day, with its date where it is not today's; None beyond the calendar's ends."""
    try:
        then, today = datetime.fromtimestamp(at, UTC), datetime.fromtimestamp(now, UTC).date()
    except (OverflowError, ValueError, OSError):
        return None
    day = "" if then.date() == today else f"{then.date().isoformat()} "
    return f"{day}{then.hour:02}:{then.minute:02} UTC"
