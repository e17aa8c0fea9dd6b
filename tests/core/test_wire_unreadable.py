"""What of a listing that cannot be read whole is handed out, and is all the rest named?"""

from __future__ import annotations

from itertools import chain
from typing import Any

import pytest
from answers import NOW, response
from hypothesis import example, given
from hypothesis import strategies as st
from test_wire_quick import NEARLY
from wire_values import JSON

from iceye_derivatives._core.ceilings import OverLimit
from iceye_derivatives._core.limits import Limits
from iceye_derivatives._core.responses import SnapshotPage, join_pages, read_snapshot
from iceye_derivatives._core.wire import parse_derivatives
from iceye_derivatives.errors import LimitExceededError, UnexpectedResponseError
from iceye_derivatives.models import Availability, Derivative, Snapshot

LINK = "https://cdn.example/a.geojson?Expires=2000000000&Signature=planted"
GOOD = {
    "id": "good",
    "derivativeProductType": "DC_VESSELS",
    "assets": [{"type": "geojson", "href": LINK}],
}
BAD = {"id": "bad", "derivativeProductType": "DC_AIRCRAFT", "assets": [{"type": "geojson"}]}


@given(st.lists(NEARLY | JSON, max_size=5))
def test_no_item_holds_another_back(listing: list[Any]) -> None:
    """The law: a listing is read as its items are, each by itself."""
    try:
        alone = [parse_derivatives([item], "t", first=n) for n, item in enumerate(listing)]
    except OverLimit:
        # What is above a ceiling is no fault of an item, and refuses the whole answer.
        with pytest.raises(OverLimit):
            parse_derivatives(listing, "t")
        return
    whole = parse_derivatives(listing, "t")

    assert whole.derivatives == tuple(chain.from_iterable(one.derivatives for one in alone))
    assert whole.unreadable == tuple(chain.from_iterable(one.unreadable for one in alone))
    assert whole.items == len(listing)


@given(st.lists(NEARLY | JSON, max_size=5))
def test_what_is_not_handed_out_is_named(listing: list[Any]) -> None:
    """The law: of each item all comes, or what does not come is named by its place."""
    try:
        read = [parse_derivatives([item], "t") for item in listing]
    except OverLimit:
        return
    for item, found in zip(listing, read, strict=True):
        listed = len(item["assets"] or ()) if _lists_assets(item) else 0
        came = [len(one.assets) for one in found.derivatives]
        whole = came == [listed]
        assert whole == (not found.unreadable)
        assert whole or not came or 0 < came[0] < listed


def _lists_assets(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("assets"), list)


KINDS = st.sampled_from(["geojson", "png"])
BROKEN = st.sampled_from([{"href": 5}, {"href": ""}, {"href": None}, {"href": [LINK]}])


@given(st.lists(st.tuples(KINDS, st.none() | BROKEN), min_size=1, max_size=6))
def test_what_is_left_is_called_as_if_all_were_there(
    drawn: list[tuple[str, dict[str, Any] | None]],
) -> None:
    """The law: an ordinal, and so a file's name, does not hang on what else can be read."""
    whole = [{"type": kind, "href": f"{LINK}{n}"} for n, (kind, _) in enumerate(drawn)]
    poor = [asset | (fault or {}) for asset, (_, fault) in zip(whole, drawn, strict=True)]
    (full,) = parse_derivatives([GOOD | {"assets": whole}], "t").derivatives
    called = {asset.url: ref for asset, ref in zip(full.assets, full.asset_refs(), strict=True)}

    for left in parse_derivatives([GOOD | {"assets": poor}], "t").derivatives:
        assert [called[asset.url] for asset in left.assets] == list(left.asset_refs())
        assert len(left.assets) == sum(fault is None for _, fault in drawn)


def test_an_asset_whose_type_cannot_be_read_may_be_of_any() -> None:
    """Rather twice on the disk, once it can be read, than taken for one that is at home."""
    second = {"type": "geojson", "href": LINK}
    (left,) = parse_derivatives([GOOD | {"assets": [{"href": LINK}, second]}], "t").derivatives

    assert [ref.ordinal for ref in left.asset_refs()] == [2]


PLANTED = st.sampled_from(
    [LINK, f"?{LINK}", "Signature=planted", [LINK], {"href": LINK}, {LINK: 1}]
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "id": PLANTED,
            "derivativeProductType": PLANTED,
            "assets": PLANTED
            | st.lists(st.fixed_dictionaries({}, optional={"type": PLANTED}), min_size=1),
        },
    )
)
def test_what_is_named_shows_no_link(item: dict[str, Any]) -> None:
    """Where one field is wrong another may hold what belongs elsewhere: a link for an id."""
    read = parse_derivatives([GOOD, item], "t")

    assert "planted" not in f"{read.unreadable} {[str(fault) for fault in read.unreadable]}"


def test_a_name_that_acts_unseen_is_spelt_out() -> None:
    (fault,) = parse_derivatives([BAD | {"id": "a\u202eb\x1b[2J"}], "t").unreadable

    assert f"{fault}".isprintable()
    assert f"{fault}".startswith("data[0].assets[0].href (DC_AIRCRAFT a")


@pytest.mark.parametrize("status", [200, 206])
def test_a_look_with_something_unreadable_is_never_complete(status: int) -> None:
    look = join_pages([page(status, [GOOD, BAD])])

    assert look.availability is Availability.PARTIAL
    assert look.claims_all == (status == 200)
    assert [one.id for one in look.derivatives] == ["good"]
    assert [str(fault) for fault in look.unreadable] == [
        "data[1].assets[0].href (DC_AIRCRAFT bad) is missing"
    ]


@given(
    st.lists(st.lists(st.sampled_from([GOOD, BAD, 5]), max_size=3), min_size=1, max_size=4),
    st.lists(st.sampled_from([200, 206]), min_size=4, max_size=4),
)
@example([[GOOD], [BAD]], [200] * 4)
@example([[BAD], [5]], [200] * 4)
def test_pages_are_read_as_one_listing(pages: list[list[Any]], statuses: list[int]) -> None:
    """The law: places count over all pages, and a page of which nothing can be read is no end."""
    read, first = list[SnapshotPage](), 0
    for status, data in zip(statuses, pages, strict=False):
        read.append(page(status, data, first))
        first += read[-1].items
    whole = page(max(one.status for one in read), list(chain.from_iterable(pages)))

    assert outcome(*read) == outcome(whole)


def outcome(*pages: SnapshotPage) -> Snapshot | str:
    try:
        return join_pages(pages)
    except UnexpectedResponseError as error:
        return f"{error}".partition("with")[2][4:]


def page(status: int, data: list[Any], first: int = 0) -> SnapshotPage:
    return read_snapshot("t", response(status, {"data": data}), NOW, first=first)


@pytest.mark.parametrize("listing", [[BAD], [BAD, 5], [{}], [None]])
def test_a_listing_of_which_nothing_can_be_read_is_a_failed_look(listing: list[Any]) -> None:
    with pytest.raises(UnexpectedResponseError, match=r"cannot be read \(data\[0\]") as caught:
        join_pages([page(206, listing)])

    assert caught.value.retryable
    assert "planted" not in f"{caught.value}"


def test_one_that_is_in_the_making_can_be_read() -> None:
    look = join_pages([page(206, [GOOD | {"assets": []}, BAD])])

    assert [(one.id, one.assets) for one in look.derivatives] == [("good", ())]
    assert len(look.unreadable) == 1


def test_what_is_above_a_ceiling_refuses_the_answer_as_before() -> None:
    """A ceiling is ours to raise, so the error that names it comes at once."""
    limits = Limits(id_length=5)
    answer = response(200, {"data": [GOOD, BAD | {"id": "x" * 6}]})

    with pytest.raises(LimitExceededError, match="id_length"):
        read_snapshot("t", answer, NOW, limits=limits)


def test_ordinals_are_as_counted_where_all_can_be_read() -> None:
    (one,) = parse_derivatives([GOOD], "t").derivatives

    assert isinstance(one, Derivative)
    assert one.assets[0].ordinal is None
