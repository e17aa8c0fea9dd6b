"""What does the CDN answer: signed links, ranges and CloudFront's refusals in XML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iceye_derivatives.simulator.messages import Answer
from iceye_derivatives.simulator.notation import http_date
from iceye_derivatives.simulator.ranges import BeyondEndError, wanted

if TYPE_CHECKING:
    from iceye_derivatives.simulator.links import Links
    from iceye_derivatives.simulator.messages import Call
    from iceye_derivatives.simulator.world import StoredFile, World

_LONGEST_URL = 8192
_CSV = "text/csv"


class Cdn:
    """A distribution in front of a bucket.

    Args:
        world: Where the files are.
        links: The signer whose links are good here.
        content_type: What files of detections are declared to be.
    """

    def __init__(
        self, world: World, links: Links, *, content_type: str = "application/geo+json"
    ) -> None:
        self._world = world
        self._links = links
        self.content_type = content_type

    def answer(self, call: Call, *, now: float, skew: float = 0.0) -> Answer:
        """Answer a request that arrived at `now` (Unix seconds).

        Links are judged by the CDN's own clock, which is `skew` seconds ahead.
        """
        if refused := _refused(call):
            return refused
        if refusal := self._links.refusal(call.target, now=now + skew):
            return denial(refusal.code, refusal.message)
        file = self._world.file(call.path, now=now)
        if file is None:
            return origin_denial(call.path)
        return self._serve(file, call)

    def _serve(self, file: StoredFile, call: Call) -> Answer:
        size, last_modified = len(file.body), http_date(file.modified_at)
        headers = {
            "Content-Type": self.content_type if file.type == "geojson" else _CSV,
            "Accept-Ranges": "bytes",
            "ETag": file.etag,
            "Last-Modified": last_modified,
            "X-Cache": "Miss from cloudfront",
        }
        try:
            span = wanted(call.headers, size=size, etag=file.etag, last_modified=last_modified)
        except BeyondEndError:
            beyond = {"Content-Range": f"bytes */{size}"}
            message = "The requested range is not satisfiable"
            return denial("InvalidRange", message, status=416, headers=beyond)
        if span is None:
            return Answer(status=200, headers=headers, body=file.body)
        headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{size}"
        return Answer(status=206, headers=headers, body=file.body[span.start : span.stop])


def denial(
    code: str, message: str, *, status: int = 403, headers: dict[str, str] | None = None
) -> Answer:
    """Refuse in CloudFront's words: XML, and the mark that the cache itself spoke."""
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?>'
        f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    )
    marks = {"Content-Type": "text/xml", "X-Cache": "Error from cloudfront", **(headers or {})}
    return Answer(status=status, headers=marks, body=text.encode())


def origin_denial(path: str) -> Answer:
    """Refuse as the bucket behind does: other words, so that one can tell the two apart."""
    text = (
        f"<Error><Code>AccessDenied</Code><Message>Access Denied</Message>"
        f"<RequestId>{len(path):016X}</RequestId><HostId>simulator</HostId></Error>"
    )
    headers = {"Content-Type": "application/xml", "X-Cache": "Error from cloudfront"}
    return Answer(status=403, headers=headers, body=text.encode())


def _refused(call: Call) -> Answer | None:
    if len(call.target) > _LONGEST_URL:
        return denial("RequestUriTooLarge", "The URL is too long.", status=413)
    if call.method not in ("GET", "HEAD"):
        return denial("MethodNotAllowed", "This distribution only allows GET and HEAD.")
    if call.body:
        return denial("BadRequest", "A GET request must not have a body.")
    # A signed link is one mechanism, a header a second: S3 refuses the pair, and a client that
    # sends its token here has given it to a stranger.
    if "authorization" in call.headers:
        message = "Only one auth mechanism allowed; only the signature or the Authorization header"
        return denial("InvalidArgument", message, status=400)
    return None
