"""How long is a body, by what a header says of it?"""

from __future__ import annotations

from typing import Final

__all__ = ["stated_length"]

_DIGITS: Final = 18
"""No file has more digits of bytes, and `int()` refuses thousands of them."""


def stated_length(text: str) -> int | None:
    """The number that a header's text is, without spaces around it; None for anything else.

    Example:
        >>> stated_length("20000"), stated_length("-1"), stated_length("5,5"), stated_length("")
        (20000, None, None, None)
    """
    # Not a pattern: it is asked for twice a file, and this takes half as long.
    is_number = text.isascii() and text.isdigit() and len(text) <= _DIGITS
    return int(text) if is_number else None
