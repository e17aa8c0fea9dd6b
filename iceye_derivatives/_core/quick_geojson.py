"""Is this surely a FeatureCollection, read without making anything of it (extra ``speed``)?"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import GenericAlias
from typing import Any, Literal

__all__ = ["surely_a_collection"]


def surely_a_collection(body: bytes) -> bool:
    """Whether this is a FeatureCollection beyond doubt: all of it read, and nothing of it kept.

    A parser makes two thousand dicts of a file of half a megabyte, which takes twenty times as long
    as reading it, and then the garbage collector walks through them.  False says nothing.
    """
    read = _reader()
    if read is None:
        return False
    try:
        read(body)
        body.decode()  # what it passes over, it does not decode
    except (ValueError, RecursionError):
        return False
    return True


@cache
def _reader() -> Callable[[bytes], Any] | None:
    try:
        import msgspec  # noqa: PLC0415 - an extra, and nobody waits for it at the start
    except ImportError:
        return None
    thing = msgspec.defstruct("Thing", (), gc=False)  # an object of any members, all passed over
    members = (("type", Literal["FeatureCollection"]), ("features", GenericAlias(list, (thing,))))
    collection = msgspec.defstruct("Collection", members, gc=False)
    read: Callable[[bytes], Any] = msgspec.json.Decoder(collection).decode
    return read
