"""What does an error of an object store say: what to do next, and no credential?"""

from __future__ import annotations

import errno

import pytest
from object_stores import BODY, NAME, hashed
from s3_server import PLANTED_SECRET, Refusal, S3Server
from s3_sinks import s3_sink

from iceye_derivatives.errors import ConfigurationError
from iceye_derivatives.sinks import ObjectStoreSink

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("status", "code", "number", "says"),
    [
        (403, "AccessDenied", errno.EACCES, "denies access .403 AccessDenied.: let these"),
        (401, "InvalidToken", errno.EACCES, "does not know the credentials"),
        (404, "NoSuchBucket", errno.ENOENT, "no such bucket .404 NoSuchBucket.: create it"),
        (507, "XMinioStorageFull", errno.ENOSPC, "has no room left, or its quota is used up"),
        (403, "QuotaExceeded", errno.ENOSPC, "has no room left, or its quota is used up"),
        (500, "InternalError", errno.EIO, "failed or could not be reached .500 InternalError."),
    ],
)
async def test_an_error_says_what_to_do_next_and_no_credential(
    s3: S3Server, status: int, code: str, number: int, says: str
) -> None:
    s3.refuse = lambda request: Refusal(status, code)
    with pytest.raises(OSError, match=says) as caught:
        await s3_sink(s3).put(NAME, BODY, hashed)
    assert caught.value.errno == number
    error: BaseException | None = caught.value
    while error is not None:
        assert "Signature" not in f"{error!r}{vars(error)!r}"
        error = error.__context__ or error.__cause__


async def test_a_store_behind_plain_http_says_how_to_allow_it(s3: S3Server) -> None:
    sink = ObjectStoreSink.from_url("s3://detections", **s3.options(client_options={}))
    with pytest.raises(OSError, match="is at an http:// address: allow that"):
        await sink.put(NAME, BODY, hashed)


async def test_a_store_that_is_not_there_is_an_error_of_its_own() -> None:
    s3 = S3Server(url="http://127.0.0.1:1")
    with pytest.raises(OSError, match="could not be reached: see whether it is up") as caught:
        await s3_sink(s3).put(NAME, BODY, hashed)
    assert caught.value.errno == errno.EIO


async def test_an_object_that_changes_while_it_is_read_is_an_error(
    s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hash of two halves would be nobody's."""
    monkeypatch.setattr("iceye_derivatives.sinks._object_client._BLOCK", 10)
    sink = s3_sink(s3)
    await sink.put(NAME, BODY, hashed)
    there = await sink._client.look(NAME)
    assert there is not None
    await sink.put(NAME, b"other" * 9, hashed)
    with pytest.raises(OSError, match="412"):
        await sink._client.digest(there)


@pytest.mark.parametrize(
    "url", ["s3://key:CANARY@bucket/x", "az://c/p?sig=CANARY", "gs://b/p#CANARY"]
)
async def test_a_url_that_holds_a_secret_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigurationError, match="must hold no credentials") as caught:
        ObjectStoreSink.from_url(url)
    assert "CANARY" not in repr(caught.value)


@pytest.mark.parametrize(
    ("url", "options"),
    [("s3://", {}), ("ftp://bucket/x", {}), ("s3://bucket", {"secret_key": PLANTED_SECRET})],
)
async def test_a_url_or_option_that_no_store_knows_is_refused(
    url: str, options: dict[str, str]
) -> None:
    with pytest.raises(ConfigurationError, match="cannot be opened as an object store") as caught:
        ObjectStoreSink.from_url(url, **options)
    assert PLANTED_SECRET not in f"{caught.value!r} {caught.value.__context__!r}"


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("gs://bucket/pre/fix", {"skip_signature": True}),
        ("az://container/pre/fix", {"account_name": "account", "account_key": "a2V5"}),
    ],
)
async def test_the_other_clouds_are_opened_by_their_urls(url: str, options: dict[str, str]) -> None:
    """No more than that: nothing here speaks their APIs; `tests/azure` speaks Azure's."""
    sink = ObjectStoreSink.from_url(url, **options)
    assert sink.locate(NAME) == f"{url}/{NAME}"
    assert repr(sink) == f"ObjectStoreSink({url!r})"


async def test_a_store_is_tried_by_one_request_that_leaves_nothing(s3: S3Server) -> None:
    await s3_sink(s3).make_ready()
    assert s3.steps() == ["GetObject"]
    assert s3.objects() == {}
    await ObjectStoreSink.from_url("memory:///pre/fix").make_ready()


@pytest.mark.parametrize(
    ("refusal", "says"),
    [
        (Refusal(403, "AccessDenied"), "denies access"),
        (Refusal(404, "NoSuchBucket"), "there is no such bucket"),
        (Refusal(500, "InternalError"), "failed or could not be reached"),
    ],
)
async def test_a_store_that_would_take_no_file_is_told_of_before_the_wait(
    s3: S3Server, refusal: Refusal, says: str
) -> None:
    s3.refuse = lambda request: refusal
    with pytest.raises(OSError, match=says):
        await s3_sink(s3).make_ready()
