"""Is each file that is put on a shelf found there as it was?"""

from __future__ import annotations

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives._core.journal import WholeFile, name_of
from iceye_derivatives._core.shelf import Shelf, key_of
from iceye_derivatives.models import AssetRef

texts = st.text(max_size=20)
ASSET = AssetRef(task_id="t", derivative_id="d", product_type="P", asset_type="json")
files = st.builds(
    WholeFile,
    asset=st.builds(
        AssetRef,
        task_id=st.just("t"),
        derivative_id=texts,
        product_type=texts,
        asset_type=texts,
        ordinal=st.integers(1, 3),
    ),
    size=st.integers(0, (1 << 63) - 1),
    sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
    stamp=st.none() | texts,
    etag=st.none() | texts,
    begun=st.floats(allow_nan=False),
    finished=st.floats(allow_nan=False),
)


@given(st.lists(files, max_size=30), files)
def test_what_is_put_there_is_found_as_it_was_and_nothing_else(
    given_: list[WholeFile], other: WholeFile
) -> None:
    known = {name_of(file.asset): file for file in given_}
    shelf = Shelf(known)
    for file in (*known.values(), other):
        name = name_of(file.asset)
        assert shelf.get(key_of(name), file.asset) == known.get(name)


def test_a_hash_of_another_shape_is_not_taken_for_one() -> None:
    """A sink of somebody else's may write it in capitals."""
    file = WholeFile(
        asset=ASSET, size=1, sha256="AB" * 32, stamp=None, etag=None, begun=0.0, finished=0.0
    )
    name = name_of(ASSET)
    for sha256 in ("AB" * 32, "a", "", "ab" * 33):
        assert Shelf({name: evolve(file, sha256=sha256)}).get(key_of(name), ASSET) is None
    assert Shelf({name: evolve(file, sha256="ab" * 32)}).get(key_of(name), ASSET) is not None
