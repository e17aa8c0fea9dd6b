"""Does the extra ``speed`` come to the same verdict on a file as Python's own parser?"""

from __future__ import annotations

import json

from hypothesis import example, given
from hypothesis import strategies as st
from verdicts import REF, VALUES, altered, parsed_verdict, parser_alone, verdict

from iceye_derivatives._core.content import check_body
from iceye_derivatives._core.quick_geojson import surely_a_collection

TYPES = st.sampled_from(["FeatureCollection", "Feature", "Point", "Nothing"])
BODIES = st.builds(
    lambda kind, members, ascii_only: json.dumps(
        {"type": kind, **members}, ensure_ascii=ascii_only
    ).encode("utf-8", "surrogatepass"),
    TYPES,
    st.dictionaries(st.sampled_from(["features", "geometry", "coordinates", "x"]), VALUES),
    st.booleans(),
)


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
    assert verdict(body) == parsed_verdict(body)


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


@given(altered(WHOLE))
def test_what_passes_without_being_parsed_would_have_passed_the_parser(body: bytes) -> None:
    """It may doubt what is good, never the reverse."""
    if surely_a_collection(body):
        with parser_alone():
            check_body(REF, body)
