"""Is a file that is believed without a tree one that the parser would have believed?"""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from verdicts import VALUES, altered, parsed_verdict, verdict

from iceye_derivatives._core import quick_geojson
from iceye_derivatives._core.quick_geojson import surely_a_collection

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
    assert verdict(body) == parsed_verdict(body)


@given(altered(WHOLE))
def test_a_few_bytes_exchanged_cut_out_or_put_in_change_both_verdicts_alike(body: bytes) -> None:
    assert verdict(body) == parsed_verdict(body)
