"""Which link of an asset may be used now?"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives._core.download_settings import DownloadSettings
from iceye_derivatives._core.lease import LeaseBook
from iceye_derivatives.models import Asset, AssetRef, Availability, Derivative, SignedUrl, Snapshot

NOW = 1_700_000_000.0
REF = AssetRef(task_id="t", derivative_id="d", product_type="DC_VESSELS", asset_type="geojson")


def derivative(expires: float | None, name: str = "old") -> Derivative:
    url = SignedUrl(f"https://cdn.example/{name}", expires=expires)
    return Derivative(
        id="d", task_id="t", product_type="DC_VESSELS", assets=(Asset(type="geojson", url=url),)
    )


def snapshot(*derivatives: Derivative, server_time: float | None = None) -> Snapshot:
    return Snapshot(
        task_id="t",
        availability=Availability.COMPLETE,
        derivatives=derivatives,
        server_time=server_time,
    )


def book(*handed_in: Derivative) -> LeaseBook:
    found = LeaseBook("t", DownloadSettings(margin=60.0, fresh=30.0))
    for each in handed_in:
        for ref, asset in zip(each.asset_refs(), each.assets, strict=True):
            found.note(ref, asset.url)
    return found


@given(st.floats(-5000, 5000), st.floats(-4000, 4000))
def test_a_link_must_live_for_the_margin_by_the_api_s_clock(life: float, skew: float) -> None:
    """ "Clock skew is learned from the API's `Date`".

    Trap (earthaccess, ages): `.seconds` wraps each day, so day-old credentials look ten minutes
    old.
    """
    leases = book(derivative(NOW + 1e6))
    leases.learn(snapshot(derivative(NOW + life), server_time=NOW + skew), NOW)
    later = NOW + 31  # no longer fresh: only its life counts
    assert (leases.usable(REF, later) is not None) == (NOW + life - (later + skew) >= 60)


def test_a_link_that_does_not_tell_its_expiry_is_used_until_it_is_refused() -> None:
    assert book(derivative(None)).usable(REF, NOW) is not None


@given(st.floats(-1e6, 60), st.floats(0, 30))
def test_a_link_that_was_just_listed_is_used_however_short_its_life(
    life: float, age: float
) -> None:
    """Else each asset of a task with short-lived links would list the task for itself."""
    leases = book(derivative(NOW))
    leases.learn(snapshot(derivative(NOW + life)), NOW)
    lease = leases.usable(REF, NOW + age)
    assert lease is not None
    assert leases.facts(lease, NOW + age).fresh


def test_a_link_that_was_handed_in_is_of_unknown_age() -> None:
    leases = book(derivative(NOW + 3600))
    lease = leases.usable(REF, NOW)
    assert lease is not None
    assert not leases.facts(lease, NOW).fresh


def test_a_clock_that_was_set_back_does_not_keep_a_link_fresh() -> None:
    leases = book(derivative(NOW + 3600))
    leases.learn(snapshot(derivative(NOW + 3600)), NOW)
    lease = leases.get(REF)
    assert lease is not None
    assert not leases.facts(lease, NOW - 7200).fresh


def test_of_two_links_handed_in_the_longer_lived_is_kept() -> None:
    for order in ((NOW + 10, NOW + 20), (NOW + 20, NOW + 10)):
        lease = book(*map(derivative, order)).get(REF)
        assert lease is not None
        assert lease.url.expires == NOW + 20


def test_a_listing_replaces_what_was_handed_in_but_only_for_assets_that_are_wanted() -> None:
    leases = book(derivative(NOW + 9e9))
    stranger = Derivative(id="e", task_id="t", product_type="X", assets=derivative(1.0).assets)
    leases.learn(snapshot(derivative(NOW + 10, "new"), stranger), NOW)
    lease = leases.get(REF)
    assert lease is not None
    assert lease.url.reveal() == "https://cdn.example/new"
    assert len(leases) == 1
    leases.forget(REF)
    assert not leases
    assert leases.usable(REF, NOW) is None


def test_an_asset_that_a_listing_leaves_out_keeps_its_link() -> None:
    """206 → 404 flaps happen; the link is good until it dies."""
    leases = book(derivative(NOW + 3600))
    before = leases.get(REF)
    leases.learn(snapshot(), NOW)
    assert leases.get(REF) is before


def several(addresses: Sequence[str], signature: str = "old") -> Derivative:
    """Assets of one type at these addresses."""
    return Derivative(
        id="d",
        task_id="t",
        product_type="DC_VESSELS",
        assets=tuple(
            Asset(
                type="geojson", url=SignedUrl(f"https://cdn.example/{name}?Signature={signature}")
            )
            for name in addresses
        ),
    )


def links(leases: LeaseBook, derivative: Derivative) -> list[str]:
    found = [leases.get(ref) for ref in derivative.asset_refs()]
    return [lease.url.reveal().removeprefix("https://cdn.example/") for lease in found if lease]


@given(st.lists(st.sampled_from("abcdefg"), min_size=2, unique=True), st.data())
def test_whatever_order_a_renewal_lists_them_in_each_asset_keeps_its_own_address(
    addresses: list[str], data: st.DataObject
) -> None:
    """Else one file is stored twice, the other never, and nobody notices.

    Also among assets that are new, without those that a listing leaves out, and where others are
    at home already.
    """
    derivative = several(addresses)
    leases = book(derivative)
    home = data.draw(st.sets(st.sampled_from(derivative.asset_refs())))
    for ref in home:
        leases.forget(ref)
    wanted = [n for n, ref in enumerate(derivative.asset_refs()) if ref not in home]
    listed = data.draw(st.permutations([*addresses, "new"]))
    left_out = data.draw(st.sets(st.sampled_from(listed)))
    kept = [name for name in listed if name not in left_out]

    leases.learn(snapshot(several(kept, "renewed")), NOW)

    # Only who was left out may have got what is new, and only one of them.
    found = dict(zip((addresses[n] for n in wanted), links(leases, derivative), strict=True))
    renewals = {name for name in found if found[name] == f"{name}?Signature=renewed"}
    assert renewals == found.keys() & set(kept)
    others = [found[name] for name in found.keys() - renewals]
    assert set(others) <= {f"{name}?Signature=old" for name in found} | {"new?Signature=renewed"}
    assert len(set(others)) == len(others)


def test_who_is_left_out_does_not_get_the_link_of_one_that_is_at_home() -> None:
    """It is still known where that one is, so its place is not taken for a free one."""
    derivative = several("ab")
    leases = book(derivative)
    leases.forget(derivative.asset_refs()[1])

    leases.learn(snapshot(several("b", "renewed")), NOW)

    assert links(leases, derivative) == ["a?Signature=old"]


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ("xyz", "xyz"),  # all are elsewhere now: by place
        ("cax", "axc"),  # b took the place that c left
        ("bca", "abc"),
        ("xb", "xb"),
        ("ab", "ab"),
        ("ba", "ab"),
        ("aab", "ab"),  # rather no link at all than the same file twice
        ("b", "b"),
    ],
)
def test_what_is_at_another_address_is_known_by_its_place(listed: str, expected: str) -> None:
    derivative = several("abc")
    leases = book(derivative)

    leases.learn(snapshot(several(listed, "renewed")), NOW)

    found = [link for link in links(leases, derivative) if "renewed" in link]
    assert "".join(link[0] for link in found) == expected


@given(st.integers(2, 5), st.data())
def test_an_asset_that_cannot_be_read_leaves_its_link_to_no_other(
    number: int, data: st.DataObject
) -> None:
    """Also where all have moved to another host meanwhile, so that their order is all there is."""
    derivative = several("abcde"[:number])
    leases = book(derivative)
    moved = several("ABCDE"[:number], "renewed")
    kept = data.draw(st.sets(st.integers(1, number)))
    left = [
        evolve(asset, ordinal=ordinal)
        for ordinal, asset in enumerate(moved.assets, start=1)
        if ordinal in kept
    ]

    leases.learn(snapshot(evolve(moved, assets=tuple(left))), NOW)

    assert links(leases, derivative) == [
        f"{name.upper()}?Signature=renewed" if n in kept else f"{name}?Signature=old"
        for n, name in enumerate("abcde"[:number], start=1)
    ]


def test_one_that_cannot_be_read_is_not_mistaken_for_a_new_one_behind_it() -> None:
    derivative = several("a")
    leases = book(derivative)
    (new,) = several("b", "renewed").assets

    leases.learn(snapshot(evolve(derivative, assets=(evolve(new, ordinal=2),))), NOW)

    assert links(leases, derivative) == ["a?Signature=old"]


def test_a_second_asset_of_a_type_does_not_take_the_place_of_the_first() -> None:
    """The watch has not been told of it yet, so nobody here knows that there are two."""
    derivative = several("a")
    leases = book(derivative)

    leases.learn(snapshot(several("xa", "renewed")), NOW)

    assert links(leases, derivative) == ["a?Signature=renewed"]
