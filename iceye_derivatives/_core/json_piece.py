"""Is a piece of a JSON document good JSON where it stands, without the rest of the document?

A document that is cut behind commas falls into pieces that are whole but for the brackets around
them: what was opened before is opened again in front, and what is still open is closed behind.  So
each becomes a document of its own, and a parser that knows all of JSON reads every byte, however
long the file is.  A parser in Python that goes on from piece to piece takes ten times as long.

What is opened again in front are features where it was features before: whoever reads a collection
quickly then sees, too, that each of them is an object.
"""

from __future__ import annotations

from json import JSONDecodeError
from typing import Final, NamedTuple

from iceye_derivatives._core.geojson_rules import NotGeoJson, odd_entries
from iceye_derivatives._core.quick_geojson import surely_a_collection
from iceye_derivatives._core.strict_json import parsed

__all__ = ["Edge", "check_piece", "last_comma"]

# What stands in for what was cut off before a comma and behind one: without it ``[1,`` and ``]``
# would be good where ``[1,]`` is not.
_BEFORE: Final = {ord("["): b"[0,", ord("{"): b'{"":0,'}
_BEHIND: Final = {ord("["): b"0", ord("{"): b'"":0'}
_OUTER: Final = {ord("["): b"[", ord("{"): b'{"":'}
_CLOSERS: Final = bytes.maketrans(b"[{", b"]}")
_AN_ENTRY: Final = b"{}"
# Of these, whoever reads a collection quickly knows the first alone.
_ENTRIES: Final = {
    "features": b'{"type":"FeatureCollection","features":[',
    "geometries": b'{"type":"GeometryCollection","geometries":[',
}
_ELSEWHERE: Final = b'{"type":"FeatureCollection","features":[],'


class Edge(NamedTuple):
    """Where a piece begins or ends."""

    opened: bytes
    """The brackets that are open there, outermost first."""
    entries_of: str
    """Of which member of the outermost object the entries are, where the second of them is an
    array of objects: ``features`` or ``geometries``, else nothing."""


def last_comma(plain: bytes) -> int:
    """Where the last whole value or member of a text ends: behind a comma, 0 where it has none.

    Args:
        plain: Begins outside of a string, and has no escaped quotes.
    """
    parts = plain.split(b'"')
    end = len(plain)
    for number in reversed(range(len(parts))):
        start = end - len(parts[number])
        outside = number % 2 == 0
        if outside and (comma := parts[number].rfind(b",")) >= 0:
            return start + comma + 1
        end = start - 1
    return 0


def check_piece(before: Edge, piece: bytes, behind: Edge, *, begins: int, quick: bool) -> set[str]:
    """Raise `NotGeoJson` unless a document may hold this piece.

    Args:
        before: Where it begins: at the very start, or behind a comma.
        piece: Up to a comma, or to the document's end.
        behind: Where it ends.
        begins: At which byte of the document; for people.
        quick: Whether the outermost object has no ``geometries`` so far.

    Returns:
        Those of ``features`` and ``geometries`` that hold something which is no object.
    """
    head = _head(before)
    document = head + piece + _tail(behind)
    if quick and surely_a_collection(document):
        return set()
    try:
        found = parsed(document)
    except JSONDecodeError as error:
        at = begins + len(document.decode()[: error.pos].encode()) - len(head)
        raise NotGeoJson(f"it is not JSON ({error.msg} at byte {at})") from None
    return odd_entries(found)


def _head(edge: Edge) -> bytes:
    if not edge.opened:
        return b""
    if edge.entries_of:
        return _ENTRIES[edge.entries_of] + (_again(edge.opened[2:]) or _AN_ENTRY + b",")
    inner = _again(edge.opened[1:])
    return _ELSEWHERE + (b'"":' + inner if inner else b"")


def _again(opened: bytes) -> bytes:
    return b"".join(_OUTER[one] for one in opened[:-1]) + b"".join(
        _BEFORE[one] for one in opened[-1:]
    )


def _tail(edge: Edge) -> bytes:
    if edge.entries_of and len(edge.opened) == len("{["):
        end = _AN_ENTRY
    else:
        end = b"".join(_BEHIND[one] for one in edge.opened[-1:])
    return end + edge.opened[::-1].translate(_CLOSERS)
