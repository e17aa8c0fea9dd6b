"""Does the quick way through a listing say what the careful way says, of any JSON?"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from wire_values import JSON, TEXTS

from iceye_derivatives._core import wire_derivatives
from iceye_derivatives._core.ceilings import OverLimit
from iceye_derivatives._core.limits import DEFAULT_LIMITS
from iceye_derivatives._core.wire import parse_derivatives
from iceye_derivatives._core.wire_derivatives import _read, _read_usual
from iceye_derivatives._core.wire_faults import faults_of
from iceye_derivatives.models import Asset, Derivative

GOOD_ITEM: dict[str, Any] = {
    "id": "d",
    "derivativeProductType": "DC_VESSELS",
    "assets": [{"type": "geojson", "href": "https://cdn.example/a"}],
}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"id": 5}, "id"),
        ({"derivativeProductType": 5}, "derivativeProductType"),
        ({"derivativeProductType": ""}, "derivativeProductType"),
        ({"assets": 5}, "assets"),
        ({"assets": [5]}, "assets[0]"),
        ({"assets": [{"type": 5, "href": "x"}]}, "assets[0].type"),
        ({"assets": [{"type": "geojson", "href": 5}]}, "assets[0].href"),
        ({"assets": [{"type": "geojson"}]}, "assets[0].href"),
    ],
)
def test_one_fault_is_enough(changes: dict[str, Any], path: str) -> None:
    """The quick way lets none of them through by itself, and the good one beside it comes."""
    read = parse_derivatives([GOOD_ITEM, GOOD_ITEM | changes], "t")

    assert [fault.path for fault in read.unreadable] == [f"data[1].{path}"]
    assert read.derivatives == parse_derivatives([GOOD_ITEM], "t").derivatives


ITEMS = st.fixed_dictionaries(
    {},
    optional={
        "id": JSON | TEXTS,
        "derivativeProductType": JSON | TEXTS,
        "imageReference": JSON,
        "imageId": JSON,
        "assets": JSON
        | st.lists(
            st.fixed_dictionaries({}, optional={"type": JSON | TEXTS, "href": JSON | TEXTS}),
            max_size=3,
        ),
        "other": JSON,
    },
)


@given(st.lists(ITEMS | JSON, max_size=4))
def test_an_item_is_read_or_its_faults_are_named(listing: list[Any]) -> None:
    """The law: the quick way and the explaining way agree on every item."""
    good = [item for item in listing if not faults_of(item, 0, DEFAULT_LIMITS)]
    read = parse_derivatives(good, "t")

    assert [found.id for found in read.derivatives] == [item["id"] for item in good]
    assert not read.unreadable
    assert bool(parse_derivatives(listing, "t").unreadable) == (len(good) < len(listing))


ASSET = {"type": "geojson", "href": "https://cdn.example/a?Expires=2000000000&Signature=s"}
PAGES_OWN = {
    "id": "3fa85f64",
    "imageReference": "c2ac555e",
    "derivativeProductType": "DC_VESSELS",
    "assets": [ASSET],
}


def mostly(usual: str, *others: str) -> st.SearchStrategy[str]:
    """The usual one in each second draw."""
    return st.just(usual) | st.sampled_from(others)


def changed(whole: dict[str, Any], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """With one field changed mostly: of several changes, any that is seen hides the others."""
    alone = [st.fixed_dictionaries({name: values}) for name, values in fields.items()]
    some = st.one_of(*alone) | st.fixed_dictionaries({}, optional=fields)
    return st.just(whole) | some.map(lambda changes: whole | changes)


HREFS = st.builds(
    "{}{}{}{}".format,
    mostly("https://cdn.example/a", "https://cdn.example/é", "a#b", "", "\ud800"),
    mostly("?Expires=", "", "?expires=", "#?Expires=", "?a=b&Expires=", "?Expires=?Expires="),
    mostly("2000000000", "200000000", "20000000000", "٢000000000", "x", "2e9", "-100000000"),
    mostly("&Signature=s", "", "&", "#x", "&Signature=#"),
) | st.just("x" * (DEFAULT_LIMITS.link_length + 1))
KINDS = TEXTS | JSON | st.just("\ud800")
TOO_DEEP = reduce(lambda inner, _: [inner], range(DEFAULT_LIMITS.json_depth), list[Any]())
UNKNOWN = JSON | st.just(TOO_DEEP)
ASSETS = changed(ASSET, type=KINDS, href=HREFS | JSON, size=UNKNOWN)
ITEMS_NEARLY = changed(
    PAGES_OWN,
    id=TEXTS | JSON | st.just("x" * 2000),
    imageReference=TEXTS | st.none() | JSON,
    imageId=TEXTS | st.none() | JSON,
    derivativeProductType=KINDS,
    assets=JSON | st.lists(ASSETS, max_size=3),
    other=UNKNOWN,
)
NEARLY = (
    ITEMS_NEARLY
    | HREFS.map(lambda href: PAGES_OWN | {"assets": [ASSET | {"href": href}]})
    | st.builds(
        lambda item, gone: {name: value for name, value in item.items() if name != gone},
        ITEMS_NEARLY,
        st.sampled_from([*PAGES_OWN]),
    )
)


@given(st.lists(NEARLY, max_size=6))
@example([PAGES_OWN | {"assets": [ASSET | {"size": TOO_DEEP}]}])
@example([PAGES_OWN, {**PAGES_OWN, "imageId": "x"}, {**PAGES_OWN, "imageId": None}])
@example([{**PAGES_OWN, "assets": [{"type": "geojson", "href": "https://cdn.example/no-query"}]}])
def test_the_usual_way_says_what_the_careful_way_says(listing: list[Any]) -> None:
    """Differential: item by item the same value with the same expiry, or the same refusal."""

    def outcome(read: Callable[[], list[Any]]) -> Any:
        try:
            return [
                made and (made, [a.url.expires for a in made.assets], dict(made.extra))
                for made in read()
            ]
        except OverLimit as found:
            return str(found)

    usual = outcome(lambda: _read_usual(listing, "t", DEFAULT_LIMITS))

    assert usual == outcome(lambda: [_read(item, "t", DEFAULT_LIMITS) for item in listing])


def test_the_pages_own_shape_goes_the_usual_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the law above would compare the careful way with itself."""
    monkeypatch.setattr(wire_derivatives, "_read", lambda *_: pytest.fail("went the careful way"))

    assert parse_derivatives([PAGES_OWN, {**PAGES_OWN, "imageId": "i"}], "t").items == 2


def test_a_derivative_is_made_as_its_class_makes_it() -> None:
    """The quick way sets each slot by hand: none may be forgotten, or be another's."""
    item = GOOD_ITEM | {"imageId": "i", "imageReference": "r"}
    (made,) = parse_derivatives([item], "t").derivatives
    assets = tuple(Asset(type=asset.type, url=asset.url) for asset in made.assets)
    assert made == Derivative(
        id=item["id"],
        task_id="t",
        product_type=item["derivativeProductType"],
        assets=assets,
        image_reference="r",
        image_id="i",
    )
    assert assets
    assert hash(made.assets[0].url) == hash(assets[0].url)
    values: tuple[Derivative | Asset, ...] = (made, *made.assets)
    for value in values:
        assert all(hasattr(value, attribute.name) for attribute in attrs.fields(type(value)))
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            value.id = "other"  # type: ignore[misc, union-attr]
