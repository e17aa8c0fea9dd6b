"""How are the headers of an answer looked up: by lower-case name, whichever case they came in?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multidict import CIMultiDictProxy

__all__ = ["LowerHeaders", "lower_headers"]


class LowerHeaders(Mapping[str, str]):
    """By lower-case name, joined when they are asked for: of twenty, two ever are."""

    __slots__ = ("_raw",)

    def __init__(self, raw: CIMultiDictProxy[str]) -> None:
        self._raw = raw

    def __getitem__(self, name: str) -> str:
        if name != name.lower():
            raise KeyError(name)
        return ", ".join(self._raw.getall(name))

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name.lower() for name in self._raw))

    def __len__(self) -> int:
        return len({name.lower() for name in self._raw})

    def __repr__(self) -> str:
        return f"<headers: {', '.join(self)}>"


def lower_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """By lower-case name; a header that came twice holds both, as RFC 9110 joins them."""
    joined = {name.lower(): value for name, value in headers.items()}
    if len(joined) == len(headers):
        return joined
    joined = {}
    for name, value in headers.items():
        key = name.lower()
        joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return joined
