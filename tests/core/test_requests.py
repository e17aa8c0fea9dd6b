"""Is each operation sent as documented, whatever an id holds?"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives import __version__
from iceye_derivatives._core import requests
from iceye_derivatives._core.endpoint import check_token_url, normalise_base_url
from iceye_derivatives.errors import ConfigurationError, InvalidTaskRequestError
from iceye_derivatives.models import AcquisitionWindow, PointOfInterest, TaskRequest

START = datetime(2030, 1, 1, tzinfo=UTC)
REQUEST = TaskRequest(
    contract_id="c",
    point_of_interest=PointOfInterest(lat=1.5, lon=2),
    acquisition_window=AcquisitionWindow(start=START, end=START + timedelta(days=2)),
    imaging_mode="SPOTLIGHT",
)
TASKS = "/api/tasking/v2/tasks"


@pytest.mark.parametrize("task_id", [None, 3, b"x", 1.5])
def test_what_is_no_string_is_no_id(task_id: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"{task_id!r} is no task id"):
        requests.get_task(task_id)


@given(st.text(min_size=1))
def test_an_id_is_one_segment_of_the_path_or_refused(task_id: str) -> None:
    """The law: no id can change the endpoint, and every id that is sent arrives as it was."""
    try:
        target = requests.list_derivatives(task_id).target
    except ConfigurationError:
        assert task_id in {".", ".."} or not task_id.strip() or not _is_unicode(task_id)
        return
    head, tail, endpoint = target.rpartition("/")

    assert tail + endpoint == "/derivatives"
    assert head.startswith(TASKS + "/")
    segment = head.removeprefix(TASKS + "/")
    assert not set(segment) & set("/?#\\ ")
    assert unquote(segment) == task_id


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@pytest.mark.parametrize("task_id", ["", " ", ".", "..", "\ud800"])
def test_what_cannot_be_an_id_is_refused_before_sending(task_id: str) -> None:
    """By the error for settings, on every endpoint that takes one."""
    for make in (requests.get_task, requests.cancel_task, requests.list_derivatives):
        with pytest.raises(ConfigurationError, match="task id"):
            make(task_id)


@pytest.mark.parametrize(
    ("task_id", "target"),
    [("../x", f"{TASKS}/..%2Fx"), ("a/b?c#d", f"{TASKS}/a%2Fb%3Fc%23d"), ("ä", f"{TASKS}/%C3%A4")],
)
def test_ids_that_look_like_paths_are_quoted(task_id: str, target: str) -> None:
    """The same for people."""
    assert requests.get_task(task_id).target == target


def test_each_operation_is_as_documented() -> None:
    """Method, path and body."""
    made = [
        requests.get_task("t"),
        requests.cancel_task("t"),
        requests.list_derivatives("t"),
        requests.create_task(REQUEST),
    ]

    assert [(r.operation, r.method, r.target) for r in made] == [
        ("getTask", "GET", f"{TASKS}/t"),
        ("cancelTask", "PATCH", f"{TASKS}/t"),
        ("listTaskDerivatives", "GET", f"{TASKS}/t/derivatives"),
        ("createTask", "POST", TASKS),
    ]
    assert [r.body for r in made[:3]] == [None, b'{"status":"CANCELED"}', None]
    assert json.loads(made[3].body or b"") == {
        "contractID": "c",
        "pointOfInterest": {"lat": 1.5, "lon": 2},
        "acquisitionWindow": {"start": "2030-01-01T00:00:00Z", "end": "2030-01-03T00:00:00Z"},
        "imagingMode": "SPOTLIGHT",
    }


def test_headers_are_those_that_the_docs_recommend() -> None:
    """Accept on every call, a content type only with content, and who we are."""
    get, post = requests.get_task("t"), requests.create_task(REQUEST)

    assert get.headers["Accept"] == "application/json, application/problem+json"
    assert get.headers["User-Agent"].startswith(f"iceye-derivatives/{__version__} ")
    assert "Content-Type" not in get.headers
    assert post.headers["Content-Type"] == "application/json"
    assert "Authorization" not in get.headers | post.headers


def test_a_request_that_json_cannot_spell_is_refused() -> None:
    """NaN has no JSON; Python's encoder would write it all the same."""
    request = evolve(REQUEST, point_of_interest=PointOfInterest(lat=float("nan"), lon=0))

    with pytest.raises(InvalidTaskRequestError, match="pointOfInterest"):
        requests.create_task(request)


def test_a_listing_asks_for_fifty_and_no_filter() -> None:
    """The API's own default of 10 would cost five times the requests."""
    assert requests.list_tasks().target == f"{TASKS}?limit=50"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_cursor_arrives_as_it_was_given(cursor: str) -> None:
    """The law for listings: a cursor is opaque."""
    for request in (
        requests.list_tasks(cursor=cursor),
        requests.list_derivatives("t", cursor=cursor),
    ):
        query = urlsplit("http://x" + request.target).query
        assert dict(parse_qsl(query, keep_blank_values=True))["cursor"] == cursor


def test_all_filters_are_sent_in_the_names_of_the_api() -> None:
    """Moments in UTC; a plus sign or a colon in a query would be read as something else."""
    target = requests.list_tasks(
        limit=7, cursor="a+b", contract_id="c d", created_after=START, created_before=START
    ).target

    assert target == (
        f"{TASKS}?limit=7&cursor=a%2Bb&contractID=c%20d"
        "&createdAfter=2030-01-01T00%3A00%3A00Z&createdBefore=2030-01-01T00%3A00%3A00Z"
    )


def test_bad_filters_are_refused_before_sending() -> None:
    """By the error for settings."""
    with pytest.raises(ConfigurationError, match="created_before"):
        requests.list_tasks(created_before=datetime(2030, 1, 1))  # noqa: DTZ001 - the point
    with pytest.raises(ConfigurationError, match="limit"):
        requests.list_tasks(limit=0)


@pytest.mark.parametrize(
    ("raw", "base"),
    [
        ("https://platform.iceye.com", "https://platform.iceye.com"),
        ("https://platform.iceye.com/", "https://platform.iceye.com"),
        (" https://platform.iceye.com/api/\n", "https://platform.iceye.com"),
        ("https://gate.example:8443/iceye/api", "https://gate.example:8443/iceye"),
        ("https://platform.iceye.com/api/tasking/v2/", "https://platform.iceye.com"),
        ("https://gate.example/myapi", "https://gate.example/myapi"),
        ("https://gate.example/tasking/v2", "https://gate.example/tasking/v2"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080/api", "http://[::1]:8080"),
        ("http://localhost", "http://localhost"),
    ],
)
def test_all_forms_of_the_base_url_mean_the_same(raw: str, base: str) -> None:
    """The docs write it without ``/api`` or with the Tasking API's path, example code with it."""
    assert normalise_base_url(raw) == base


@pytest.mark.parametrize(
    "raw",
    [
        "http://platform.iceye.com",
        "http://localhost.evil.example",
        "https://user:hunter2@platform.iceye.com",
        "https://platform.iceye.com?secret=hunter2",
        "https://platform.iceye.com#hunter2",
        "ftp://platform.iceye.com/hunter2",
        "platform.iceye.com/hunter2",
        "https://",
        "https://platform iceye.com",
        "https://platform.iceye.com:port",
        "",
    ],
)
def test_the_token_is_not_sent_anywhere_else(raw: str) -> None:
    """Plain http beyond this machine, credentials, queries; and no message repeats them."""
    with pytest.raises(ConfigurationError) as caught:
        normalise_base_url(raw)

    assert "hunter2" not in str(caught.value)


def test_a_token_url_may_have_a_query_but_must_be_secure() -> None:
    """Some identity providers select a policy by a query."""
    assert check_token_url("https://id.example/token?p=x") == "https://id.example/token?p=x"
    with pytest.raises(ConfigurationError, match="token URL"):
        check_token_url("http://id.example/token")
