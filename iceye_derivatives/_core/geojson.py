"""Is a body that is too long for memory a GeoJSON object, seen piece by piece?

The trick is to let C do the counting.  Of each piece, strings are cut out by splitting at the
quotes, what is left is checked to be of JSON's alphabet, then reduced to its brackets, and pairs
``[]`` and ``{}`` are deleted until none is left.  What remains, some closers and then some openers,
is all that the stack of open brackets has to know.  Only a piece that touches the document's top
level (mostly the first and the last) is read token by token.

Pieces are cut behind commas.  With the brackets that are open before and behind it, each of them is
a document that a parser can read (`_core.json_piece`), so that nothing which is no JSON gets by.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from typing import Final

from iceye_derivatives._core.geojson_rules import (
    ARRAY,
    NULL,
    OBJECT,
    OF_OBJECTS,
    OTHER,
    NotGeoJson,
    check_kinds,
)
from iceye_derivatives._core.json_piece import Edge, check_piece, last_comma

__all__ = ["GeoJsonScanner"]

DEEPEST: Final = 256
"""Open brackets at a time: GeoJSON's own nesting is eight, the rest is for foreign members."""
LONGEST: Final = 1024 * 1024
"""Bytes that are remembered while waiting for a comma, or for the end of a string."""

# What touches the top level is read token by token: the smaller the pieces, the less that is.
_PIECE: Final = 64 * 1024
_OPENERS = {ord("]"): ord("["), ord("}"): ord("{")}
# All that JSON has outside of strings; the letters are those of true, false and null, so that
# NaN and Infinity are found out as well.
_ALPHABET = b"0123456789+-.eE,:[]{}truefalsn \t\r\n"
_SPACE = b" \t\r\n"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_TOKEN = re.compile(rb'"[^"]*"|[\[\]{},:]|[^\s\[\]{},:"]+')


class GeoJsonScanner:
    """Checks what RFC 8259 and 7946 demand, in bounded memory.

    It sees: bytes that are not UTF-8; whatever is no JSON; a body that ends early or goes on after
    its end; a top level that is no object, or whose `type` and its member are not those of a
    GeoJSON object; and, when the body has ended, an entry of ``features`` or ``geometries`` that is
    none.

    It does not recognise names of the top level that are spelled with escapes.  Where a mebibyte
    has no comma, it sees there no more than UTF-8, the alphabet outside of strings, and brackets
    that do not match.
    """

    def __init__(self) -> None:
        self._decoder = getincrementaldecoder("utf-8-sig")()
        self._carry = b""
        self._behind_comma = True
        """Whether what is carried begins behind one, or at the document's start."""
        self._begins = 0
        """At which byte it does."""
        self._stack = bytearray()
        self._started = self._ended = False
        self._top = _TopLevel()

    def feed(self, chunk: bytes) -> None:
        """Look at the next piece; raises `NotGeoJson`."""
        for start in range(0, len(chunk), _PIECE):
            self._feed(chunk[start : start + _PIECE])

    def _feed(self, chunk: bytes) -> None:
        self._decode(chunk)
        text = self._carry + chunk
        if not self._started:
            text = self._start(text)
        plain = _plain(text)
        cut = last_comma(plain)
        if cut:
            self._take(text[:cut], plain[:cut])
        elif len(text) > LONGEST:
            cut = self._cut(plain)
            self._scan(plain[:cut])
            self._behind_comma = False
        self._begins += cut
        self._carry = self._shorten(text[cut:], plain[cut:])

    def _start(self, text: bytes) -> bytes:
        """Without a byte order mark; what is no object is told at once, before any comma."""
        if _BYTE_ORDER_MARK.startswith(text):
            return text
        bare = text.removeprefix(_BYTE_ORDER_MARK)
        first = bare.lstrip(_SPACE)[:1]
        if first not in (b"", b"{"):
            raise NotGeoJson("its JSON is not an object")
        self._started = first != b""
        self._begins += len(text) - len(bare)
        return bare

    def _take(self, text: bytes, plain: bytes, *, last: bool = False) -> None:
        """A piece that ends behind a comma, or with the document."""
        before = self._edge()
        self._scan(plain)
        if last and not self._ended:
            raise NotGeoJson("its JSON ends in the middle")
        if self._behind_comma:
            self._top.odd |= check_piece(
                before,
                text,
                self._edge(),
                begins=self._begins,
                quick="geometries" not in self._top.kinds,
            )
        self._behind_comma = True

    def _edge(self) -> Edge:
        return Edge(bytes(self._stack), self._top.entries_of if len(self._stack) > 1 else "")

    def finish(self) -> None:
        """The body has ended; raises `NotGeoJson`."""
        self._decode(b"", final=True)
        self._take(self._carry, _plain(self._carry), last=True)
        check_kinds(self._top.declared, self._top.kinds, self._top.odd)

    def _decode(self, chunk: bytes, *, final: bool = False) -> None:
        try:
            self._decoder.decode(chunk, final)
        except UnicodeDecodeError:
            raise NotGeoJson("it is not UTF-8") from None

    @staticmethod
    def _cut(plain: bytes) -> int:
        """Up to where whole tokens go: before a string that has not ended, or the last bracket."""
        if plain.count(b'"') % 2:
            return plain.rfind(b'"')
        # A word or a number may go on in the next piece, and an escape may be half of a pair.
        tail = re.search(rb"[^\s\[\]{},:\"]*\Z", plain[-64:])
        return len(plain) - (len(tail[0]) if tail else 0)

    @staticmethod
    def _shorten(carry: bytes, plain: bytes) -> bytes:
        """Forget the inside of a string too long to remember; it is then no name that counts."""
        if len(carry) <= LONGEST:
            return carry
        return b'"\x00' + (b"\\" if plain.endswith(b"\\") else b"")

    def _scan(self, text: bytes) -> None:
        outside = b"".join(text.split(b'"')[::2]) if b'"' in text else text
        if outside.translate(None, _ALPHABET):
            raise NotGeoJson("it holds something between its values that is not JSON")
        brackets = _collapse(outside.translate(None, _NOT_BRACKETS))
        closers = sum(map(brackets.count, (b"]", b"}")))
        if len(self._stack) - closers > 1:
            self._match(brackets)
        else:
            self._read(text)

    def _match(self, brackets: bytes) -> None:
        for bracket in brackets:
            opener = _OPENERS.get(bracket)
            if opener is None:
                self._push(bracket)
            elif not self._stack or self._stack.pop() != opener:
                raise NotGeoJson("the brackets of its JSON do not match")

    def _push(self, bracket: int) -> None:
        if len(self._stack) >= DEEPEST:
            raise NotGeoJson("its JSON is nested too deep to be GeoJSON")
        self._stack.append(bracket)

    def _read(self, text: bytes) -> None:
        """Token by token: the top level is somewhere in this piece."""
        for token in _TOKEN.findall(text):
            if self._ended:
                raise NotGeoJson("its JSON goes on after its end")
            depth = len(self._stack)
            if depth == 0 and token != b"{":
                raise NotGeoJson("its JSON is not an object")
            if depth == 1:
                self._top.take(token)
            if token in b"[]{}":
                self._match(token)
                self._ended = not self._stack


class _TopLevel:
    """The members of the outermost object: which there are, of what kind, and what `type` says."""

    def __init__(self) -> None:
        self.declared: str | None = None
        self.kinds: dict[str, str] = {}
        self.odd: set[str] = set()
        """Which of them hold something that should be an object."""
        self.entries_of = ""
        """The one of them whose entries are being read, if they should be objects."""
        self._key = b""
        self._wants_value = False

    def take(self, token: bytes) -> None:
        if token == b":":
            self._wants_value = True
        elif token in (b",", b"}"):
            self._key, self._wants_value = b"", False
        elif not self._wants_value:
            self._key = token
        else:
            self._note(self._key.strip(b'"'), token)
            self._wants_value = False

    def _note(self, key: bytes, value: bytes) -> None:
        name = key.decode("ascii", "replace")
        self.entries_of = name if value == b"[" and name in OF_OBJECTS else ""
        if name == "type" and value.startswith(b'"'):
            self.declared = value.strip(b'"').decode("ascii", "replace")
        elif name in _COUNTED:
            self.kinds[name] = {b"[": ARRAY, b"{": OBJECT, b"null": NULL}.get(value, OTHER)
            self.odd.discard(name)  # of a name that is there twice, the last one counts


def _plain(text: bytes) -> bytes:
    """Without escapes: each quote begins or ends a string, and what stood where, still does."""
    # First pairs of backslashes, then escaped quotes.
    return text.replace(rb"\\", b"__").replace(rb"\"", b"__")


_COUNTED = frozenset({"features", "geometry", "geometries", "coordinates"})


def _collapse(brackets: bytes) -> bytes:
    """Delete matched pairs until none is left; each round takes one level of nesting away."""
    for _ in range(DEEPEST):
        fewer = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if len(fewer) == len(brackets):
            return brackets
        brackets = fewer
    raise NotGeoJson("its JSON is nested too deep to be GeoJSON")
