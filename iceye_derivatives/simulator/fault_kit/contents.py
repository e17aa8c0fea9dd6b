"""What can be in a body with a good status that is not what was asked for?"""

from __future__ import annotations

import gzip
from functools import lru_cache
from typing import TYPE_CHECKING

from attrs import evolve

from iceye_derivatives.simulator.fault_kit.chapter import (
    API,
    CDN,
    TOKEN,
    Chapter,
    html,
    is_file,
    went_well,
)
from iceye_derivatives.simulator.messages import Answer, json_answer

if TYPE_CHECKING:
    from iceye_derivatives.simulator.incident import Incident

CONTENTS = Chapter("Bodies with a good status")

_MIB = 1024 * 1024
_XML = (
    b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>InternalError</Code>'
    b"<Message>We encountered an internal error. Please try again.</Message></Error>"
)


@CONTENTS.fault("after", API, CDN, TOKEN)
def html_200(incident: Incident) -> Answer | None:
    """A gateway's HTML page with status 200 in place of what was asked for."""
    return html(200) if went_well(incident) else None


@CONTENTS.fault("after", CDN, API, TOKEN)
def xml_200(incident: Incident) -> Answer | None:
    """A store's XML error with status 200 in place of what was asked for."""
    if not went_well(incident):
        return None
    return Answer(status=200, headers={"Content-Type": "application/xml"}, body=_XML)


@CONTENTS.fault("after", CDN, API, TOKEN)
def json_error_200(incident: Incident) -> Answer | None:
    """A JSON object that tells of an error, with status 200."""
    if not went_well(incident):
        return None
    return json_answer(200, {"code": "internal_error", "message": "a fault was switched on"})


@CONTENTS.fault("after", CDN, API, TOKEN)
def empty_200(incident: Incident) -> Answer | None:
    """200 and not one byte of body."""
    return evolve(incident.answer, status=200, body=b"") if went_well(incident) else None


@CONTENTS.fault("after", CDN)
def wrong_content(incident: Incident) -> Answer | None:
    """A file of the right size that is not GeoJSON."""
    if not is_file(incident):
        return None
    size = len(incident.answer.body)
    return evolve(incident.answer, body=b'{"type":"Nothing"}'.ljust(size)[:size])


@CONTENTS.fault("after", CDN)
def cropped_geojson(incident: Incident) -> Answer | None:
    """A file of the right length with the right end, that breaks off in the middle all the same.

    What is missing is blanks. An empty collection has no middle and passes.
    """
    body = incident.answer.body
    # Within a string: what follows belongs to it, so that no parser can take the end for one.
    cut = body.rfind(b'"id":"', 0, len(body) // 2)
    if not is_file(incident) or cut < 0:
        return None
    kept = body[: cut + len(b'"id":"')]
    return evolve(incident.answer, body=kept.ljust(len(body) - 2) + b"]}")


@CONTENTS.lie("after", CDN)
def bit_rot(incident: Incident) -> Answer | None:
    """One digit of a file is another one: length, headers and JSON are right, the content is not.

    Only who compares with an earlier download, or with the ETag (which is the MD5 here), can tell.
    """
    body = incident.answer.body
    place = next((i for i in range(len(body) // 2, len(body)) if body[i : i + 1].isdigit()), None)
    if not is_file(incident) or place is None:
        return None
    # From 1 and 2, so that no number gains a leading zero, which JSON forbids.
    digit = b"2" if body[place : place + 1] == b"1" else b"1"
    return evolve(incident.answer, body=body[:place] + digit + body[place + 1 :])


@CONTENTS.fault("after", CDN, API, TOKEN, kind=("invalid", "utf_16", "nul"))
def odd_encoding(incident: Incident) -> Answer | None:
    """A body that is no JSON in UTF-8, as RFC 8259 demands it (8.1).

    `kind` "invalid" breaks a sequence of UTF-8, "utf_16" is another encoding, "nul" a NUL byte.
    """
    if not went_well(incident) or not incident.answer.body:
        return None
    body = incident.answer.body
    spoilt = {
        "invalid": body.replace(b'"', b'"\xc3\x28', 1),
        "utf_16": body.decode().encode("utf-16"),
        "nul": body.replace(b'"', b'"\x00', 1),
    }[incident.settings["kind"]]
    return evolve(incident.answer, body=spoilt)


@CONTENTS.lie("after", CDN, API, TOKEN)
def byte_order_mark(incident: Incident) -> Answer | None:
    """A body with a byte order mark before it, which a reader may forgive (RFC 8259, 8.1)."""
    if not went_well(incident):
        return None
    return evolve(incident.answer, body=b"\xef\xbb\xbf" + incident.answer.body)


@CONTENTS.fault("after", CDN, API, TOKEN, content_type="text/html")
def wrong_content_type(incident: Incident) -> Answer | None:
    """The right body under another `content_type`; "" leaves a header without a value."""
    if not went_well(incident):
        return None
    headers = {**incident.answer.headers, "Content-Type": incident.settings["content_type"]}
    return evolve(incident.answer, headers=headers)


@CONTENTS.fault("after", CDN, API, TOKEN, depth=100_000)
def deep_json(incident: Incident) -> Answer | None:
    """Good JSON, nested `depth` arrays deep."""
    if not went_well(incident):
        return None
    depth = incident.settings["depth"]
    start = b'{"type":"FeatureCollection","features":' if incident.side is CDN else b'{"data":'
    return evolve(incident.answer, status=200, body=start + b"[" * depth + b"]" * depth + b"}")


@CONTENTS.fault("after", CDN, API, TOKEN)
def gzip_weak_etag(incident: Incident) -> Answer | None:
    """The body comes compressed with gzip, whatever was asked for, and its ETag is a weak one.

    As a CDN does that compresses by itself: "a strong ETag then becomes weak".
    """
    if not is_file(incident):
        return None
    headers = {**incident.answer.headers, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    if "ETag" in headers:
        headers["ETag"] = f"W/{headers['ETag']}"
    # Without the time of day in it, so that the same file is the same bytes.
    return evolve(
        incident.answer, headers=headers, body=gzip.compress(incident.answer.body, mtime=0)
    )


@CONTENTS.fault("after", API, TOKEN, CDN, size=16 * _MIB)
def gzip_bomb(incident: Incident) -> Answer | None:
    """A small compressed body that unfolds to `size` bytes: the true one and blanks."""
    if not went_well(incident):
        return None
    headers = {**incident.answer.headers, "Content-Encoding": "gzip"}
    # Members of gzip may follow each other (RFC 1952, 2.2); the blanks are compressed once only.
    body = gzip.compress(incident.answer.body, mtime=0) + _blanks(incident.settings["size"])
    return evolve(incident.answer, headers=headers, body=body)


@lru_cache(maxsize=4)
def _blanks(size: int) -> bytes:
    return gzip.compress(b" " * size, mtime=0)
