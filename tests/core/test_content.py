"""Is this body the file that it should be?"""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from itertools import pairwise

import pytest
from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import json_values

from iceye_derivatives._core.content import ContentChecker, ContentFault, check_body, first_bytes
from iceye_derivatives._core.geojson import DEEPEST, GeoJsonScanner
from iceye_derivatives.models import AssetRef

REF = AssetRef(task_id="t", derivative_id="d", product_type="DC_VESSELS", asset_type="geojson")
OPAQUE = AssetRef(task_id="t", derivative_id="d", product_type="DC_VESSELS", asset_type="tif")

STRINGS = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ['"', "\\", '\\"', "[", "]}", "{", "type", "NaN"]
)
JSON = json_values(STRINGS)
GEOMETRIES = st.none() | st.builds(
    lambda xy: {"type": "Point", "coordinates": xy}, st.lists(st.floats(-90, 90), max_size=3)
)
FEATURES = st.builds(
    lambda geometry, properties: {
        "type": "Feature",
        "geometry": geometry,
        "properties": properties,
    },
    GEOMETRIES,
    st.dictionaries(STRINGS, JSON, max_size=3),
)


def collection(
    features: list[object], foreign: dict[str, object], *, last: bool
) -> dict[str, object]:
    members = {"type": "FeatureCollection", "features": features}
    foreign = {name: value for name, value in foreign.items() if name not in members}
    return {**foreign, **members} if last else {**members, **foreign}


COLLECTIONS = st.builds(
    collection,
    st.lists(FEATURES, max_size=4),
    st.dictionaries(STRINGS, JSON, max_size=2),
    last=st.booleans(),
)


def pieces(body: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    return [body[a:b] for a, b in pairwise(places)]


def scan(body: bytes, cuts: list[int]) -> str:
    checker = ContentChecker(REF)
    for piece in pieces(body, cuts):
        checker.feed(piece)
    return checker.finish()


CUTS = st.lists(st.integers(0, 10**6), max_size=6)


@given(
    document=COLLECTIONS, cuts=CUTS, indent=st.sampled_from([None, 1]), plain_ascii=st.booleans()
)
def test_a_feature_collection_is_believed_whole_or_in_pieces(
    document: dict[str, object], cuts: list[int], indent: int | None, *, plain_ascii: bool
) -> None:
    """Any order of members, any properties, any foreign members, wherever it is cut."""
    body = json.dumps(document, indent=indent, ensure_ascii=plain_ascii).encode()
    assert check_body(REF, body) == scan(body, cuts) == sha256(body).hexdigest()


@given(JSON, CUTS)
def test_whole_and_piecewise_agree_on_what_geojson_is(document: object, cuts: list[int]) -> None:
    body = json.dumps(document).encode()
    try:
        check_body(REF, body)
    except ContentFault:
        with pytest.raises(ContentFault):
            scan(body, cuts)
    else:
        scan(body, cuts)


@given(COLLECTIONS, st.integers(0, 10**6), CUTS)
def test_a_body_cut_anywhere_is_refused(
    document: dict[str, object], cut: int, cuts: list[int]
) -> None:
    """Truncation, also where the end looks right."""
    body = json.dumps(document).encode()
    body = body[: cut % len(body)]
    with pytest.raises(ContentFault):
        check_body(REF, body)
    with pytest.raises(ContentFault):
        scan(body, cuts)


@given(COLLECTIONS, CUTS)
def test_a_page_spliced_in_or_a_second_document_behind_is_refused(
    document: dict[str, object], cuts: list[int]
) -> None:
    """Complaint 25 (m9brady/eodms-api-client #8).

    An HTML page with success, or an XML error, is saved as the image.
    """
    body = json.dumps(document).encode()
    for spoilt in (body + b"<html>", body + body, b"<?xml?>" + body):
        with pytest.raises(ContentFault):
            check_body(REF, spoilt)
        with pytest.raises(ContentFault):
            scan(spoilt, cuts)


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode), CUTS)
@example(b"[" * 100_000, [50_000])
@example(b'{"a":' * 100_000, [])
@example(b'{"type":"' + b"\\" * 5, [3])
def test_garbage_gives_a_fault_and_nothing_else(body: bytes, cuts: list[int]) -> None:
    checks: tuple[Callable[[], object], ...] = (
        lambda: check_body(REF, body),
        lambda: scan(body, cuts),
    )
    for check in checks:
        with pytest.raises(ContentFault) as caught:
            check()
        assert len(caught.value.first_bytes) <= 120


@pytest.mark.parametrize("check", [lambda body: check_body(REF, body), lambda body: scan(body, [])])
@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"<!DOCTYPE html><html></html>", "HTML"),
        (b"\n<html lang=en>", "HTML"),
        (b'<?xml version="1.0"?><Error/>', "XML"),
        (b"<Error><Code>AccessDenied</Code></Error>", "XML"),
        (b"[]", "not an object"),
        (b'{"type":"Sausage"}', "'type'"),
        (b'{"type":1,"features":[]}', "'type'"),
        (b'{"type":["Feature"]}', "'type'"),
        (b'{"features":[]}', "'type'"),
        (b'{"type":"FeatureCollection"}', "'features'"),
        (b'{"type":"FeatureCollection","features":{}}', "'features'"),
        (b'{"type":"FeatureCollection","features":null}', "'features'"),
        (b'{"type":"Feature","geometry":[]}', "'geometry'"),
        (b'{"type":"Point"}', "'coordinates'"),
        (b'{"type":"FeatureCollection","features":[],"x":NaN}', "JSON"),
        (b'{"type":"FeatureCollection","features":[],"x":-Infinity}', "JSON"),
        (b'{"type":"FeatureCollection","features":[}]', "JSON"),
        (b'{"type":"FeatureCollection","features":[],"x":"\xff"}', "UTF-8"),
        ('{"type":"FeatureCollection","features":[]}'.encode("utf-16"), "UTF-8"),
    ],
)
def test_what_is_no_geojson_is_named(body: bytes, said: str, check: object) -> None:
    with pytest.raises(ContentFault, match=said):
        check(body)  # type: ignore[operator]


@pytest.mark.parametrize(
    "body",
    [
        b'{"type":"FeatureCollection","features":[]}',
        b'\xef\xbb\xbf{"type":"FeatureCollection","features":[]}\n',
        b'{"type":"Feature","geometry":null,"properties":null}',
        b'{"type":"Feature","geometry":null,"features":5}',
        b'{"coordinates":[1,2],"type":"Point"}',
        b'{"type":"GeometryCollection","geometries":[],"crs":{"type":"name"}}',
    ],
)
def test_all_kinds_of_geojson_are_believed(body: bytes) -> None:
    """Zero features too: "nothing was detected" is an answer."""
    for cuts in ([], [1], [1, 2], list(range(len(body)))):
        assert check_body(REF, body) == scan(body, cuts)


def in_two(ref: AssetRef, body: bytes, cut: int) -> str:
    checker = ContentChecker(ref)
    checker.feed(body[:cut])
    checker.feed(body[cut:])
    return checker.finish()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("tif", b"II*\0<html>"),
        ("xml", b'<?xml version="1.0"?><metadata/>'),
        ("kml", b"<kml><Error/></kml>"),
        ("html", b"<!DOCTYPE html><html></html>"),
        ("txt", b"<errors: 0>"),
        ("bin", b"\n"),
    ],
)
def test_another_asset_type_is_only_measured_and_hashed(kind: str, body: bytes) -> None:
    ref = evolve(OPAQUE, asset_type=kind)
    assert check_body(ref, body) == sha256(body).hexdigest()
    for cut in range(len(body)):
        assert in_two(ref, body, cut) == sha256(body).hexdigest()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty"),
        (b" <!doctype html>", "HTML"),
        (b"\xef\xbb\xbf<HTML lang=en>", "HTML"),
        (b"<Error><Code>AccessDenied</Code></Error>", "XML"),
        (b'<?xml version="1.0"?>\n<Error>', "XML"),
    ],
)
def test_what_answers_in_a_files_place_is_none_of_any_type(body: bytes, said: str) -> None:
    """Complaint 25 (m9brady/eodms-api-client #8).

    An HTML page with success, or an XML error, is saved as the image.
    """
    with pytest.raises(ContentFault, match=said):
        check_body(OPAQUE, body)
    for cut in range(len(body) + 1):
        with pytest.raises(ContentFault, match=said):
            in_two(OPAQUE, body, cut)


@pytest.mark.parametrize("ref", [REF, OPAQUE])
def test_a_fault_shows_before_the_end_of_a_long_body(ref: AssetRef) -> None:
    checker = ContentChecker(ref)
    with pytest.raises(ContentFault, match="HTML"):
        checker.feed(b"<html>" + b"x" * 1000)


def test_memory_stays_bounded_for_one_endless_string_and_for_endless_nesting() -> None:
    scanner = GeoJsonScanner()
    scanner.feed(b'{"type":"FeatureCollection","features":[],"x":"')
    for _ in range(30):
        scanner.feed(b"type" * 25_000)
    assert len(scanner._carry) < 1_200_000
    scanner.feed(b'\\"y"}')
    scanner.finish()
    nested = GeoJsonScanner()
    nested.feed(b'{"a":' * (DEEPEST + 1))
    with pytest.raises(ValueError, match="deep"):
        nested.finish()


@pytest.mark.parametrize(
    "page",
    [
        b"<Error>https://cdn/x?Expires=1&Signature=CANARY&Key-Pair-Id=K</Error>",
        b"<Error>Signature=CANARY</Error>",
        b"<SignatureProvided>CANARY</SignatureProvided>",
        b'{"error":"no","Signature":"CANARY"}',
        b"/x?a=1&amp;Policy=CANARY~ rest",
        b"a?X-Amz-Signature=CANARY",
        b" x-amz-security-token: CANARY",
        b"x" * 100 + b" Signature=CANARY",
    ],
)
def test_first_bytes_hold_no_signature(page: bytes) -> None:
    assert b"CANARY" not in first_bytes(page)
    with pytest.raises(ContentFault) as caught:
        check_body(REF, page)
    assert b"CANARY" not in caught.value.first_bytes
    assert "CANARY" not in str(caught.value)


def test_a_whole_body_too_long_to_parse_is_scanned_instead() -> None:
    body = json.dumps(collection([], {"note": "x" * 9_000_000}, last=True)).encode()
    assert check_body(REF, body) == sha256(body).hexdigest()
    with pytest.raises(ContentFault, match="middle"):
        check_body(REF, body[:-1])


def test_features_that_are_no_objects_are_refused() -> None:
    with pytest.raises(ContentFault, match="'features'"):
        check_body(REF, b'{"type":"FeatureCollection","features":[1]}')


def test_a_pair_of_brackets_deeper_than_any_geojson_is_refused_at_the_next_comma() -> None:
    scanner = GeoJsonScanner()
    scanner.feed(b'{"type":"FeatureCollection","features":[')
    with pytest.raises(ValueError, match="deep"):
        scanner.feed(b"[" * 1000 + b"]" * 1000 + b",")
