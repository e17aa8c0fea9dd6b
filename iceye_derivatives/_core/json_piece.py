"""Is a piece of a JSON document good JSON where it stands, without the rest of the document?

A document that is cut behind commas falls into pieces that are whole but for the brackets around
them: what was opened before is opened again in front, and what is still open is closed behind.  So
each becomes a document of its own, and a parser that knows all of JSON reads every byte, however
long the file is.  A parser in Python that goes on from piece to piece takes ten times as long.
"""

from __future__ import annotations

from json import JSONDecodeError
from typing import Final

from iceye_derivatives._core.geojson_rules import NotGeoJson
from iceye_derivatives._core.quick_geojson import surely_a_collection
from iceye_derivatives._core.strict_json import parsed

__all__ = ["check_piece", "last_comma"]

# What stands in for what was cut off before a comma and behind one: without it ``[1,`` and ``]``
# would be good where ``[1,]`` is not.
_BEFORE: Final = {ord("["): b"[0,", ord("{"): b'{"":0,'}
_BEHIND: Final = {ord("["): b"0", ord("{"): b'"":0'}
_OUTER: Final = {ord("["): b"[", ord("{"): b'{"":'}
_CLOSERS: Final = bytes.maketrans(b"[{", b"]}")
# Whoever reads a collection quickest reads what is inside of one, too.
_HEAD: Final = b'{"type":"FeatureCollection","features":[{"":'
_TAIL: Final = b"}]}"


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


def check_piece(opened: bytes, piece: bytes, left_open: bytes, *, begins: int) -> None:
    """Raise `NotGeoJson` unless a document may hold this piece.

    Args:
        opened: The brackets that are open before it, outermost first; none at the very start, and
            behind a comma else.
        piece: Up to a comma, or to the document's end.
        left_open: The brackets that are open behind it.
        begins: At which byte of the document; for people.
    """
    head = _HEAD + b"".join(_OUTER[one] for one in opened[:-1])
    head += b"".join(_BEFORE[one] for one in opened[-1:])
    tail = b"".join(_BEHIND[one] for one in left_open[-1:])
    document = head + piece + tail + left_open[::-1].translate(_CLOSERS) + _TAIL
    if surely_a_collection(document):
        return
    try:
        parsed(document)
    except JSONDecodeError as error:
        at = begins + len(document.decode()[: error.pos].encode()) - len(head)
        raise NotGeoJson(f"it is not JSON ({error.msg} at byte {at})") from None
