"""Is a faster JSON parser installed (the extra ``speed``)?"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

__all__ = ["quick_loads"]


@cache
def quick_loads() -> Callable[[bytes], Any] | None:
    """One that takes UTF-8 alone and raises `ValueError` where it has doubts, or None.

    What it refuses may be good JSON yet: a byte order mark, half a surrogate pair, a number that no
    float holds.  So whoever uses it asks Python's own parser then, which also says what is wrong.
    """
    try:
        from orjson import loads  # noqa: PLC0415 - an extra, and nobody waits for it at the start
    except ImportError:
        return None
    parse: Callable[[bytes], Any] = loads
    return parse
