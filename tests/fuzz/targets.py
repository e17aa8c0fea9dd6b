"""Which of our functions read foreign bytes, and which errors may each of them raise?

Every target takes any bytes and returns, or raises an error of its own table row: anything else is
a defect.  They are driven by hypothesis (`test_fuzz.py`) and by a coverage-guided fuzzer
(`guided.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from iceye_derivatives._core.content import ContentChecker, ContentFault, check_body, first_bytes
from iceye_derivatives._core.decisions import Patience
from iceye_derivatives._core.digest import DigestCheck, offers
from iceye_derivatives._core.fleet_park import Garage
from iceye_derivatives._core.fleet_state import FleetState
from iceye_derivatives._core.http_date import parse_http_date, parse_retry_after
from iceye_derivatives._core.journal import parse_journal
from iceye_derivatives._core.limits import Limits
from iceye_derivatives._core.link_policy import UnsafeLink, check_link, redirect_target
from iceye_derivatives._core.metering import announced
from iceye_derivatives._core.notes import NoteFault
from iceye_derivatives._core.ownership import parse_owner, render_owner
from iceye_derivatives._core.problem import read_problem
from iceye_derivatives._core.redact import clean_text
from iceye_derivatives._core.responses import (
    ApiResponse,
    error_for,
    join_pages,
    read_scene,
    read_snapshot,
    read_task,
    read_task_page,
)
from iceye_derivatives._core.sidecar import page_of, parse_sidecar, render_page
from iceye_derivatives._core.signed_url import read_signed_url
from iceye_derivatives._core.token_answer import is_token, read_token
from iceye_derivatives._core.watch_state import dump_state, load_state
from iceye_derivatives.errors import ApiError, ConfigurationError
from iceye_derivatives.models import AssetRef
from iceye_derivatives.webhook import texts_in

__all__ = ["TARGETS"]

NOW = 1_767_225_600.0
REF = AssetRef(task_id="t", derivative_id="d", product_type="DC_VESSELS", asset_type="geojson")
LIMITS = Limits(json_bytes=1 << 20, id_length=64, link_length=512, json_depth=32)


def _answer(body: bytes, status: int = 200) -> ApiResponse:
    return ApiResponse(status=status, headers={}, body=body)


def _text(data: bytes) -> str:
    # As aiohttp hands headers over, with the bytes that are no UTF-8 as lone surrogates.
    return data.decode("utf-8", "surrogateescape")


def snapshot(data: bytes) -> None:
    """A listing of derivatives: what is read has ids, and links that are kept byte for byte."""
    with suppress(ApiError):
        page = read_snapshot("t", _answer(data), NOW, limits=LIMITS)
        for found in page.snapshot.derivatives:
            assert 0 < len(found.id) <= LIMITS.id_length
            assert all(asset.url.reveal() and str(asset.url) for asset in found.assets)
            assert len(set(found.asset_refs())) == len(found.assets)
        for fault in page.snapshot.unreadable:
            assert 0 <= fault.item < page.items
            assert f"{fault}".isprintable()
            assert fault.problem
        assert bool(join_pages([page]).derivatives) or not page.items


def task(data: bytes) -> None:
    """A task, alone and in a listing."""
    with suppress(ApiError):
        assert read_task(_answer(data), NOW, limits=LIMITS).id
    with suppress(ApiError):
        read_task_page(_answer(data), NOW, limits=LIMITS)


def scene(data: bytes) -> None:
    """A scene of a task."""
    with suppress(ApiError):
        read_scene(_answer(data), NOW, task_id="t", limits=LIMITS)


def token(data: bytes) -> None:
    """A token endpoint's answer: what is read can stand in a header."""
    with suppress(ApiError):
        assert is_token(read_token(_answer(data), NOW, limits=LIMITS).value)


def problem(data: bytes) -> None:
    """An error body: the error is one short line without control characters."""
    found = read_problem(data)
    for text in (found.text, found.code or "", found.reference or ""):
        assert text.isprintable()
    message = str(error_for(_answer(data, 500), NOW, operation="getTask"))
    assert message.isprintable()
    assert len(message) < 1000
    with suppress(ApiError, ConfigurationError):
        read_token(_answer(data, 400), NOW, limits=LIMITS)


def text(data: bytes) -> None:
    """A stranger's text in a message: printable, short, and the same when cleaned again."""
    cleaned = clean_text(_text(data))
    assert cleaned.isprintable()
    assert len(cleaned) <= 300
    assert len(first_bytes(data)) <= 120


def link(data: bytes) -> None:
    """A link: kept as it came, judged, redirected."""
    raw = _text(data)
    url = read_signed_url(raw)
    assert url.reveal() == raw
    assert url.expires is None or url.expires >= 0
    assert url.expires is None or url.expires_at is not None
    for candidate in (raw, redirect_target("https://cdn.example/a/b", raw)):
        with suppress(UnsafeLink):
            check_link(candidate, came_from="https://cdn.example/a/b")


def header(data: bytes) -> None:
    """``Date``, ``Retry-After``, ``Content-Length`` and ``Content-Range``."""
    value = _text(data)
    wait = parse_retry_after(value, NOW, cap=60.0)
    assert wait is None or 0 <= wait <= 60
    parse_http_date(value, NOW)
    for status in (200, 206):
        announced(status, {"content-length": value, "content-range": value})


def saved_watch(data: bytes) -> None:
    """A saved watch: what is read is written and read again."""
    try:
        state = load_state(data)
    except ConfigurationError as error:
        assert len(str(error)) < 1000  # noqa: PT017 - one short sentence
    else:
        assert load_state(dump_state(state)) == state


def saved_fleet(data: bytes) -> None:
    """A saved fleet: the same, and each of its watches can be gone on with."""
    try:
        state = FleetState.from_json(data)
    except ConfigurationError as error:
        assert len(str(error)) < 1000  # noqa: PT017 - one short sentence
    else:
        again = FleetState.from_json(state.to_json())
        assert list(again.places()) == list(state.places())
        for place in state.places():
            watch = Garage(Patience()).read(place.task_id, place.state)
            watch.decide(NOW, 0.5)


def callback(data: bytes) -> None:
    """What somebody sends to the webhook: few texts, and short ones."""
    texts = list(texts_in(data))
    assert all(len(text) <= len(data) for text in texts)


def sidecar(data: bytes) -> None:
    """A note beside a part: what is read is written and read again."""
    with suppress(NoteFault):
        # The check of a page is made here: nobody would come across one by chance.
        found = parse_sidecar(page_of(data) + data, file="f.geojson", asset=REF)
        assert parse_sidecar(render_page(found) * 2, file="f.geojson", asset=REF) == found


def journal(data: bytes) -> None:
    """A journal beside files, of the task that it names: the same, and its watch goes on."""
    with suppress(NoteFault):
        found = parse_journal(data)
        assert parse_journal(found.render(), found.task_id) == found
        watch = found.resumed_watch()
        assert watch is None or watch.task_id == found.task_id


def owner(data: bytes) -> None:
    """A record of who makes a file: the same."""
    with suppress(NoteFault):
        found = parse_owner(data)
        assert parse_owner(render_owner(found)) == found


def digests(data: bytes) -> None:
    """The digests that a store offers, in all the headers for them."""
    names = ("repr-digest", "content-digest", "digest", "x-goog-hash", "content-md5")
    found = offers(dict.fromkeys(names, _text(data)), whole=True)
    check = DigestCheck(found)
    check.feed(data)
    check.fault("00" * 32)


def geojson(data: bytes) -> None:
    """A body, whole and in pieces: what the whole check believes, the other does too."""
    try:
        digest = check_body(REF, data)
    except ContentFault:
        digest = ""
    checker = ContentChecker(REF)
    half = len(data) // 2
    try:
        checker.feed(data[:half])
        checker.feed(data[half:])
        assert digest in ("", checker.finish())
    except ContentFault:
        assert not digest


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (
        *(snapshot, task, token, problem, text, link, header),
        *(scene, saved_fleet, callback),
        *(saved_watch, sidecar, journal, owner, digests, geojson),
    )
}
