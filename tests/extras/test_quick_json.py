"""Does the extra ``speed`` read and write the same JSON as Python's own, only sooner?"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import json_values

from iceye_derivatives._core import json_body, notes, responses
from iceye_derivatives._core.notes import as_json
from iceye_derivatives._core.quick_json import quick_json
from iceye_derivatives._core.responses import ApiResponse, read_snapshot
from iceye_derivatives.errors import ApiError

NOW = 1_767_225_600.0
ITEM: dict[str, Any] = {
    "id": "d",
    "imageReference": "r",
    "derivativeProductType": "DC_VESSELS",
    "assets": [{"type": "geojson", "href": "https://cdn.example/a?Expires=2000000000&Signature=s"}],
}
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ASSETS = st.fixed_dictionaries(
    {"type": st.just("geojson") | JSON}, optional={"href": st.text() | JSON, "size": JSON}
)
BODIES = st.builds(
    lambda raw, ascii_only: json.dumps(raw, ensure_ascii=ascii_only).encode(
        "utf-8", "surrogatepass"
    ),
    st.fixed_dictionaries(
        {
            "data": st.lists(
                st.builds(
                    lambda extra: {**ITEM, **extra},
                    st.dictionaries(st.text() | st.sampled_from([*ITEM]), JSON, max_size=2),
                )
                | st.builds(lambda asset: {**ITEM, "assets": [*ITEM["assets"], asset]}, ASSETS)
                | JSON,
                max_size=3,
            )
        },
        optional={"cursor": JSON, "other": JSON},
    )
    | JSON,
    st.booleans(),
) | st.binary(max_size=40)


def told(body: bytes) -> Any:
    try:
        page = read_snapshot("t", ApiResponse(status=200, headers={}, body=body), NOW)
    except ApiError as error:
        return type(error), f"{error}"
    return page, [repr(dict(found.extra)) for found in page.snapshot.derivatives]


@given(BODIES)
@example(json.dumps({"data": [{**ITEM, "size": 2**70}]}).encode())
@example(json.dumps({"data": [ITEM, {**ITEM, "id": 2**70}]}).encode())
@example(json.dumps({"data": [ITEM, {**ITEM, "assets": [*ITEM["assets"], {"a": 2**70}]}]}).encode())
@example(b"\xef\xbb\xbf" + json.dumps({"data": [ITEM]}).encode())
@example(b'{"data": [], "other": NaN}')
@example(b'{"data": [], "other": 1e999}')
@example(b'{"data": [], "\\ud800": 1}')
def test_both_decoders_read_the_same(body: bytes) -> None:
    """Unknown fields are kept to the last digit, and what cannot be read is named alike."""
    assert quick_json() is not None
    quick = told(body)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_body, "quick_json", lambda: None)
        plain = told(body)

    assert quick == plain


def test_a_known_listing_is_read_by_the_quick_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses, "read_object", lambda *_: pytest.fail("read twice"))

    page, _ = told(json.dumps({"data": [ITEM]}).encode())

    assert len(page.snapshot.derivatives) == 1


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=8)
FIELDS = st.dictionaries(ANY_TEXT, json_values(ANY_TEXT), max_size=4)


@given(FIELDS | ANY_TEXT)
@example({"size": 2**70})
@example("\ud800")
def test_a_note_says_the_same_whoever_wrote_it(value: Any) -> None:
    """Half a surrogate pair too, which an id may hold, and numbers of any length."""
    quick = as_json(value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(notes, "quick_json", lambda: None)
        plain = as_json(value)

    assert json.loads(quick) == json.loads(plain) == value


def test_a_note_is_written_by_the_quick_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes, "_encode", lambda _: pytest.fail("written twice"))

    assert as_json({"a": 1}) == b'{"a":1}'
