"""What is a file called, and which asset goes first?"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from iceye_derivatives._core.plan import file_name, read_file_name, soonest_first
from iceye_derivatives.models import Asset, AssetRef, Derivative, SignedUrl

DEVICES = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"com{n}" for n in range(10)),
    *(f"lpt{n}" for n in range(10)),
}

# Free text alone would hardly ever hit a collision: draw from a small, nasty vocabulary as well.
NASTY_PIECES = [
    *("a", "A", "b", "_", ".", "-", "~", "/", "\\", "..", "con", "NUL", ":", "1", "\x00", "\u202e"),
    *("é", "e\u0301", "ß", "ss", "K", "\u212a", "\ud800", "geojson", "GEOJSON", "part", "tmp"),
    *("DC_VESSELS", " ", "\n", "x" * 70),
]
NASTY = st.lists(st.sampled_from(NASTY_PIECES), max_size=4).map("".join)
IDS = NASTY | st.text(st.characters(), max_size=80)
FIELDS = ["task_id", "derivative_id", "product_type", "asset_type"]
REFS = st.builds(
    AssetRef,
    task_id=IDS,
    derivative_id=IDS,
    product_type=IDS,
    asset_type=IDS,
    ordinal=st.integers(1, 10**6),
)


def ref(**changes: Any) -> AssetRef:
    plain = AssetRef(
        task_id="7fb95g75-6828-5673-c4gd-3d074g77bgb7",
        derivative_id="0d2a",
        product_type="DC_VESSELS",
        asset_type="geojson",
    )
    return attrs.evolve(plain, **changes)


@given(REFS)
def test_a_name_never_leaves_its_folder_and_suits_every_file_system(asset: AssetRef) -> None:
    """Promise 7: "Names come from us, not from the server"."""
    parts = file_name(asset).split("/")
    assert len(parts) == 2
    for part in parts:
        assert part.isascii()
        assert part.isprintable()
        assert not set(part) & set('\\/:*?"<>|')
        assert ".." not in part
        assert part[0] not in " .~-"
        assert part[-1] not in " ."
        assert part.partition(".")[0].lower() not in DEVICES
        assert 0 < len(part) <= 200


def folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name.casefold())


@given(REFS, REFS)
def test_different_assets_have_different_names_even_when_case_is_folded(
    a: AssetRef, b: AssetRef
) -> None:
    assert (a == b) == (folded(file_name(a)) == folded(file_name(b)))


@given(REFS)
@example(ref())
@example(ref(ordinal=2))
def test_a_name_tells_whose_file_it_is(asset: AssetRef) -> None:
    """What was plain is had back; what was not is stood for by its part of the name."""
    folder, _, name = file_name(asset).partition("/")
    found = read_file_name(folder, name)
    assert found is not None
    assert found.ordinal == asset.ordinal
    for field in FIELDS:
        told, meant = getattr(found, field), getattr(asset, field)
        assert told == meant or "~" in told
        assert told in file_name(asset)


@pytest.mark.parametrize("name", ["mine.geojson", "DC_VESSELS_a.geojson.0a-1.part", "a_b", ""])
def test_other_names_tell_nothing(name: str) -> None:
    assert read_file_name("task", name) is None


@given(REFS, IDS, st.sampled_from(FIELDS))
@example(ref(), "DC_VESSELS_0d2a", "derivative_id")
@example(ref(product_type="DC_VESSELS_0D"), "DC", "product_type")
@example(ref(derivative_id="0d2a.2"), "0d2a", "derivative_id")
def test_assets_that_differ_in_one_field_have_different_names(
    asset: AssetRef, other: str, field: str
) -> None:
    """Separator, truncation and case collisions differ in one field only."""
    changes: dict[str, Any] = {field: other}
    changed = attrs.evolve(asset, **changes)
    assert (asset == changed) == (folded(file_name(asset)) == folded(file_name(changed)))


ALIKE: dict[str, Callable[[str], str]] = {
    "upper": str.upper,
    "lower": str.lower,
    "swapped": str.swapcase,
    "capitalised": str.capitalize,
    "folded": str.casefold,
    "composed": lambda text: unicodedata.normalize("NFKC", text),
    "decomposed": lambda text: unicodedata.normalize("NFKD", text),
    "stripped": str.strip,
    "cut": lambda text: text[:64],
}


@given(REFS, st.sampled_from(sorted(ALIKE)), st.sampled_from(FIELDS))
@example(ref(task_id="abc"), "upper", "task_id")
@example(ref(task_id="abc"), "capitalised", "task_id")
@example(ref(derivative_id="abc"), "upper", "derivative_id")
@example(ref(), "lower", "product_type")
@example(ref(), "upper", "asset_type")
def test_what_a_file_system_may_take_for_the_same_has_another_name(
    asset: AssetRef, change: str, field: str
) -> None:
    """Case folding, Unicode normalisation, trimming and cutting map names onto each other."""
    changes: dict[str, Any] = {field: ALIKE[change](getattr(asset, field))}
    changed = attrs.evolve(asset, **changes)
    assert (asset == changed) == (folded(file_name(asset)) == folded(file_name(changed)))


@given(REFS)
def test_no_final_name_looks_like_an_unfinished_file(asset: AssetRef) -> None:
    assert not file_name(asset).endswith(".part")


@pytest.mark.parametrize(
    ("asset", "name"),
    [
        (ref(task_id="t-1"), "t-1/DC_VESSELS_0d2a.geojson"),
        (ref(task_id="t-1", ordinal=2), "t-1/DC_VESSELS_0d2a.2.geojson"),
        (ref(task_id="t-1", asset_type="tif"), "t-1/DC_VESSELS_0d2a.tif"),
        (ref(task_id="../etc"), "etc~"),
        (ref(task_id="con"), "con~"),
        (ref(task_id="日本"), "x~"),
    ],
)
def test_plain_ids_stand_in_the_name_and_odd_ones_stay_readable(asset: AssetRef, name: str) -> None:
    assert file_name(asset).startswith(name)


def test_names_stay_the_same_from_version_to_version() -> None:
    """A changed name would fetch every file of every user anew."""
    assert file_name(ref(task_id="T 1", asset_type="part")) == (
        "t-1~75e8b39ac17b4c56a28650d903e421a0/DC_VESSELS_0d2a.part~37a680133bd09342f934afb8dd2c7d9e"
    )


def derivative(name: str, *expiries: float | None) -> Derivative:
    assets = tuple(
        Asset(type="geojson", url=SignedUrl(f"https://cdn.example/{name}{n}", expires=expiry))
        for n, expiry in enumerate(expiries)
    )
    return Derivative(id=name, task_id="t", product_type="DC_VESSELS", assets=assets)


@given(st.lists(st.lists(st.none() | st.floats(0, 1e9), max_size=3), max_size=4))
def test_the_soonest_to_die_goes_first_and_no_asset_is_lost(
    expiries: list[list[float | None]],
) -> None:
    derivatives = [derivative(f"d{n}", *some) for n, some in enumerate(expiries)]
    planned = soonest_first(derivatives)
    deaths = [asset.url.expires for _, asset, _ in planned]
    known = [moment for moment in deaths if moment is not None]
    assert known == sorted(known)
    assert deaths == known + [None] * (len(deaths) - len(known))
    assert {r for r, _, _ in planned} == {r for d in derivatives for r in d.asset_refs()}
