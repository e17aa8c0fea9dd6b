"""Which faults are there: one small function each; its docstring is its documentation."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from attrs import evolve

from iceye_derivatives.simulator.cdn import denial
from iceye_derivatives.simulator.faults import Fault, Incident
from iceye_derivatives.simulator.messages import Answer, Ending, Side, Wire, json_answer
from iceye_derivatives.simulator.notation import http_date
from iceye_derivatives.simulator.oauth import oauth_error
from iceye_derivatives.simulator.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable

    from iceye_derivatives.simulator.faults import Stage

    Strike = Callable[[Incident], Answer | None]

FAULTS: dict[str, Fault] = {}
"""Every fault by its name."""

_API, _TOKEN, _CDN = Side.API, Side.TOKEN, Side.CDN
_CUT = Wire(head=False, ending=Ending.CLOSE)
_FULL = (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT)
_HTML = b"<!doctype html><title>Gateway</title><h1>Something went wrong</h1>"


def _fault(stage: Stage, *sides: Side, **settings: object) -> Callable[[Strike], Strike]:
    def register(strike: Strike) -> Strike:
        FAULTS[strike.__name__] = Fault(
            name=strike.__name__,
            description=" ".join((strike.__doc__ or "").split()),
            sides=sides,
            stage=stage,
            settings=settings,
            strike=strike,
        )
        return strike

    return register


# -- instead of the true answer --------------------------------------------------------------------


@_fault("instead", _API, _TOKEN)
def unauthorized(incident: Incident) -> Answer:
    """401 although the credentials are good; the token is not revoked and passes next time."""
    return _refusal(incident, 401)


@_fault("instead", _API)
def forbidden(incident: Incident) -> Answer:
    """403: "Insufficient permissions to access this task's derivatives"."""
    return _refusal(incident, 403)


@_fault("instead", _API, _TOKEN, _CDN, retry_after=(None, "seconds", "date"), seconds=30)
def rate_limited(incident: Incident) -> Answer:
    """429; `retry_after` is "seconds", "date" or None (no such header), `seconds` how long."""
    form, seconds = incident.settings["retry_after"], incident.settings["seconds"]
    headers = {
        None: {},
        "seconds": {"Retry-After": str(seconds)},
        "date": {"Retry-After": http_date(incident.now + seconds)},
    }[form]
    return _refusal(incident, 429, headers)


@_fault("instead", _API, _TOKEN, _CDN, status=(500, 502, 503, 504), body=("json", "html", "empty"))
def server_error(incident: Incident) -> Answer:
    """`status` 500, 502, 503 or 504 with a `body` of "json", "html" or "empty"."""
    status, body = incident.settings["status"], incident.settings["body"]
    return {
        "json": _refusal(incident, status),
        "html": _html(status),
        "empty": Answer(status=status),
    }[body]


@_fault("instead", _API, _TOKEN, _CDN)
def cut_connection(_: Incident) -> Answer:
    """The connection is cut before any byte of the answer; nothing is carried out.

    Some HTTP clients, aiohttp's among them, repeat a GET once by themselves: there it takes
    `times=2` for the caller to see anything.
    """
    return Answer(status=0, wire=_CUT)


# -- after the true answer -------------------------------------------------------------------------


@_fault("after", _API)
def lost_create(incident: Incident) -> Answer | None:
    """A task is created, and the connection is cut before its answer."""
    if incident.answer.status != HTTPStatus.CREATED:
        return None
    return evolve(incident.answer, wire=_CUT)


@_fault("after", _API, _TOKEN, _CDN, seconds=3600.0)
def slow_headers(incident: Incident) -> Answer:
    """Nothing comes for `seconds` of real time, or until the client goes; then all is well."""
    return evolve(
        incident.answer, wire=evolve(incident.answer.wire, delay=incident.settings["seconds"])
    )


@_fault("after", _CDN, _API, _TOKEN, sent=None)
def stalled_body(incident: Incident) -> Answer | None:
    """`sent` bytes of the body come (None: half of it), then nothing, the connection stays."""
    return _partial(incident, Ending.STALL)


@_fault("after", _CDN, _API, _TOKEN, sent=None)
def truncated_body(incident: Incident) -> Answer | None:
    """`sent` bytes of the body come (None: half of what Content-Length says), then the end."""
    return _partial(incident, Ending.CLOSE)


@_fault("after", _CDN)
def early_dead_url(incident: Incident) -> Answer | None:
    """A good link is dead before its stated expiry, for ever; one signed anew is good."""
    if not _went_well(incident):
        return None
    incident.dead_links.add(incident.call.target)
    return denial("AccessDenied", "Access denied")


@_fault("after", _CDN)
def refused_url(incident: Incident) -> Answer | None:
    """A good link is refused with 403, however fresh it is."""
    if not _went_well(incident):
        return None
    return denial("AccessDenied", "Access denied")


@_fault("after", _CDN)
def replaced_file(incident: Incident) -> Answer | None:
    """The file at this path has become another one: a new ETag, and the whole of it with 200."""
    if incident.answer.status not in _FULL:
        return None
    body = incident.answer.body + b"\n"
    headers = dict(incident.answer.headers)
    headers.pop("Content-Range", None)
    return Answer(status=200, headers={**headers, "ETag": '"replaced"'}, body=body)


@_fault("after", _API)
def flap_404(incident: Incident) -> Answer | None:
    """Derivatives that were listed with 206 are gone again: 404."""
    if incident.answer.status != HTTPStatus.PARTIAL_CONTENT:
        return None
    return _refusal(incident, 404)


@_fault("after", _API, _CDN, _TOKEN)
def html_200(incident: Incident) -> Answer | None:
    """A gateway's HTML page with status 200 in place of what was asked for."""
    return _html(200) if _went_well(incident) else None


@_fault("after", _API)
def empty_assets_200(incident: Incident) -> Answer | None:
    """200 where 206 was due: complete by its status, with an empty `assets` in its body."""
    return (
        evolve(incident.answer, status=200)
        if incident.answer.status == HTTPStatus.PARTIAL_CONTENT
        else None
    )


@_fault("after", _API)
def missing_type_200(incident: Incident) -> Answer | None:
    """200 that lacks the last of the derivatives that were ordered."""
    if not (data := _data(incident))[1:]:
        return None
    return json_answer(200, {"data": data[:-1]})


@_fault("after", _API)
def unknown_type(incident: Incident) -> Answer | None:
    """One derivative more, of a type and with fields that the page does not know."""
    if not (data := _data(incident)):
        return None
    stranger = {**data[-1], "id": "stranger", "derivativeProductType": "DC_BUILDINGS", "new": 1}
    return json_answer(incident.answer.status, {"data": [*data, stranger]})


@_fault("after", _CDN)
def wrong_content(incident: Incident) -> Answer | None:
    """A file of the right size that is not GeoJSON."""
    if incident.answer.status != HTTPStatus.OK:
        return None
    size = len(incident.answer.body)
    return evolve(incident.answer, body=b'{"type":"Nothing"}'.ljust(size)[:size])


def _went_well(incident: Incident) -> bool:
    return HTTPStatus.OK <= incident.answer.status < HTTPStatus.MULTIPLE_CHOICES


def _data(incident: Incident) -> list[dict[str, Any]]:
    if not _went_well(incident) or not incident.call.path.endswith("/derivatives"):
        return []
    data: list[dict[str, Any]] = json.loads(incident.answer.body)["data"]
    return data


def _partial(incident: Incident, ending: Ending) -> Answer | None:
    size, sent = len(incident.answer.body), incident.settings["sent"]
    if size == 0:
        return None
    # At least one byte is missing, or the fault would not be seen.
    limit = min(size // 2 if sent is None else sent, size - 1)
    return evolve(incident.answer, wire=Wire(limit=limit, ending=ending))


def _html(status: int) -> Answer:
    return Answer(status=status, headers={"Content-Type": "text/html; charset=utf-8"}, body=_HTML)


def _refusal(incident: Incident, status: int, headers: dict[str, str] | None = None) -> Answer:
    """Refuse in the dialect of the side that was called."""
    if incident.side is Side.TOKEN:
        error = "invalid_client" if status == HTTPStatus.UNAUTHORIZED else "temporarily_unavailable"
        return oauth_error(status, error, "A fault was switched on.", headers)
    if incident.side is Side.CDN:
        return denial("Fault", "A fault was switched on", status=status, headers=headers)
    problem = ProblemError(status, "a fault was switched on")
    return problem.render(incident.call.headers.get("accept", ""), headers=headers)
