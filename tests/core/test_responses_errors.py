"""Which error is a refusal, and what of a stranger's page stands in it: words, but no secret?"""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from answers import NOW, error, response
from hypothesis import given
from hypothesis import strategies as st
from strategies import json_values

from iceye_derivatives._core.redact import clean_text
from iceye_derivatives._core.responses import read_scene, read_snapshot, read_task, read_task_page
from iceye_derivatives.errors import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
    TaskNotFoundError,
    UnexpectedResponseError,
)
from iceye_derivatives.models import Availability


@pytest.mark.parametrize(
    ("status", "cls"),
    [
        (301, UnexpectedResponseError),
        (304, UnexpectedResponseError),
        (204, UnexpectedResponseError),
        (400, BadRequestError),
        (401, AuthenticationError),
        (403, PermissionDeniedError),
        (404, TaskNotFoundError),
        (409, BadRequestError),
        (422, BadRequestError),
        (429, RateLimitedError),
        (500, ServerError),
        (502, ServerError),
        (503, ServerError),
        (599, ServerError),
        (999, UnexpectedResponseError),
    ],
)
def test_each_status_has_its_class(status: int, cls: type[ApiError]) -> None:
    found = error(status, task_id="t")

    assert type(found) is cls
    assert (found.status, found.task_id) == (status, "t")


def test_a_404_that_is_not_about_a_task_is_a_bad_request() -> None:
    assert type(error(404)) is BadRequestError


def is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


pages = st.sampled_from(
    [
        "<html><head><title>404 Not Found</title></head></html>",
        "404 page not found",
        "default backend - 404",
        '"Not Found"',
        "[]",
        "null",
        "404",
        '{"code": "not_found"',
    ]
)


@given(pages | st.text().filter(lambda text: bool(text.strip()) and not is_object(text)))
def test_a_404_that_is_no_json_object_is_a_gateways_and_passes(page: str) -> None:
    """The law: none of ICEYE's two shapes says nothing of a task, nor of its derivatives."""
    answer = response(404, page.encode())
    for read in (
        lambda: read_snapshot("t", answer, NOW),
        lambda: read_scene(answer, NOW, task_id="t"),
        lambda: read_task_page(answer, NOW),
        lambda: read_task(answer, NOW, task_id="t"),
    ):
        with pytest.raises(UnexpectedResponseError, match="check the base URL") as caught:
            read()
        assert (caught.value.status, caught.value.retryable) == (404, True)


@given(
    st.sampled_from([b"", b" \r\n"])
    | st.dictionaries(st.text(), json_values(st.text()), max_size=3).map(
        lambda body: json.dumps(body).encode()
    )
)
def test_any_other_404_is_believed(body: bytes) -> None:
    """The law: an object may be ICEYE's, and silence is nobody's."""
    page = read_snapshot("t", response(404, body), NOW)

    assert page.snapshot.availability is Availability.NONE
    assert type(error(404, body, task_id="t")) is TaskNotFoundError


@pytest.mark.parametrize("status", [202, 302, 400, 401, 403, 429, 500])
def test_readers_raise_the_error_of_any_other_answer(status: int) -> None:
    """The same for each reader."""
    answer = response(status, {"code": "c", "message": "m"})
    for read in (
        lambda: read_snapshot("t", answer, NOW),
        lambda: read_task_page(answer, NOW),
        lambda: read_task(answer, NOW),
    ):
        with pytest.raises(type(error(status))) as caught:
            read()
        assert (caught.value.status, caught.value.code) == (status, "c")


@pytest.mark.parametrize(
    ("body", "text", "code", "reference"),
    [
        (
            {"title": "Bad", "code": "ERR_X", "details": "too small", "reference": "https://d/x"},
            "too small",
            "ERR_X",
            "https://d/x",
        ),
        ({"code": "not_found", "message": "no such thing"}, "no such thing", "not_found", None),
        ({"title": "T", "message": "M", "detail": "D", "details": "S"}, "S", None, None),
        ({"title": "T", "error_description": "E", "message": "M", "detail": "D"}, "D", None, None),
        ({"title": "T", "error_description": "E", "message": "M"}, "M", None, None),
        ({"error": "invalid_client", "error_description": "no"}, "no", "invalid_client", None),
        ({"error": {"code": 7, "message": "inner"}}, "inner", "7", None),
        ({"details": "", "title": "only this"}, "only this", None, None),
        ({"details": ["a"], "message": None, "code": True}, "", None, None),
        (b"<html><head><title>502 Bad Gateway</title></head>", "502 Bad Gateway", None, None),
        (b"<html><body>no title</body>", "", None, None),
        (b"upstream connect error\nsecond line", "upstream connect error", None, None),
        (b'"a string"', "a string", None, None),
        (b"[1]", "", None, None),
        (b"", "", None, None),
        (b"\xff\xfe", "\N{REPLACEMENT CHARACTER}" * 2, None, None),
        (b"[" * 200_000, "[" * 299 + "…", None, None),
    ],
    ids=range(17),
)
def test_error_bodies_of_all_shapes_are_read(
    body: Any, text: str, code: str | None, reference: str | None
) -> None:
    """Both of ICEYE's, the token endpoint's, and those of gateways."""
    found = error(400, body)

    said = f"400 {code}" if code else "400"
    assert str(found).startswith(f"getTask was answered with {said}{': ' + text if text else ''};")
    assert (found.code, found.reference) == (code, reference)


SECRETS = [
    "https://cdn.example/a?Expires=1&Signature=planted",
    "GET /x?planted=1 HTTP/1.1",
    "Authorization: Bearer planted",
    "authorization=planted",
    "client_secret=planted&x",
    '{"access_token":"planted"}',
    "Basic planted",
    "Signature=planted;",
    "X-Amz-Signature=planted",
    "x-amz-security-token=planted",
    "Key-Pair-Id=planted",
    "eyJhbGciOiJIUzI1NiJ9.planted.planted",
    "Policy=planted",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "shape", ['{"details": %s}', '{"code": %s}', '{"reference": %s}', '"%s"', "<title>%s", "%s"]
)
def test_no_error_repeats_a_secret(secret: str, shape: str) -> None:
    """Gateways quote requests in their pages; message, attributes and pickle stay clean."""
    quoted = json.dumps(f"before {secret} after") if shape.startswith("{") else f"no {secret} after"
    found = error(500, (shape % quoted).encode())

    assert "planted" not in f"{found} {found!r} {vars(found)}"
    assert b"planted" not in pickle.dumps(found)


@given(st.text())
def test_a_strangers_text_is_made_fit_for_a_terminal(text: str) -> None:
    """The law: one line, printable, at most 300 characters."""
    cleaned = clean_text(text)

    assert len(cleaned) <= 300
    assert cleaned.isprintable()


def test_a_long_text_is_cut_and_shows_that_it_was() -> None:
    assert clean_text("x" * 300) == "x" * 300
    assert clean_text("x" * 301) == "x" * 299 + "…"


def test_plain_words_are_left_alone() -> None:
    """Redaction must not eat the explanation."""
    for text in (
        "Is the token expired? Ask again.",
        "Policy: the contract allows no GRD",
        "imagingMode=SCAN is not allowed, expires soon",
    ):
        assert clean_text(text) == text


@pytest.mark.parametrize("status", [408, 425])
def test_a_status_that_says_try_again_is_no_refusal(status: int) -> None:
    """RFC 9110, 15.5.9: "the client MAY repeat the request"."""
    assert error(status).retryable


@pytest.mark.parametrize(("number", "code"), [("1234567", "1234567"), ("9" * 400, None)])
def test_a_code_that_is_a_number_is_spelled_out_or_left_out(number: str, code: str | None) -> None:
    assert error(400, b'{"code": %s}' % number.encode()).code == code
