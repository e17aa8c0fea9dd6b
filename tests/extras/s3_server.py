"""An S3 over loopback that fails, stalls and counts to order: moto's own, behind one gate.

moto keeps real multipart uploads, ETags and ``If-None-Match``, so that nothing here is our own
reading of S3.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import moto.server
from attrs import define, field, frozen
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import FakeBucket, s3_backends
from werkzeug.serving import WSGIRequestHandler, make_server

BUCKET = "detections"
PLANTED_KEY = "CANARYKEYID"
PLANTED_SECRET = "CANARY-store-secret-81f0"
_REFUSAL = (
    '<?xml version="1.0"?><Error><Code>{code}</Code><Message>No.</Message>'
    "<Resource>/x?X-Amz-Signature=CANARYSIGNATURE</Resource></Error>"
)


@frozen
class Request:
    """One request as it arrived."""

    method: str
    key: str
    query: str
    headers: Mapping[str, str]

    @property
    def step(self) -> str:
        """What it asks for, in S3's own words."""
        if self.query in {"uploads", "uploads="}:
            return "CreateMultipartUpload"
        if "uploadId=" in self.query:
            of = {"PUT": "UploadPart", "POST": "CompleteMultipartUpload"}
            return of.get(self.method, "AbortMultipartUpload")
        return {"PUT": "PutObject", "GET": "GetObject", "HEAD": "HeadObject"}.get(self.method, "")


@frozen
class Refusal:
    """An answer in place of the right one."""

    status: int
    code: str


@define(slots=False)
class S3Server:
    """What the tests see of it."""

    url: str = ""
    requests: list[Request] = field(factory=list)
    refuse: Callable[[Request], Refusal | None] = lambda request: None
    before: Callable[[Request], None] = lambda request: None
    """Called in the server's thread before a request is carried out: it may wait."""

    def options(self, **more: Any) -> dict[str, Any]:
        """What `ObjectStoreSink.from_url` needs to get here."""
        return {
            "endpoint": self.url,
            "region": "us-east-1",
            "access_key_id": PLANTED_KEY,
            "secret_access_key": PLANTED_SECRET,
            "client_options": {"allow_http": True},
            "retry_config": {"max_retries": 0, "retry_timeout": timedelta(seconds=1)},
            **more,
        }

    @property
    def bucket(self) -> FakeBucket:
        """The one bucket, looked into from behind."""
        return s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[BUCKET]

    def objects(self) -> dict[str, bytes]:
        """All that stands in it, by key."""
        return {key.name: key.value for key in self.bucket.keys.values()}

    def pending(self) -> list[str]:
        """Keys of the multipart uploads that nobody has ended."""
        return [upload.key_name for upload in self.bucket.multiparts.values()]

    def steps(self) -> list[str]:
        """What was asked for, in order."""
        return [request.step for request in self.requests]


class _Quiet(WSGIRequestHandler):
    # Keep connections, as S3 does.
    protocol_version = "HTTP/1.1"

    def log(self, *_: object, **__: object) -> None:
        """A part that arrives after its upload was aborted is a stack trace in moto."""


@contextmanager
def serving() -> Iterator[S3Server]:
    """Start it in a thread of its own, with an empty bucket."""
    server = S3Server()
    app = moto.server.DomainDispatcherApplication(moto.server.create_backend_app)

    def gate(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(
            method=environ["REQUEST_METHOD"],
            key=environ["PATH_INFO"].removeprefix(f"/{BUCKET}/"),
            query=environ["QUERY_STRING"],
            headers={k[5:].lower(): v for k, v in environ.items() if k.startswith("HTTP_")},
        )
        server.requests.append(request)
        server.before(request)
        refusal = server.refuse(request)
        if refusal is None:
            return app(environ, start)
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        body = _REFUSAL.format(code=refusal.code).encode()
        start(f"{refusal.status} No", [("Content-Length", str(len(body)))])
        return [b"" if request.method == "HEAD" else body]

    http = make_server("127.0.0.1", 0, gate, threaded=True, request_handler=_Quiet)
    server.url = f"http://127.0.0.1:{http.port}"
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    s3_backends[DEFAULT_ACCOUNT_ID]["aws"].create_bucket(BUCKET, "us-east-1")
    try:
        yield server
    finally:
        http.shutdown()
        thread.join(10)
        http.server_close()
        s3_backends[DEFAULT_ACCOUNT_ID]["aws"].reset()
