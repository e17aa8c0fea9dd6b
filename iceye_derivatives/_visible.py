"""How is text that others wrote shown without letting it act on a terminal or a log?

Ids, types and statuses are whatever a server answers, and names of classes whatever a file holds.
A terminal obeys some characters, a log begins a new entry at others, and a few make text run
backwards or stay unseen.  Those are spelt out, as Python spells them.
"""

from __future__ import annotations

from typing import Final
from unicodedata import category

__all__ = ["visible"]

_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode's categories: controls, formats, halves of pairs, and ends of lines and paragraphs.

Not `str.isprintable` alone, which also refuses the wide space of Japanese.
"""
_JOINERS: Final = "\u200c\u200d"
"""Formats without which Persian and the languages of India, and some emoji, cannot be written."""


def visible(text: str) -> str:
    """The same text with such characters spelt out, and all others unchanged.

    A backslash stays single: the result is for people, and not to be read back.
    """
    return text if text.isprintable() else "".join(map(_spell, text))


def _spell(char: str) -> str:
    if category(char) not in _UNSEEN or char in _JOINERS:
        return char
    return char.encode("unicode_escape").decode("ascii")
