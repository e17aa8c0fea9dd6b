"""What does `check_body` say of a file, quickly and by the parser alone, and of which files?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import strategies as st

from iceye_derivatives._core import content
from iceye_derivatives._core.content import ContentFault, check_body
from iceye_derivatives.models import AssetRef

REF = AssetRef(
    task_id="t", derivative_id="d", product_type="DC_VESSELS", asset_type="geojson", ordinal=1
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def verdict(body: bytes) -> tuple[str, bytes]:
    """The hash, or the fault in its words and the first bytes."""
    try:
        return check_body(REF, body), b""
    except ContentFault as fault:
        return str(fault), fault.first_bytes


@contextmanager
def parser_alone() -> Iterator[None]:
    """In this block nothing is believed quickly: Python's own parser builds a tree of each file."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(content, "surely_a_collection", lambda _: False)
        yield


def parsed_verdict(body: bytes) -> tuple[str, bytes]:
    """The same by the parser alone."""
    with parser_alone():
        return verdict(body)


def altered(whole: bytes) -> st.SearchStrategy[bytes]:
    """That file with a few bytes exchanged, cut out or put in."""

    def apply(changes: list[tuple[int, int, bytes]]) -> bytes:
        body = bytearray(whole)
        for place, length, other in changes:
            body[place : place + length] = other
        return bytes(body)

    change = st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 2), st.binary(max_size=2))
    return st.lists(change).map(apply)
