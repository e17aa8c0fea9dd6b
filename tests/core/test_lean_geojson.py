"""Is a file that is believed without a tree one that the parser would have believed?"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from iceye_derivatives._core import content, quick_geojson
from iceye_derivatives._core.content import ContentFault, check_body
from iceye_derivatives._core.quick_geojson import surely_a_collection
from iceye_derivatives.models import AssetRef

REF = AssetRef(
    task_id="t", derivative_id="d", product_type="DC_VESSELS", asset_type="geojson", ordinal=1
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
DOCUMENTS = st.builds(
    lambda kind, members: {"type": kind, **members},
    st.sampled_from(["FeatureCollection", "Feature", "Nothing", None]),
    st.dictionaries(st.sampled_from(["features", "geometry", "x"]), VALUES),
)
WHOLE = (
    '{"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": null, "properties":'
    ' {"class": "bâteau", "a": -1.5e-3}}, {"properties": {"n": [true, 0, "\\"\\\\"], "x": {}}}],'
    ' "note" : "\\u00e9" }\n'
).encode()


@pytest.fixture(autouse=True)
def _without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick_geojson, "_reader", lambda: None)


def verdict(body: bytes) -> tuple[str, bytes]:
    try:
        return check_body(REF, body), b""
    except ContentFault as fault:
        return str(fault), fault.first_bytes


def both(body: bytes) -> tuple[tuple[str, bytes], tuple[str, bytes]]:
    with pytest.MonkeyPatch.context() as patched:
        lean = verdict(body)
        patched.setattr(content, "surely_a_collection", lambda _: False)
        return lean, verdict(body)


def test_what_the_page_shows_needs_no_tree() -> None:
    assert surely_a_collection(WHOLE)
    assert surely_a_collection(b"\xef\xbb\xbf" + WHOLE)


@example(b"")
@example(b'{"type":"FeatureCollection","features":[NaN]}')
@example(b'{"type":"FeatureCollection","features":[],"x":NaN}')
@example(b'{"type":"FeatureCollection","features":[1]}')
@example(b'{"type":"FeatureCollection","features":[1.5]}')
@example(b'{"type":"FeatureCollection","features":[[]]}')
@example(b'{"type":"FeatureCollection","features":{}}')
@example(b'{"type":"FeatureCollection","features":[' + b"1" * 5000 + b"]}")
@example(b'{"type":"Point","features":[],"type":"FeatureCollection"}')
@example(b'{"type":"FeatureCollection","features":[],"type":{}}')
@example(b'{[]:1,"type":"FeatureCollection","features":[]}')
@example(b'{{}:1,"type":"FeatureCollection","features":[]}')
@example(b'{"type":"FeatureCollection","features":[],}')
@example(b'{"type":"FeatureCollection","features":[]} x')
@example(b'{"type":"FeatureCollection","features":[]')
@example(b'{"type":"FeatureCollection","features"')
@example(b'\x0b{"type":"FeatureCollection","features":[]}')
@example(b"{" + b'"a":[' * 100_000)
@given(DOCUMENTS.map(lambda document: json.dumps(document).encode()) | st.binary(max_size=40))
def test_both_come_to_one_verdict_in_the_same_words(body: bytes) -> None:
    lean, parsed = both(body)
    assert lean == parsed


@given(
    st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 2), st.binary(max_size=2)))
)
def test_a_few_bytes_exchanged_cut_out_or_put_in_change_both_verdicts_alike(
    changes: list[tuple[int, int, bytes]],
) -> None:
    body = bytearray(WHOLE)
    for place, length, other in changes:
        body[place : place + length] = other
    lean, parsed = both(bytes(body))
    assert lean == parsed
