"""Is this body the file that it should be?

A store, a gateway or a captive portal can answer 200 with a page of its own.  So what is called
``geojson`` must *be* a GeoJSON object (RFC 7946) before it gets its final name.  A body in memory
is parsed whole; a longer one is parsed in pieces as it passes, see `_core.geojson`.  Properties,
coordinates and foreign members are the customer's and are not judged; a collection of no features
is a good answer ("nothing was detected").  Other asset types are opaque: of those, no file is empty
or begins as a page or as a store's error does.
"""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import Final

from iceye_derivatives._core.geojson import GeoJsonScanner
from iceye_derivatives._core.geojson_rules import NotGeoJson, check_members
from iceye_derivatives._core.quick_geojson import surely_a_collection
from iceye_derivatives._core.strict_json import parsed
from iceye_derivatives.models import AssetRef

__all__ = ["ContentChecker", "ContentFault", "check_body", "first_bytes", "is_geojson"]

WHOLE: Final = 8 * 1024 * 1024
"""Bytes up to which a body is parsed whole: json.loads takes about ten times that in memory."""
_HEAD: Final = 120
_START: Final = 4 * _HEAD
"""Bytes that are looked at to say what a body is instead."""

_GEOJSON = "geojson"
_MARKUP = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s*<(\?xml|!doctype\s+html|html|[a-z!?/])", re.IGNORECASE
)

# What answers in a store's place: a page, or a store's own error, as S3 and Azure write it.
_IN_ITS_PLACE = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?<(?:!doctype\s+html|html|error|head)[\s>]",
    re.IGNORECASE,
)
_PAGES = frozenset({"htm", "html", "xhtml"})

# A store's error page may quote the request.  What follows one of these names, or any "?", goes.
_SECRETS = re.compile(
    rb"(?i)((?:[?&;\s\"'<>]|\A|amp;)(?:x-amz-[a-z-]+|x-goog-[a-z-]+|signature|policy|key-pair-id|expires|"
    rb"awsaccesskeyid|signatureprovided|stringtosign|sig|token|access_token|authorization)[\"']?\s*[=:>]\s*)[^\s&;<]*"
)
_QUERY = re.compile(rb"\?[^\s\"'<>]*")


class ContentFault(ValueError):  # noqa: N818 - internal; becomes `ContentError` above
    """The body is not the file: what is wrong with it, and how it begins (redacted)."""

    def __init__(self, message: str, head: bytes) -> None:
        super().__init__(message)
        self.first_bytes = first_bytes(head)


def first_bytes(head: bytes) -> bytes:
    """How a body begins: at most 120 bytes, without anything that looks like a signed query."""
    # Redacted before it is cut: a secret's name and its value may straddle the cut.
    safe = _QUERY.sub(b"?<redacted>", _SECRETS.sub(rb"\1<redacted>", head[:_START]))
    return safe[:_HEAD]


def check_body(ref: AssetRef, body: bytes) -> str:
    """Check a whole body; its SHA-256 in hexadecimal.

    Raises:
        ContentFault: the asset is ``geojson`` and the body is no GeoJSON object; or it is of
            another type, and the body is empty or a page.
    """
    if len(body) > WHOLE:
        checker = ContentChecker(ref)
        checker.feed(body)
        return checker.finish()
    if is_geojson(ref):
        _parse_whole(body)
    else:
        _look_at_start(ref, body[:_START])
    return sha256(body).hexdigest()


class ContentChecker:
    """The same for a body that passes in pieces: bounded memory, hashed on the way.

    `feed()` raises as early as the fault shows.  For ``geojson`` it sees less than a parser does;
    `GeoJsonScanner` says what.
    """

    def __init__(self, ref: AssetRef) -> None:
        self._digest = sha256()
        self._ref = ref
        self._head = b""
        self._scanner = GeoJsonScanner() if is_geojson(ref) else None

    def feed(self, chunk: bytes) -> None:
        """Look at the next piece."""
        self._digest.update(chunk)
        if len(self._head) < _START:
            self._head = (self._head + chunk)[:_START]
            if self._scanner is None and self._head:
                _look_at_start(self._ref, self._head)
        if self._scanner is not None:
            try:
                self._scanner.feed(chunk)
            except NotGeoJson as fault:
                raise _fault(str(fault), self._head) from None

    def so_far(self) -> str:
        """The SHA-256 of what has passed, in hexadecimal."""
        return self._digest.hexdigest()

    def finish(self) -> str:
        """The body has ended: its SHA-256 in hexadecimal."""
        if self._scanner is not None:
            try:
                self._scanner.finish()
            except NotGeoJson as fault:
                raise _fault(str(fault), self._head) from None
        else:
            _look_at_start(self._ref, self._head)
        return self._digest.hexdigest()


def is_geojson(ref: AssetRef) -> bool:
    """Whether the asset must be a GeoJSON object."""
    return ref.asset_type.lower() == _GEOJSON


def _parse_whole(body: bytes) -> None:
    if surely_a_collection(body):
        return
    try:
        check_members(parsed(body))
    except RecursionError:
        raise _fault("its JSON is nested too deep to be GeoJSON", body) from None
    except UnicodeDecodeError as error:
        raise _fault(f"it is not UTF-8 at byte {error.start}", body) from None
    except json.JSONDecodeError as error:
        raise _fault(f"it is not JSON ({error.msg} at character {error.pos})", body) from None
    except NotGeoJson as error:
        raise _fault(str(error), body) from None


def _look_at_start(ref: AssetRef, head: bytes) -> None:
    """Of a file that is opaque to us, only this can be told."""
    page = ref.asset_type.lower() in _PAGES
    if not head or (not page and _IN_ITS_PLACE.match(head)):
        raise _fault("it is something else", head)


def _fault(reason: str, head: bytes) -> ContentFault:
    markup = _MARKUP.match(head)
    if not head.strip():
        reason = "it is empty"
    elif markup is not None:
        kind = "an XML document" if markup[1].lower() == b"?xml" else "an HTML or XML page"
        reason = f"it is {kind}"
    return ContentFault(reason, head)
