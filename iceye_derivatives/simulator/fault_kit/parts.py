"""How can the continuation of a file be wrong: ranges, validators, versions?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from iceye_derivatives.simulator.cdn import denial
from iceye_derivatives.simulator.fault_kit.chapter import CDN, Chapter, is_file, is_part, went_well
from iceye_derivatives.simulator.messages import Answer

if TYPE_CHECKING:
    from iceye_derivatives.simulator.incident import Incident

PARTS = Chapter("Parts and versions of a file")

_VALIDATORS = ("ETag", "Last-Modified")


@PARTS.fault("before", CDN)
def ignored_range(incident: Incident) -> Incident | None:
    """Range is not looked at: the whole file with 200, as RFC 9110 allows."""
    return _without(incident, "range")


@PARTS.fault("before", CDN)
def ignored_if_range(incident: Incident) -> Incident | None:
    """If-Range is not looked at: the part that was asked for, of whatever is there by now."""
    return _without(incident, "if-range")


@PARTS.fault("after", CDN)
def unasked_206(incident: Incident) -> Answer | None:
    """206 with the first half of the file although no Range was asked for."""
    size = len(incident.answer.body)
    if not is_file(incident) or "range" in incident.call.headers or size == 0:
        return None
    half = (size + 1) // 2
    headers = {**incident.answer.headers, "Content-Range": f"bytes 0-{half - 1}/{size}"}
    return evolve(incident.answer, status=206, headers=headers, body=incident.answer.body[:half])


@PARTS.fault(
    "after", CDN, what=("start", "end", "total", "unit", "missing", "garbage", "unsatisfied")
)
def wrong_content_range(incident: Incident) -> Answer | None:
    """206 whose Content-Range is not what was asked for, over the part that was.

    `what` is wrong: its "start", "end" or "total" by one, its "unit"; or all of it: "missing",
    "garbage" or "unsatisfied", which belongs to a 416.
    """
    if not is_part(incident):
        return None
    headers = dict(incident.answer.headers)
    span, _, total = headers.pop("Content-Range").removeprefix("bytes ").partition("/")
    start, end = map(int, span.split("-"))
    wrong = {
        "start": f"bytes {start + 1}-{end}/{total}",
        "end": f"bytes {start}-{end - 1}/{total}",
        "total": f"bytes {start}-{end}/{int(total) + 1}",
        "unit": f"pages {start}-{end}/{total}",
        "garbage": "bytes from here to there",
        "unsatisfied": f"bytes */{total}",
    }
    if (what := incident.settings["what"]) in wrong:
        headers["Content-Range"] = wrong[what]
    return evolve(incident.answer, headers=headers)


@PARTS.fault("after", CDN)
def unsatisfiable_range(incident: Incident) -> Answer | None:
    """416 for a range that lies within the file: nothing is complete because of it."""
    if not is_part(incident):
        return None
    total = incident.answer.headers["Content-Range"].partition("/")[2]
    beyond = {"Content-Range": f"bytes */{total}"}
    message = "The requested range is not satisfiable"
    return denial("InvalidRange", message, status=416, headers=beyond)


@PARTS.fault("after", CDN)
def replaced_file(incident: Incident) -> Answer | None:
    """The file at this path has become another one: a new ETag, and the whole of it with 200."""
    if not went_well(incident):
        return None
    body = incident.answer.body + b"\n"
    headers = dict(incident.answer.headers)
    headers.pop("Content-Range", None)
    return Answer(status=200, headers={**headers, "ETag": '"replaced"'}, body=body)


@PARTS.fault("after", CDN, etag='"changed"')
def changed_etag(incident: Incident) -> Answer | None:
    """206 with the `etag` of another version, as if If-Range had not been there."""
    if not is_part(incident):
        return None
    headers = {**incident.answer.headers, "ETag": incident.settings["etag"]}
    return evolve(incident.answer, headers=headers)


@PARTS.fault("after", CDN)
def weak_etag(incident: Incident) -> Answer | None:
    """The ETag is a weak one, which no If-Range may name (RFC 9110, 13.1.5)."""
    if not went_well(incident):
        return None
    headers = {**incident.answer.headers, "ETag": f"W/{incident.answer.headers['ETag']}"}
    return evolve(incident.answer, headers=headers)


@PARTS.fault("after", CDN)
def no_validator(incident: Incident) -> Answer | None:
    """Neither ETag nor Last-Modified: nothing tells one version from another."""
    if not went_well(incident):
        return None
    headers = {
        name: value for name, value in incident.answer.headers.items() if name not in _VALIDATORS
    }
    return evolve(incident.answer, headers=headers)


@PARTS.fault("after", CDN)
def spliced_xml(incident: Incident) -> Answer | None:
    """206 with the right headers and length, and a store's XML error for a body."""
    if not is_part(incident):
        return None
    size = len(incident.answer.body)
    text = denial("InternalError", "We encountered an internal error.").body
    return evolve(incident.answer, body=text.ljust(size)[:size])


def _without(incident: Incident, name: str) -> Incident | None:
    if name not in incident.call.headers:
        return None
    headers = {key: value for key, value in incident.call.headers.items() if key != name}
    return evolve(incident, call=evolve(incident.call, headers=headers))
