"""Are derivatives read as the page shows them, and are all faults of a listing named?"""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from attrs import evolve

from iceye_derivatives._core.unread import spell
from iceye_derivatives._core.wire import Listed, parse_derivatives, parse_tasks
from iceye_derivatives.models import Derivative

# The page's own examples, its second id (no UUID) included.
PAGE = {
    "data": [
        {
            "id": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
            "imageReference": "c2ac555e-27ac-4c6a-bf87-717fa81539e3",
            "derivativeProductType": "DC_AIRCRAFT",
            "assets": [],
        },
        {
            "id": "7fb95g75-6828-5673-c4gd-3d074g77bgb7",
            "derivativeProductType": "DC_VESSELS",
            "assets": [
                {"type": "geojson", "href": "https://cdn.example/v.geojson?Expires=1234567890&S=x"}
            ],
        },
    ]
}


def test_the_examples_of_the_page_are_read() -> None:
    """Ids are opaque, a derivative still in work has no assets, and may lack an image."""
    aircraft, vessels = parse_derivatives(PAGE["data"], "t").derivatives

    assert aircraft == Derivative(
        id="3fa85f64-5717-4562-b3fc-2c963f66afa6",
        task_id="t",
        product_type="DC_AIRCRAFT",
        image_reference="c2ac555e-27ac-4c6a-bf87-717fa81539e3",
    )
    assert (vessels.id, vessels.image_reference) == ("7fb95g75-6828-5673-c4gd-3d074g77bgb7", None)
    assert vessels.assets[0].url.reveal() == PAGE["data"][1]["assets"][0]["href"]  # type: ignore[index]
    assert vessels.assets[0].url.expires == 1_234_567_890


@pytest.mark.parametrize("changes", [{}, {"assets": None}, {"assets": []}])
def test_missing_null_and_empty_assets_are_alike(changes: dict[str, Any]) -> None:
    """All three say: still being processed."""
    item = {"id": "d", "derivativeProductType": "DC_NEW", "imageReference": None} | changes

    assert parse_derivatives([item], "t").derivatives[0].assets == ()


def test_null_is_an_empty_listing() -> None:
    """Go's encoder writes an empty slice so."""
    assert parse_derivatives(None, "t") == Listed()
    assert parse_tasks(None) == ()


def test_unknown_fields_of_a_derivative_are_kept_but_neither_shown_nor_pickled() -> None:
    """They may be signed links under a name that nobody can foresee."""
    item = {**PAGE["data"][1], "previewHref": "https://cdn.example/p?Signature=planted"}
    (derivative,) = parse_derivatives([item], "t").derivatives

    assert derivative.extra == {"previewHref": "https://cdn.example/p?Signature=planted"}
    assert "planted" not in repr(derivative)
    assert "planted" not in repr(derivative.extra)
    assert b"planted" not in pickle.dumps(derivative)
    assert pickle.loads(pickle.dumps(derivative.extra)) == {}  # noqa: S301 - our own


@pytest.mark.parametrize("odd", [5, [], {"id": "x"}, True])
def test_an_odd_reference_to_the_image_holds_no_derivative_back(odd: object) -> None:
    item = {**PAGE["data"][1], "imageId": odd, "imageReference": odd, "new": 1}
    first, second = parse_derivatives([PAGE["data"][1], item], "t").derivatives

    assert second == evolve(first, image_reference=None, image_id=None)
    assert second.extra == {"imageId": odd, "imageReference": odd, "new": 1}
    assert not first.extra


def test_all_faults_of_a_listing_are_named_at_once() -> None:
    """With the index of the derivative and of the asset, and never with the value."""
    listing = [
        {"id": 3, "assets": {}},
        PAGE["data"][1],
        {
            "id": "d",
            "derivativeProductType": "x",
            "assets": [{"type": "", "href": 7}, "https://cdn.example/?Signature=planted"],
        },
        "https://cdn.example/?Signature=planted",
    ]
    read = parse_derivatives(listing, "t", first=10)

    assert {fault.path: fault.problem for fault in read.unreadable} == {
        "data[10].id": "is not a string",
        "data[10].derivativeProductType": "is missing",
        "data[10].assets": "is not a list",
        "data[12].assets[0].type": "is empty, or no valid Unicode",
        "data[12].assets[0].href": "is not a string",
        "data[12].assets[1]": "is not an object",
        "data[13]": "is not an object",
    }
    assert "planted" not in f"{read.unreadable}"
    assert spell(read.unreadable).endswith("; and 2 more")
    assert [found.id for found in read.derivatives] == [PAGE["data"][1]["id"]]
    assert read.items == 4


def test_half_a_surrogate_pair_is_no_id() -> None:
    """JSON can spell it, but it could neither be sent nor be a file's name."""
    raw = json.loads('[{"id": "\\ud800", "derivativeProductType": "DC_VESSELS"}]')

    (fault,) = parse_derivatives(raw, "t").unreadable

    assert (fault.field, fault.derivative_id) == ("id", None)
