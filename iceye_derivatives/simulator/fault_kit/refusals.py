"""How does a counterpart say no although nothing is wrong with the request?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from iceye_derivatives.simulator.fault_kit.chapter import (
    API,
    CDN,
    TOKEN,
    Chapter,
    html,
    refusal,
)
from iceye_derivatives.simulator.messages import Answer, Ending, Wire
from iceye_derivatives.simulator.notation import http_date

if TYPE_CHECKING:
    from iceye_derivatives.simulator.incident import Incident

REFUSALS = Chapter("Refusals")

_DAY = 86_400


@REFUSALS.fault("instead", API, TOKEN)
def unauthorized(incident: Incident) -> Answer:
    """401 although the credentials are good; the token is not revoked and passes next time."""
    return refusal(incident, 401)


@REFUSALS.fault("instead", API)
def forbidden(incident: Incident) -> Answer:
    """403: "Insufficient permissions to access this task's derivatives"."""
    return refusal(incident, 403)


@REFUSALS.fault("instead", API, TOKEN, CDN, retry_after=(None, "seconds", "date"), seconds=30)
def rate_limited(incident: Incident) -> Answer:
    """429; `retry_after` is "seconds", "date" or None (no such header), `seconds` how long."""
    form, seconds = incident.settings["retry_after"], incident.settings["seconds"]
    headers = {
        None: {},
        "seconds": {"Retry-After": str(seconds)},
        "date": {"Retry-After": http_date(incident.clock + seconds)},
    }[form]
    return refusal(incident, 429, headers)


@REFUSALS.fault(
    "instead",
    API,
    TOKEN,
    CDN,
    value=("huge", "negative", "garbage", "past", "fraction", "empty", "far_date"),
    status=(429, 503),
)
def absurd_retry_after(incident: Incident) -> Answer:
    """`status` 429 or 503 with a Retry-After that cannot be meant.

    `value` "huge" is a thousand million seconds, "past" a day ago, "far_date" a century ahead.
    """
    value = {
        "huge": "1000000000",
        "negative": "-30",
        "garbage": "soon",
        "past": http_date(incident.clock - _DAY),
        "fraction": "0.5",
        "empty": "",
        "far_date": http_date(incident.clock + 36_500 * _DAY),
    }[incident.settings["value"]]
    return refusal(incident, incident.settings["status"], {"Retry-After": value})


@REFUSALS.fault("instead", API, TOKEN, CDN, requests=10, seconds=10.0)
def throttled(incident: Incident) -> Answer | None:
    """429 for what comes after `requests` requests in any `seconds` of the simulator's time."""
    arrivals = incident.memory.arrivals
    while arrivals and arrivals[0] <= incident.now - incident.settings["seconds"]:
        arrivals.popleft()
    if len(arrivals) < incident.settings["requests"]:
        arrivals.append(incident.now)
        return None
    return refusal(incident, 429)


@REFUSALS.fault(
    "instead", API, TOKEN, CDN, status=(500, 502, 503, 504), body=("json", "html", "empty")
)
def server_error(incident: Incident) -> Answer:
    """`status` 500, 502, 503 or 504 with a `body` of "json", "html" or "empty"."""
    status, body = incident.settings["status"], incident.settings["body"]
    return {
        "json": refusal(incident, status),
        "html": html(status),
        "empty": Answer(status=status),
    }[body]


@REFUSALS.fault("instead", API, TOKEN, CDN)
def html_404(_: Incident) -> Answer:
    """404 with a gateway's HTML page: whoever it is, it is not ICEYE."""
    return html(404)


@REFUSALS.fault("instead", API, TOKEN, CDN)
def cut_connection(_: Incident) -> Answer:
    """The connection is cut before any byte of the answer; nothing is carried out.

    Some HTTP clients, aiohttp's among them, repeat a GET once by themselves: there it takes
    `times=2` for the caller to see anything.
    """
    return Answer(status=0, wire=Wire(head=False, ending=Ending.CLOSE))
