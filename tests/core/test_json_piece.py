"""Is a long file judged in pieces as a parser judges it whole?"""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from verdicts import VALUES, altered

from iceye_derivatives._core import json_piece, quick_geojson
from iceye_derivatives._core.content import ContentChecker, ContentFault, check_body
from iceye_derivatives._core.geojson import LONGEST, GeoJsonScanner
from iceye_derivatives._core.json_piece import last_comma
from iceye_derivatives.models import AssetRef

REF = AssetRef(task_id="t", derivative_id="d", product_type="DC_VESSELS", asset_type="geojson")
WHOLE = (
    '{"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": {"type": "Polygon",'
    ' "coordinates": [[[4.05, 51.95], [4.06, 51.95], [4.05, 51.95]]]}, "properties": {"class":'
    ' "bâteau, \\"\\\\", "a": -1.5e-3}}, {"properties": {"n": [true, 0, "a,b", [], {}], "x": {}}}],'
    ' "note" : ["\\u00e9", null], "crs": {"type": "name"} }\n'
).encode()
CUTS = st.lists(st.integers(0, 10**6), max_size=12)


@pytest.fixture(autouse=True, params=["msgspec", "SQLite", "Python"])
def _reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads a piece."""
    if request.param != "msgspec":
        monkeypatch.setattr(quick_geojson, "_by_msgspec", lambda: None)
    if request.param == "Python":
        monkeypatch.setattr(quick_geojson, "_by_sqlite", lambda: None)


def in_pieces(body: bytes, cuts: list[int]) -> str:
    places = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    checker = ContentChecker(REF)
    for begin, end in pairwise(places):
        checker.feed(body[begin:end])
    return checker.finish()


def agree(body: bytes, cuts: list[int]) -> None:
    try:
        whole = check_body(REF, body)
    except ContentFault:
        with pytest.raises(ContentFault):
            in_pieces(body, cuts)
    else:
        assert in_pieces(body, cuts) == whole


@given(altered(WHOLE), CUTS)
@example(WHOLE.replace(b"[4.05, 51.95], [4", b"[4.05 51.95], [4"), [])
@example(WHOLE.replace(b"51.95", b"5.1.95"), [150])
@example(WHOLE.replace(b"[true, 0", b"[true,, 0"), [200])
@example(WHOLE.replace(b"[], {}]", b"[], ]"), [250])
@example(WHOLE.replace(b'"a": -1.5e-3', b'"a": -1.5e-3,'), [250])
@example(WHOLE.replace(b'"a": -1.5e-3', b"a: -1.5e-3"), [200, 210])
@example(WHOLE.replace(b"a,b", b"a,\n"), [])
@example(WHOLE.replace(b"a,b", rb"a,\x"), [])
@example(WHOLE.replace(b'[{"type": "Feature"', b'[7, {"type": "Feature"'), [])
@example(WHOLE.replace(b"{}}}],", b"{}}}, []],"), [60, 200, 250])
@example(WHOLE.replace(b'{"properties": {"n"', b'[{"n"').replace(b"{}}}],", b"{}}]],"), [60, 200])
def test_a_few_altered_bytes_are_seen_wherever_it_is_cut(body: bytes, cuts: list[int]) -> None:
    agree(body, cuts)


@pytest.mark.parametrize("value", ["[1,]", '{"a":1,}', "[,1]", "[1,,2]", "01", '{"a",1}', '"\\x"'])
@pytest.mark.parametrize("behind", ["", ',"z":0'])
def test_what_is_none_is_seen_whichever_comma_it_is_cut_behind(value: str, behind: str) -> None:
    body = f'{{"type":"FeatureCollection","features":[],"x":{value}{behind}}}'.encode()
    for cut in range(len(body)):
        with pytest.raises(ContentFault):
            in_pieces(body, [cut])


@given(st.dictionaries(st.text(max_size=3), VALUES, max_size=4), CUTS)
def test_any_document_is_judged_alike(members: dict[str, object], cuts: list[int]) -> None:
    agree(json.dumps({**members, "type": "FeatureCollection", "features": []}).encode(), cuts)


ENTRIES = st.lists(st.sampled_from([{}, {"a": [0, {}]}, {"features": [7]}, [], [{}], 7, None, "x"]))
OBJECTS = st.lists(st.sampled_from([{}, {"a": [0, {}]}, {"features": [7]}]), max_size=4)
OTHERS = st.sampled_from([7, {"a": [1, 2]}])
MEMBERS = st.lists(
    st.tuples(st.sampled_from(["features", "geometries", "x"]), OTHERS | ENTRIES | OBJECTS)
    | st.tuples(st.just("type"), st.sampled_from(["FeatureCollection", "GeometryCollection"])),
    max_size=5,
)


@given(MEMBERS, CUTS)
@example([("features", [7]), ("features", []), ("type", "FeatureCollection")], [20, 40])
@example([("features", []), ("features", [7]), ("type", "FeatureCollection")], [20, 40])
@example([("type", "GeometryCollection"), ("geometries", [{}, {}, 7, {}])], [50, 53])
@example([("x", [7, 7]), ("type", "FeatureCollection"), ("features", [[{}, {}], {}])], [7, 60])
@example([("x", 7), ("geometries", [7]), ("type", "GeometryCollection")], [8, 27])
@example([("features", {"a": [1, 2]}), ("geometries", []), ("type", "GeometryCollection")], [22])
def test_each_entry_of_a_collection_must_be_an_object(
    members: list[tuple[str, object]], cuts: list[int]
) -> None:
    """Wherever the member stands that holds it, and though one is there twice: the last counts."""
    body = ", ".join(f'"{name}": {json.dumps(value)}' for name, value in members)
    agree(f"{{{body}}}".encode(), cuts)


@given(st.text(st.sampled_from('ab,"[]{}: '), max_size=40))
def test_the_last_comma_is_none_of_a_strings(text: str) -> None:
    places, inside = [0], False
    for place, sign in enumerate(text):
        inside ^= sign == '"'
        if sign == "," and not inside:
            places.append(place + 1)
    assert last_comma(text.encode()) == places[-1]


def test_the_place_of_a_fault_is_told_in_bytes_of_the_file() -> None:
    body = b"\xef\xbb\xbf" + WHOLE.replace(b'"x": {}', b'"x": {} 7')
    with pytest.raises(ContentFault, match=rf"at byte {body.index(b' 7}') + 1}\)"):
        in_pieces(body, list(range(0, len(body), 50)))


@pytest.mark.parametrize("spoilt", [b"1.2.3", b"1 2", b'"\x01"'])
@pytest.mark.parametrize("size", [700_000, 5_000_000, 9_000_000])
def test_no_length_is_too_long_to_be_read(spoilt: bytes, size: int) -> None:
    features = b',{"type":"Feature","geometry":null,"properties":{"a":[1,2,3]}}' * (size // 120)
    good = (
        b'{"type":"FeatureCollection","features":[{}' + features + b"," + b"%s" + features + b"]}"
    )
    scanner = GeoJsonScanner()
    scanner.feed(good % b"{}")
    scanner.finish()
    scanner = GeoJsonScanner()
    with pytest.raises(ValueError, match="it is not JSON"):
        scanner.feed(good % spoilt)


@pytest.mark.parametrize(("end", "good"), [(b'"z":{}}', True), (b'"z":[1.2.3],"a":1}', False)])
def test_behind_a_long_stretch_without_a_comma_it_reads_on(end: bytes, good: bool) -> None:
    scanner = GeoJsonScanner()
    scanner.feed(b'{"type":"FeatureCollection","features":[],"x":"' + b"long " * (LONGEST // 2))
    scanner.feed(b'","y":[1,2],')
    if good:
        scanner.feed(end)
        scanner.finish()
    else:
        with pytest.raises(ValueError, match="it is not JSON"):
            scanner.feed(end)


def test_no_piece_of_an_ordinary_collection_is_read_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a parser that makes a tree of it: nor of one that has much beside its features."""
    monkeypatch.delattr(json_piece, "parsed")
    entries = ",".join(['{"type":"Feature","geometry":null,"properties":{"a":[1,2,3]}}'] * 5000)
    for members in (f'"features":[{entries}]', f'"features":[],"x":[{entries}]'):
        scanner = GeoJsonScanner()
        scanner.feed(f'{{"type":"FeatureCollection",{members}}}'.encode())
        scanner.finish()
