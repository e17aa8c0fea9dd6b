"""How long is a body, and where in its file does it begin, by what a header says?"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["stated_length", "stated_range"]

_DIGITS: Final = 18
"""No file has more digits of bytes, and `int()` refuses thousands of them."""
_RANGE: Final = re.compile(
    rf"bytes ([0-9]{{1,{_DIGITS}}})-[0-9]{{1,{_DIGITS}}}/([0-9]{{1,{_DIGITS}}}|\*)", re.IGNORECASE
)


def stated_length(text: str) -> int | None:
    """The number that a header's text is, without spaces around it; None for anything else.

    Example:
        >>> stated_length("20000"), stated_length("-1"), stated_length("5,5"), stated_length("")
        (20000, None, None, None)
    """
    # Not a pattern: it is asked for twice a file, and this takes half as long.
    is_number = text.isascii() and text.isdigit() and len(text) <= _DIGITS
    return int(text) if is_number else None


def stated_range(text: str) -> tuple[int, int | None] | None:
    """The first byte of a ``Content-Range``, and its file's length; None for anything else.

    Example:
        >>> stated_range("bytes 5-9/10"), stated_range("bytes 5-9/*"), stated_range("bytes */10")
        ((5, 10), (5, None), None)
    """
    found = _RANGE.fullmatch(text)
    if found is None:
        return None
    return int(found[1]), None if found[2] == "*" else int(found[2])
