"""Does the extra ``speed`` come to the same verdict on a file as Python's own parser?"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from iceye_derivatives._core import content
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
    assert surely_a_collection(
        b'{"features":[{"type":"Feature"}],"type":"FeatureCollection","x":1}'
    )


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
        patched.setattr(content, "surely_a_collection", lambda _: False)
        assert quickly == verdict(body)


WHOLE = json.dumps(
    {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": None,
                "properties": {"class": "b\u00e2teau", "a": -1.5e-3},
            },
            {"type": "Feature", "properties": {"n": [True, False, '"\\', 0], "deep": {"x": {}}}},
        ],
        "note": None,
    },
    ensure_ascii=False,
).encode()


@given(
    st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 2), st.binary(max_size=2)))
)
def test_what_passes_without_being_parsed_would_have_passed_the_parser(
    changes: list[tuple[int, int, bytes]],
) -> None:
    """A few bytes exchanged, cut out or put in: it may doubt what is good, never the reverse."""
    body = bytearray(WHOLE)
    for place, length, other in changes:
        body[place : place + length] = other
    if surely_a_collection(bytes(body)):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(content, "surely_a_collection", lambda _: False)
            check_body(REF, bytes(body))
