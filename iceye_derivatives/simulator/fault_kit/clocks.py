"""How can a counterpart be wrong about the time?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from iceye_derivatives.simulator.fault_kit.chapter import API, CDN, TOKEN, Chapter

if TYPE_CHECKING:
    from iceye_derivatives.simulator.incident import Incident
    from iceye_derivatives.simulator.messages import Answer

CLOCKS = Chapter("Clocks")


@CLOCKS.fault("before", CDN, API, TOKEN, seconds=300.0)
def skewed_clock(incident: Incident) -> Incident:
    """The counterpart's own clock is `seconds` ahead, below 0 behind, with all that follows.

    It dates its answers by it; the CDN judges links by it, and the API signs them by it. What is
    ready does not change. It takes `times=None` to last.
    """
    return evolve(incident, skew=incident.skew + incident.settings["seconds"])


@CLOCKS.fault(
    "after",
    CDN,
    API,
    TOKEN,
    date=("yesterday", "", "Mon, 31 Feb 2028 25:61:61 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"),
)
def garbled_date(incident: Incident) -> Answer:
    """The Date header is `date`: no date, none of the calendar, or the beginning of time."""
    headers = {**incident.answer.headers, "Date": incident.settings["date"]}
    return evolve(incident.answer, headers=headers)
