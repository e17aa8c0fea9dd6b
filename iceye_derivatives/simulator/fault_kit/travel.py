"""How can a true answer be lost, late, short or endless on its way?"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from attrs import evolve

from iceye_derivatives.simulator.fault_kit.chapter import API, CDN, TOKEN, Chapter, went_well
from iceye_derivatives.simulator.messages import Answer, Ending, Wire

if TYPE_CHECKING:
    from iceye_derivatives.simulator.incident import Incident

TRAVEL = Chapter("On the way")

_MIB = 1024 * 1024


@TRAVEL.fault("after", API)
def lost_create(incident: Incident) -> Answer | None:
    """A task is created, and the connection is cut before its answer."""
    if incident.answer.status != HTTPStatus.CREATED:
        return None
    return evolve(incident.answer, wire=Wire(head=False, ending=Ending.CLOSE))


@TRAVEL.fault("after", API, TOKEN, CDN, seconds=3600.0)
def slow_headers(incident: Incident) -> Answer:
    """Nothing comes for `seconds` of real time, or until the client goes; then all is well."""
    return evolve(
        incident.answer, wire=evolve(incident.answer.wire, delay=incident.settings["seconds"])
    )


@TRAVEL.fault("after", CDN, API, TOKEN, rate=65_536.0)
def slow_drip(incident: Incident) -> Answer | None:
    """The body comes at `rate` bytes in a real second, never silent for long."""
    if not incident.answer.body:
        return None
    return evolve(incident.answer, wire=Wire(rate=incident.settings["rate"]))


@TRAVEL.fault("after", CDN, API, TOKEN, sent=None)
def stalled_body(incident: Incident) -> Answer | None:
    """`sent` bytes of the body come (None: half of it), then nothing, the connection stays."""
    return _partial(incident, Ending.STALL)


@TRAVEL.fault("after", CDN, API, TOKEN, sent=None)
def truncated_body(incident: Incident) -> Answer | None:
    """`sent` bytes of the body come (None: half of what Content-Length says), then the end."""
    return _partial(incident, Ending.CLOSE)


@TRAVEL.fault("after", CDN, API, TOKEN, sent=4096)
def reset_body(incident: Incident) -> Answer | None:
    """The connection is reset after `sent` bytes of the body; what is short passes whole.

    With `times=None` a file comes only to those who go on at the byte where they stood.
    """
    if len(incident.answer.body) <= incident.settings["sent"]:
        return None
    return _partial(incident, Ending.RESET)


@TRAVEL.fault("after", CDN, API, TOKEN, by=-7)
def wrong_length(incident: Incident) -> Answer | None:
    """Content-Length is off `by` so many bytes; below 0, more bytes come than it says."""
    length = len(incident.answer.body) + incident.settings["by"]
    if not went_well(incident) or length < 0 or incident.settings["by"] == 0:
        return None
    # The surplus comes on the same connection, where a client expects the next answer.
    surplus = incident.answer.body[length:]
    wire = Wire(length=length, limit=length, surplus=surplus, ending=Ending.CLOSE)
    return evolve(incident.answer, wire=wire)


@TRAVEL.fault("after", CDN, API, length=10**15)
def absurd_length(incident: Incident) -> Answer | None:
    """Content-Length promises `length` bytes; the true body comes, and the connection closes."""
    if not went_well(incident) or incident.settings["length"] <= len(incident.answer.body):
        return None
    wire = Wire(length=incident.settings["length"], ending=Ending.CLOSE)
    return evolve(incident.answer, wire=wire)


@TRAVEL.fault("after", CDN, API, TOKEN)
def no_content_with_body(incident: Incident) -> Answer | None:
    """204, which has no body, and the body all the same."""
    if not went_well(incident):
        return None
    wire = Wire(surplus=incident.answer.body, ending=Ending.CLOSE)
    return evolve(incident.answer, status=204, body=b"", wire=wire)


@TRAVEL.fault("after", CDN, API, TOKEN, size=8 * _MIB)
def endless_body(incident: Incident) -> Answer | None:
    """A body without Content-Length that never comes to its end; `size` bytes, then the end.

    A file repeats its features for ever, another answer is followed by blanks.
    """
    if not went_well(incident):
        return None
    body = incident.answer.body
    head, start, features = body.partition(b'"features":[')
    feature, comma, _ = features.partition(b"},{")
    if not comma:
        return evolve(
            incident.answer, wire=Wire(filler=b" " * 4096, size=incident.settings["size"])
        )
    wire = Wire(filler=feature + b"},", size=incident.settings["size"])
    return evolve(incident.answer, body=head + start, wire=wire)


@TRAVEL.fault("after", CDN, API, TOKEN, size=65_536, count=1)
def huge_headers(incident: Incident) -> Answer:
    """`count` headers more of `size` bytes each."""
    value = "x" * incident.settings["size"]
    more = {f"X-Fault-{number}": value for number in range(incident.settings["count"])}
    return evolve(incident.answer, headers={**incident.answer.headers, **more})


def _partial(incident: Incident, ending: Ending) -> Answer | None:
    size, sent = len(incident.answer.body), incident.settings["sent"]
    if size == 0:
        return None
    # At least one byte is missing, or the fault would not be seen.
    limit = min(size // 2 if sent is None else sent, size - 1)
    return evolve(incident.answer, wire=Wire(limit=limit, ending=ending))
