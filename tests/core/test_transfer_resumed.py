"""A body broke off: does the file go on at its byte, and start over where that may be another's?"""

from __future__ import annotations

import pytest
from transfers import ETAG, answer, broken_at, transfer

from iceye_derivatives._core.transfer_terms import Open, Pause, Receive, Store
from iceye_derivatives.models import AssetRef
from iceye_derivatives.sharing import PartMark


def test_a_broken_body_goes_on_at_the_byte_where_it_stood() -> None:
    """Trap (stac-asset, bodies).

    Retry covers getting headers; a body that breaks is not retried.
    """
    machine = broken_at(40)
    ask = machine.begin()
    assert isinstance(ask, Open)
    assert ask.headers == {
        "Accept-Encoding": "identity",
        "Range": "bytes=40-",
        "If-Range": ETAG,
    }
    headers = {"content-range": "bytes 40-99/100", "etag": ETAG}
    assert answer(machine, 206, headers) == Receive(offset=40, total=100)
    assert machine.received(60)
    assert machine.ended(0.5) == Store()


@pytest.mark.parametrize("etag", [None, 'W/"v1"', "v1", '"a"b"'])
def test_without_a_strong_etag_a_broken_body_starts_over(etag: str | None) -> None:
    """Trap (capella, resuming).

    From the file's size, with no validator; 416 is taken for "complete".
    """
    assert broken_at(40, etag=etag).begin() == Open(offset=0)


def test_200_to_a_range_starts_over() -> None:
    """Trap (cdsapi, appending): it appends after a Range request without testing for 206."""
    machine = broken_at(40)
    machine.begin()
    assert answer(machine, 200, {"content-length": "70"}) == Receive(offset=0, total=70)
    assert machine.offset == 0


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-range": "bytes 0-99/100", "etag": ETAG},
        {"content-range": "bytes 41-99/100", "etag": ETAG},
        {"content-range": "bytes 40-99/101", "etag": ETAG},
        {"content-range": "bytes 40-99/100", "etag": '"v2"'},
        {"content-range": "bytes 40-99/100", "etag": 'W/"v1"'},
        {"content-range": "bytes */100", "etag": ETAG},
        {"content-range": "items 40-99/100", "etag": ETAG},
        {"content-type": "multipart/byteranges; boundary=x", "etag": ETAG},
    ],
)
def test_a_206_of_another_place_or_another_file_starts_over(headers: dict[str, str]) -> None:
    """Complaint 24 (boto/s3transfer #86): ranged reads mixed two revisions of one object."""
    machine = broken_at(40)
    machine.begin()
    assert isinstance(answer(machine, 206, headers), Pause)
    assert machine.begin() == Open(offset=0)


@pytest.mark.parametrize(
    "headers",
    [{"content-range": "bytes 40-99/*", "etag": ETAG}, {"content-range": "bytes 40-99/100"}],
)
def test_a_206_that_tells_less_is_believed_where_the_rest_agrees(headers: dict[str, str]) -> None:
    machine = broken_at(40)
    machine.begin()
    assert answer(machine, 206, headers) == Receive(offset=40, total=100)


def test_a_store_that_is_busy_meanwhile_costs_no_byte() -> None:
    machine = broken_at(40)
    machine.begin()
    assert isinstance(answer(machine, 503), Pause)
    assert machine.begin() == Open(offset=40, if_range=ETAG)


def test_416_starts_over() -> None:
    """Trap (capella, resuming).

    From the file's size, with no validator; 416 is taken for "complete".
    """
    machine = broken_at(40)
    machine.begin()
    assert isinstance(answer(machine, 416), Pause)
    assert machine.begin() == Open(offset=0)


def mark(size: int = 40, total: int | None = 100, etag: str = ETAG) -> PartMark:
    asset = AssetRef(task_id="t", derivative_id="d", product_type="P", asset_type="tif")
    return PartMark(asset=asset, size=size, total=total, etag=etag, sha256="0" * 64)


def test_what_an_earlier_process_brought_is_gone_on_with() -> None:
    machine = transfer()
    machine.resume(mark())
    assert machine.begin() == Open(offset=40, if_range=ETAG)
    headers = {"content-range": "bytes 40-99/100", "etag": ETAG}
    assert answer(machine, 206, headers) == Receive(offset=40, total=100)


def test_what_is_of_no_strong_etag_is_not_gone_on_with() -> None:
    machine = transfer()
    machine.resume(mark(etag='W/"1"'))
    assert machine.begin() == Open(offset=0)


def test_what_an_earlier_process_brought_whole_is_stored_without_a_request() -> None:
    machine = transfer()
    machine.resume(mark(size=100))
    assert machine.begin() == Store()
