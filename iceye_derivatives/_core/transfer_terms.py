"""Which facts does a transfer take in, and which decisions does it give?"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final, TypeAlias

from attrs import field, frozen

from iceye_derivatives._core.digest import Offer

__all__ = [
    "Answer",
    "Decision",
    "GiveUp",
    "LinkFacts",
    "Open",
    "Pause",
    "Receive",
    "Renew",
    "Store",
    "Verdict",
]


_AS_STORED: Final[Mapping[str, str]] = MappingProxyType({"Accept-Encoding": "identity"})


class Verdict(Enum):
    """Why a file is given up."""

    REFUSED = "the store refuses the link"
    BROKEN = "the line broke too often"
    CONTENT = "what came is not the file"


@frozen(kw_only=True)
class Answer:
    """The head of an answer; of an error's body, how it begins."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    beginning: bytes = b""


@frozen(kw_only=True)
class LinkFacts:
    """What is known of the link that was used."""

    expires: float | None
    """Unix seconds on the store's clock."""
    skew: float
    """Seconds by which the store's clock is ahead of ours, by what the API's ``Date`` taught."""
    fresh: bool
    """Listed by the API only seconds before it was used."""


@frozen(kw_only=True)
class Open:
    """Send a request for the file, from `offset` on."""

    offset: int = 0
    if_range: str | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """What goes with it: sizes, hashes and ETags must mean the bytes as stored."""
        if not self.offset or self.if_range is None:
            return _AS_STORED
        return {**_AS_STORED, "Range": f"bytes={self.offset}-", "If-Range": self.if_range}


@frozen(kw_only=True)
class Receive:
    """Read the body: it begins at this byte of the file."""

    offset: int
    total: int | None
    offers: tuple[Offer, ...] = ()
    """Digests of the whole file that came with the answer."""


@frozen
class Renew:
    """Get another link, then `begin()` again."""


@frozen(kw_only=True)
class Pause:
    """Wait, then `begin()` again."""

    seconds: float
    reason: str


@frozen
class Store:
    """All bytes are here: check and store them."""


@frozen(kw_only=True)
class GiveUp:
    """This file will not come."""

    verdict: Verdict
    reason: str
    status: int = 0
    store_code: str | None = None
    first_bytes: bytes = field(default=b"")


Decision: TypeAlias = Open | Receive | Renew | Pause | Store | GiveUp
