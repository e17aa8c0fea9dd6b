"""Is JSON read and written the quick way: with orjson, which the extra ``speed`` brings?"""

from __future__ import annotations

from functools import cache
from typing import Any

__all__ = ["quick_json"]


@cache
def quick_json() -> Any | None:  # noqa: ANN401 - a module of an extra
    """The module ``orjson``, where it is installed; looked for when it is first needed."""
    try:
        import orjson  # noqa: PLC0415 - an extra, and nobody waits for it at the start
    except ImportError:
        return None
    return orjson
