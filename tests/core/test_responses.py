"""Is every answer read for what it means, however it comes?"""

from __future__ import annotations

import json
from typing import Any

import pytest
from answers import NOW, READY, response
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives._core.responses import join_pages, read_snapshot, read_task, read_task_page
from iceye_derivatives.errors import UnexpectedResponseError
from iceye_derivatives.models import Availability

WAITING = {"id": "b", "derivativeProductType": "DC_AIRCRAFT", "assets": []}


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


@pytest.mark.parametrize("body", [b"", b'{"code":"not_found"}'])
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


def test_an_answer_shows_no_body() -> None:
    """It holds signed links, and headers may hold cookies."""
    shown = repr(response(200, {"data": [READY]}, set_cookie="planted"))

    assert "planted" not in shown
    assert "200" in shown
