"""Does the extra ``speed`` come to the same verdict on a file as Python's own parser?"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from iceye_derivatives._core import content
from iceye_derivatives._core.content import ContentFault, check_body
from iceye_derivatives._core.quick_json import quick_loads
from iceye_derivatives.models import AssetRef

REF = AssetRef(
    task_id="t", derivative_id="d", product_type="DC_VESSELS", asset_type="geojson", ordinal=1
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
TYPES = st.sampled_from(["FeatureCollection", "Feature", "Point", "Nothing"])
BODIES = st.builds(
    lambda kind, members, ascii_only: json.dumps(
        {"type": kind, **members}, ensure_ascii=ascii_only
    ).encode("utf-8", "surrogatepass"),
    TYPES,
    st.dictionaries(st.sampled_from(["features", "geometry", "coordinates", "x"]), VALUES),
    st.booleans(),
)


def verdict(body: bytes) -> tuple[str, bytes]:
    try:
        return check_body(REF, body), b""
    except ContentFault as fault:
        return str(fault), fault.first_bytes


def test_the_extra_is_installed_where_this_is_tested() -> None:
    assert quick_loads() is not None


@example(b"")
@example(b"\xef\xbb\xbf" + b'{"type":"FeatureCollection","features":[]}')
@example(b'{"type":"FeatureCollection","features":[NaN]}')
@example(b'{"type":"FeatureCollection","features":[1e999]}')
@example(b'{"type":"FeatureCollection","features":[],"note":"\\ud800"}')
@example(b'{"type":"FeatureCollection","features":[],"note":"\xff"}')
@example(b'{"type":"FeatureCollection","features":[' + b"1" * 5000 + b"]}")
@example(b'{"type":"FeatureCollection","features":[]} x')
@example(b"[" * 100_000)
@given(BODIES | st.binary(max_size=40))
def test_both_parsers_come_to_one_verdict_in_the_same_words(body: bytes) -> None:
    with pytest.MonkeyPatch.context() as patched:
        quickly = verdict(body)
        patched.setattr(content, "quick_loads", lambda: None)
        assert quickly == verdict(body)
