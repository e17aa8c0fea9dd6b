"""How far has an unfinished file come, and does what is on disk still fit?"""

from __future__ import annotations

import json

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives._core.notes import NoteFault, Reason
from iceye_derivatives._core.part_names import (
    file_of,
    heir_name,
    is_part_of,
    owner_name,
    part_name,
    sidecar_name,
)
from iceye_derivatives._core.plan import file_name
from iceye_derivatives._core.sidecar import LARGEST, Sidecar, page_of, parse_sidecar, render_page
from iceye_derivatives.models import AssetRef
from iceye_derivatives.sharing import PartMark

texts = st.text(max_size=30)
refs = st.builds(
    AssetRef,
    task_id=texts,
    derivative_id=texts,
    product_type=texts,
    asset_type=texts,
    ordinal=st.integers(1, 9),
)


@st.composite
def sidecars(draw: st.DrawFn) -> tuple[str, Sidecar]:
    asset = draw(refs)
    file = file_name(asset).partition("/")[2]
    size = draw(st.integers(1, 1 << 40))
    mark = PartMark(
        asset=asset,
        size=size,
        total=draw(st.none() | st.integers(size, 1 << 41)),
        etag=draw(st.text(min_size=1, max_size=20)),
        sha256=draw(st.text("0123456789abcdef", min_size=64, max_size=64)),
    )
    part = part_name(file, draw(st.text("0123456789abcdef", min_size=16, max_size=16)), 7)
    return file, Sidecar(part, mark)


@given(sidecars())
def test_what_is_written_is_read_again(found: tuple[str, Sidecar]) -> None:
    file, sidecar = found
    page = render_page(sidecar)
    assert len(page) * 2 < LARGEST
    assert parse_sidecar(page * 2, file=file, asset=sidecar.mark.asset) == sidecar


@given(sidecars(), st.data())
def test_whatever_becomes_of_a_page_that_is_being_written_the_other_one_counts(
    found: tuple[str, Sidecar], data: st.DataObject
) -> None:
    """A power cut leaves any mixture of the old and the new, or rubbish."""
    file, old = found
    size = old.mark.size + data.draw(st.integers(1, 1 << 20))
    newer = evolve(old.mark, size=size, total=None, sha256="0" * 64)
    # They differ in their hash alone, so that most mixtures are good JSON.
    another = evolve(newer, sha256="1" * 64)
    before, after = (render_page(Sidecar(old.part, mark)) for mark in (another, newer))
    pieces = data.draw(st.lists(st.sampled_from([before, after, bytes(4096)]), max_size=16))
    torn = b"".join(page[at * 32 :][:32] for at, page in enumerate(pieces))
    torn += after[len(torn) :]
    kept = render_page(old)
    pages = data.draw(st.permutations([kept, torn]))
    read = parse_sidecar(b"".join(pages), file=file, asset=old.mark.asset)
    assert read.mark == {after: newer, before: another}.get(torn, old.mark)


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(sidecars(), st.data())
def test_whatever_else_is_found_is_ignored_with_a_reason(
    found: tuple[str, Sidecar], data: st.DataObject
) -> None:
    """Not one byte, field or type that is wrong gets through, and none of them crashes."""
    file, sidecar = found
    page = render_page(sidecar)
    fields = note_of(page)
    name = data.draw(st.sampled_from(sorted(fields)))
    changed = fields | {name: data.draw(junk)}
    reasons: list[Reason] = []
    for bad in (
        data.draw(st.binary(max_size=50)),
        page[: data.draw(st.integers(0, len(page) - 1))],
        page_of(json.dumps(data.draw(junk)).encode()) * 2,
        page_of(json.dumps(changed).encode()) * 2,
    ):
        try:
            parsed = parse_sidecar(bad, file=file, asset=sidecar.mark.asset)
        except NoteFault as fault:
            reasons.append(fault.reason)
        else:
            assert note_of(bad) == note_of(render_page(parsed))
    assert len(reasons) >= 2


def note_of(page: bytes) -> dict[str, object]:
    found: dict[str, object] = json.loads(page.partition(b"\n")[0])
    return found


SOME = {
    "task_id": "t",
    "derivative_id": "d",
    "product_type": "P",
    "asset_type": "geojson",
    "ordinal": 1,
}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"format": 1}, Reason.OTHER_FORMAT),
        ({"format": True}, Reason.OTHER_FORMAT),
        ({"size": 0}, Reason.WRONG_SHAPE),
        ({"size": -1}, Reason.WRONG_SHAPE),
        ({"size": 11}, Reason.WRONG_SHAPE),
        ({"size": 1e300}, Reason.WRONG_SHAPE),
        ({"sha256": "x"}, Reason.WRONG_SHAPE),
        ({"etag": None}, Reason.WRONG_SHAPE),
        ({"part": "../../etc/passwd"}, Reason.OTHER_FILE),
        ({"part": "f.geojson"}, Reason.OTHER_FILE),
        ({"part": "g.geojson.0-1.part"}, Reason.OTHER_FILE),
        ({"asset": {**SOME, "derivative_id": "other"}}, Reason.OTHER_FILE),
        ({"asset": {**SOME, "ordinal": 2}}, Reason.OTHER_FILE),
    ],
)
def test_why_a_sidecar_is_ignored(changes: dict[str, object], reason: Reason) -> None:
    asset = AssetRef(**SOME)  # type: ignore[arg-type]
    mark = PartMark(asset=asset, size=10, total=10, etag='"e"', sha256="0" * 64)
    note = note_of(render_page(Sidecar("f.geojson.0-1.part", mark)))
    page = page_of(json.dumps(note | changes).encode())
    with pytest.raises(NoteFault) as caught:
        parse_sidecar(page * 2, file="f.geojson", asset=asset)
    assert caught.value.reason is reason


@given(refs, st.text("0123456789abcdef", min_size=1, max_size=16), st.integers(0, 1 << 30))
def test_a_part_is_told_from_every_other_name(asset: AssetRef, token: str, number: int) -> None:
    file = file_name(asset).partition("/")[2]
    name = part_name(file, token, number)
    other = file_name(evolve(asset, ordinal=asset.ordinal + 1)).partition("/")[2]
    assert is_part_of(file, name)
    assert not is_part_of(other, name)
    assert not is_part_of(file, sidecar_name(file))
    assert not is_part_of(file, file)
    assert len(name) < 255


@given(refs, st.text("0123456789abcdef", min_size=17, max_size=64), st.integers(0, 1 << 30))
def test_whatever_stands_beside_a_file_is_told_to_be_its(
    asset: AssetRef, token: str, number: int
) -> None:
    file = file_name(asset).partition("/")[2]
    beside = [
        part_name(file, token[:16], number),
        sidecar_name(file),
        owner_name(file),
        heir_name(file, token),
    ]
    assert [file_of(name) for name in beside] == [file] * 4
    assert len(set(beside)) == 4
    assert file_of(file) is None
    assert all(len(name) < 255 for name in beside)
