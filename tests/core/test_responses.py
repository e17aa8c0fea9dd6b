"""Is every answer read for what it means, however it comes?"""

from __future__ import annotations

import functools
import json
import pickle
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives._core.http_date import parse_http_date, parse_retry_after
from iceye_derivatives._core.limits import Limits
from iceye_derivatives._core.redact import clean_text
from iceye_derivatives._core.responses import (
    ApiResponse,
    error_for,
    join_pages,
    read_snapshot,
    read_task,
    read_task_page,
)
from iceye_derivatives.errors import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    LimitExceededError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
    TaskNotFoundError,
    UnexpectedResponseError,
)
from iceye_derivatives.models import Availability

NOW = 1_767_225_600.0  # 2026-01-01
READY = {
    "id": "a",
    "derivativeProductType": "DC_VESSELS",
    "assets": [{"type": "geojson", "href": "https://cdn.example/a?Expires=1&Signature=planted"}],
}
WAITING = {"id": "b", "derivativeProductType": "DC_AIRCRAFT", "assets": []}


def response(status: int, body: Any = b"", **headers: str) -> ApiResponse:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ApiResponse(status=status, headers=named, body=raw)


def error(status: int, body: Any = b"", task_id: str | None = None, **headers: str) -> ApiError:
    return error_for(response(status, body, **headers), NOW, operation="getTask", task_id=task_id)


@pytest.mark.parametrize(
    ("status", "listed", "availability"),
    [
        (200, [READY], Availability.COMPLETE),
        (200, [READY, WAITING], Availability.PARTIAL),
        (200, [], Availability.PARTIAL),
        (200, None, Availability.PARTIAL),
        (206, [READY, WAITING], Availability.PARTIAL),
        (206, [READY], Availability.PARTIAL),
        (206, [], Availability.PARTIAL),
    ],
)
def test_complete_is_what_status_and_body_agree_on(
    status: int, listed: Any, availability: Availability
) -> None:
    """A 200 that still lists an empty ``assets``, or nothing, is no end."""
    page = read_snapshot("t", response(status, {"data": listed}), NOW)

    assert page.snapshot.availability is availability
    assert [found.id for found in page.snapshot.derivatives] == [i["id"] for i in listed or ()]
    assert {found.task_id for found in page.snapshot.derivatives} <= {"t"}


@pytest.mark.parametrize("body", [b"", b"<html>gone</html>", b'{"code":"not_found"}'])
def test_404_is_no_error_of_a_look(body: bytes) -> None:
    """ "No derivative products are available yet", among other causes."""
    assert read_snapshot("t", response(404, body), NOW).snapshot.availability is Availability.NONE


def test_a_look_tells_the_servers_clock_and_wish() -> None:
    """A date is measured on the clock that wrote it: ours may be an hour off."""
    headers = {
        "date": "Thu, 01 Jan 2026 01:00:00 GMT",
        "retry_after": "Thu, 01 Jan 2026 01:00:30 GMT",
    }
    for status in (200, 206, 404):
        snapshot = read_snapshot("t", response(status, {"data": []}, **headers), NOW).snapshot
        assert (snapshot.server_time, snapshot.retry_after) == (NOW + 3600, 30.0)


PAGES = st.lists(
    st.tuples(st.sampled_from([200, 206]), st.lists(st.sampled_from([READY, WAITING]), max_size=2)),
    min_size=1,
    max_size=4,
)


@given(PAGES)
def test_pages_are_joined_as_if_they_were_one(
    pages: list[tuple[int, list[dict[str, Any]]]],
) -> None:
    """The law: the same items and the same answer as on one page, 206 where any page has it."""
    read = [read_snapshot("t", response(status, {"data": data}), NOW) for status, data in pages]
    status = max(status for status, _ in pages)
    whole = {"data": [item for _, data in pages for item in data]}

    assert join_pages(read) == read_snapshot("t", response(status, whole), NOW).snapshot


def test_a_page_that_vanished_leaves_the_look_unfinished() -> None:
    """A 404 for a later page says nothing about the first."""
    pages = [response(200, {"data": [READY], "cursor": "n"}), response(404)]
    joined = join_pages(read_snapshot("t", page, NOW) for page in pages)

    assert joined.availability is Availability.PARTIAL
    assert len(joined.derivatives) == 1


@pytest.mark.parametrize(
    ("body", "cursor"),
    [({}, None), ({"cursor": None}, None), ({"cursor": ""}, None), ({"cursor": "n"}, "n")],
)
def test_missing_null_and_empty_cursors_end_a_listing(body: dict[str, Any], cursor: Any) -> None:
    """The docs say "no cursor", their example shows an empty one."""
    answer = response(200, {"data": [], **body})

    assert read_task_page(answer, NOW).cursor == cursor
    assert read_snapshot("t", answer, NOW).cursor == cursor


def test_tasks_are_read_from_their_answers() -> None:
    """201 from createTask, 200 from the others."""
    body = {"id": "t", "status": "RECEIVED"}

    assert read_task(response(201, body), NOW).id == read_task(response(200, body), NOW).id == "t"
    assert read_task(response(200, b"\xef\xbb\xbf" + json.dumps(body).encode()), NOW).id == "t"
    assert [task.id for task in read_task_page(response(200, {"data": [body]}), NOW).tasks] == ["t"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "is empty"),
        (b"<html>", "is no JSON"),
        (b"[]", "is not an object"),
        (b"{}", "id: is missing|data: is missing"),
        (b'{"data": 5, "id": 5}', "data: is not a list|id: is not a string"),
        (b'{"data": [], "cursor": 5}', "cursor: is not a string|id: is missing"),
        (b'{"data": NaN}', "is no JSON"),
        (b'{"data": ' + b"9" * 9999 + b"}", "is no JSON"),
        (b"\xff\xfe{}", "is no JSON"),
        (b"[" * 200_000, "is nested too deeply"),
        (b'{"data": ' * 200_000, "is nested too deeply"),
    ],
    ids=range(11),
)
def test_a_success_that_cannot_be_read_is_unexpected(body: bytes, words: str) -> None:
    """It names what is wrong by path, is worth another try, and has no context to leak."""
    for read in (
        lambda answer: read_snapshot("t", answer, NOW),
        lambda answer: read_task_page(answer, NOW),
        lambda answer: read_task(answer, NOW, task_id="t"),
    ):
        with pytest.raises(UnexpectedResponseError, match=words) as caught:
            read(response(200, body))
        assert caught.value.retryable
        assert caught.value.__cause__ is caught.value.__context__ is None


def test_a_body_above_the_ceiling_is_not_parsed() -> None:
    """The error names the ceiling, its value and how to raise it."""
    limits = Limits(json_bytes=1000)
    with pytest.raises(LimitExceededError, match=r"the 1,000 allowed.*Limits\(json_bytes=…\)") as e:
        read_snapshot("t", response(200, b" " * 1001), NOW, limits=limits)
    assert (e.value.limit, e.value.allowed, e.value.task_id) == ("json_bytes", 1000, "t")
    assert not e.value.retryable
    assert e.value.__cause__ is e.value.__context__ is None


GOOD: dict[str, Any] = {
    "id": "a",
    "derivativeProductType": "DC_VESSELS",
    "assets": [{"type": "g", "href": "h"}],
}
DEFAULTS = attrs.asdict(Limits())
NOTHING: Any = None
DEEP: Any = functools.reduce(lambda inner, _: [inner], range(10), NOTHING)


@pytest.mark.parametrize(
    ("limits", "listing"),
    [
        (Limits(derivatives_per_task=2), {"data": [GOOD] * 3}),
        (Limits(assets_per_derivative=2), {"data": [GOOD | {"assets": GOOD["assets"] * 3}]}),
        (Limits(json_depth=9), {"data": [GOOD | {"unknown": DEEP}]}),
        (Limits(json_depth=9), {"data": [], "meta": DEEP}),
        (
            Limits(json_depth=9),
            {"data": [GOOD | {"assets": [{"type": "g", "href": "h", "x": DEEP}]}]},
        ),
        (Limits(id_length=9), {"data": [GOOD | {"id": "x" * 10}]}),
        (Limits(id_length=9), {"data": [GOOD | {"imageReference": "x" * 10}]}),
        (Limits(id_length=10), {"data": [GOOD | {"assets": [{"type": "x" * 11, "href": "h"}]}]}),
        (Limits(link_length=40), {"data": [GOOD | {"assets": [{"type": "g", "href": "x" * 41}]}]}),
        (Limits(link_length=40), {"data": [GOOD | {"unknown": {"x" * 41: 1}}]}),
        (Limits(link_length=40), {"data": [], "cursor": "x" * 41}),
    ],
)
def test_what_is_above_a_ceiling_is_named_by_it(limits: Limits, listing: dict[str, Any]) -> None:
    """Each ceiling of a listing: the same listing passes with the defaults."""
    (name,) = (key for key, value in attrs.asdict(limits).items() if value != DEFAULTS[key])
    with pytest.raises(LimitExceededError, match=rf"Limits\({name}=…\)") as caught:
        read_snapshot("t", response(200, listing), NOW, limits=limits)
    assert caught.value.limit == name
    assert caught.value.__cause__ is caught.value.__context__ is None
    assert read_snapshot("t", response(200, listing), NOW).status == 200


@pytest.mark.parametrize("name", [key for key in DEFAULTS if key != "redirects"])
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_a_ceiling_that_nothing_passes_is_refused(name: str, value: float) -> None:
    with pytest.raises(ConfigurationError, match=name):
        Limits(**{name: value})  # type: ignore[arg-type]  # a float for a whole number, on purpose


def test_a_task_above_a_ceiling_is_named_too() -> None:
    """What a task holds beyond our fields is kept, so it is looked at."""
    body = {"id": "t", "status": "ACTIVE", "meta": DEEP}
    with pytest.raises(LimitExceededError, match="json_depth"):
        read_task(response(200, body), NOW, limits=Limits(json_depth=9))
    with pytest.raises(LimitExceededError, match="json_depth"):
        read_task_page(response(200, {"data": [body]}), NOW, limits=Limits(json_depth=9))


def test_a_longer_retry_after_is_cut_to_its_ceiling() -> None:
    """One header must not stop a client for a year.

    Trap (azure, Retry-After): it goes through `int()`, so an HTTP date would raise.
    """
    answer = response(429, b"", retry_after="99999999")
    error = error_for(answer, NOW, operation="getTask", limits=Limits(retry_after=7.0))
    assert error.retry_after == 7.0


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
    """And a 404 that is not about a task is a bad request."""
    found = error(status, task_id="t")

    assert type(found) is cls
    assert (found.status, found.task_id) == (status, "t")
    assert type(error(404)) is BadRequestError


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
    assert clean_text("x" * 400) == "x" * 299 + "…"


def test_plain_words_are_left_alone() -> None:
    """Redaction must not eat the explanation."""
    for text in (
        "Is the token expired? Ask again.",
        "Policy: the contract allows no GRD",
        "imagingMode=SCAN is not allowed, expires soon",
    ):
        assert clean_text(text) == text


def test_an_answer_shows_no_body() -> None:
    """It holds signed links, and headers may hold cookies."""
    shown = repr(response(200, {"data": [READY]}, set_cookie="planted"))

    assert "planted" not in shown
    assert "200" in shown


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30.0),
        (" 30 ", 30.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("3600", 3600.0),
        ("86400", 3600.0),
        ("9" * 5000, 3600.0),
        ("Thu, 01 Jan 2026 00:00:30 GMT", 30.0),
        ("Thursday, 01-Jan-26 00:00:30 GMT", 30.0),
        ("Thu Jan  1 00:00:30 2026", 30.0),
        ("Wed, 31 Dec 2025 00:00:00 GMT", 0.0),
        ("Fri, 01 Jan 2027 00:00:00 GMT", 3600.0),
        ("-5", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("٣٠", None),
        ("1e3", None),
        ("30, 60", None),
        ("Thu, 32 Jan 2026 00:00:30 GMT", None),
        ("Thu, 01 Foo 2026 00:00:30 GMT", None),
        ("Thu, 01 Jan 2026 25:00:30 GMT", None),
        ("Thu, 01 Jan 0000 00:00:30 GMT", None),
    ],
)
def test_retry_after_in_both_forms(value: str | None, seconds: float | None) -> None:
    """Seconds or any of three dates; capped, never negative; nonsense is as good as nothing.

    Trap (azure, Retry-After): it goes through `int()`, so an HTTP date would raise.
    """
    assert parse_retry_after(value, NOW) == seconds
    assert error(429, retry_after=value or "").retry_after == seconds


@given(st.text() | st.text("0123456789.:, -GMTJan"), st.floats(0, 4e9))
def test_no_header_breaks_retry_after(value: str, now: float) -> None:
    """The law: None, or between nothing and the cap."""
    seconds = parse_retry_after(value, now, cap=60)

    assert seconds is None or 0 <= seconds <= 60


@given(st.datetimes(datetime(1970, 1, 1), datetime(2075, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds must be naive
def test_a_date_is_read_in_all_three_forms(moment: datetime) -> None:
    """The law, with "more than 50 years in the future" read as the past (RFC 9110)."""
    moment = moment.replace(microsecond=0)
    forms = [format_datetime(moment, usegmt=True), f"{moment:%a %b} {moment.day:2} {moment:%T %Y}"]
    if moment.year >= 1977:
        forms.append(f"{moment:%A, %d-%b-%y %T} GMT")

    assert {parse_http_date(form, NOW) for form in forms} == {moment.timestamp()}


def test_a_leap_second_is_a_date() -> None:
    """RFC 9110 allows the 60."""
    assert parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT", NOW) is not None


@pytest.mark.parametrize("status", [408, 425])
def test_a_status_that_says_try_again_is_no_refusal(status: int) -> None:
    """RFC 9110, 15.5.9: "the client MAY repeat the request"."""
    response = ApiResponse(status=status, headers={}, body=b"")

    assert error_for(response, 0.0, operation="getTask").retryable


@pytest.mark.parametrize(("number", "code"), [("1234567", "1234567"), ("9" * 400, None)])
def test_a_code_that_is_a_number_is_spelled_out_or_left_out(number: str, code: str | None) -> None:
    response = ApiResponse(status=400, headers={}, body=b'{"code": %s}' % number.encode())

    assert error_for(response, 0.0, operation="getTask").code == code
