"""Which of the links that are listed now belong to the assets that were known before?

ICEYE documents neither a second asset of a type nor an order of assets, and an asset has no id.
What stays the same from one signature to the next is where the file is: the link without its query.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence

from attrs import evolve

from iceye_derivatives.models import Asset, SignedUrl

__all__ = ["counted", "pair", "renewed"]


def pair(known: Mapping[int, SignedUrl], listed: Mapping[int, SignedUrl]) -> dict[int, int]:
    """Ordinal in the listing by the ordinal as known, for links of one type in one derivative.

    A link of the same address comes first.  An asset that has none takes the link at its own
    ordinal, if that one's address is new, else a new one at the ordinal of another known asset.
    Ordinals of assets that are not known stay theirs: rather no link than the same file twice.
    """
    by_address = defaultdict[str, deque[int]](deque)
    for ordinal, url in sorted(listed.items()):
        by_address[_address(url)].append(ordinal)
    found = dict[int, int]()
    for ordinal in sorted(known):
        if same := by_address.get(_address(known[ordinal])):
            found[ordinal] = same.popleft()
    # A second link to where one of them is would be that file once more.
    theirs = set(map(_address, known.values()))
    free = {ordinal for ordinal, url in listed.items() if _address(url) not in theirs}
    for ordinal in known.keys() - found:
        if ordinal in free:
            free.remove(ordinal)
            found[ordinal] = ordinal
    left = (ordinal for ordinal in sorted(free) if ordinal in known)
    return found | dict(zip(sorted(known.keys() - found), left, strict=False))


def renewed(older: Sequence[Asset], newer: Sequence[Asset]) -> tuple[Asset, ...]:
    """The older assets in their order, with their newer links; behind them, those that are new.

    What was known keeps its ordinal, and what is new has its own where that is free.
    """
    joined, theirs = dict(counted(older)), dict(counted(newer))
    ours, new = _by_kind(joined), dict.fromkeys(theirs)
    for kind, links in _by_kind(theirs).items():
        for ordinal, listed in pair(ours.get(kind, {}), links).items():
            joined[kind, ordinal] = theirs[kind, listed]
            del new[kind, listed]
    for kind, listed in new:
        ordinal = listed
        while (kind, ordinal) in joined:
            ordinal += 1
        joined[kind, ordinal] = theirs[kind, listed]
    return tuple(_numbered(joined))


def counted(assets: Sequence[Asset]) -> Iterator[tuple[tuple[str, int], Asset]]:
    """Each asset by its type and ordinal, in their order."""
    ordinals = dict[str, int]()
    for asset in assets:
        ordinals[asset.type] = asset.ordinal or ordinals.get(asset.type, 0) + 1
        yield (asset.type, ordinals[asset.type]), asset


def _numbered(assets: Mapping[tuple[str, int], Asset]) -> Iterator[Asset]:
    """The assets, so that `counted` gives each the ordinal that it has here."""
    before = dict[str, int]()
    for (kind, ordinal), asset in assets.items():
        own = None if ordinal == before.get(kind, 0) + 1 else ordinal
        before[kind] = ordinal
        yield asset if asset.ordinal == own else evolve(asset, ordinal=own)


def _by_kind(assets: Mapping[tuple[str, int], Asset]) -> dict[str, dict[int, SignedUrl]]:
    links: dict[str, dict[int, SignedUrl]] = {}
    for (kind, ordinal), asset in assets.items():
        links.setdefault(kind, {})[ordinal] = asset.url
    return links


def _address(url: SignedUrl) -> str:
    return url.reveal().partition("?")[0]
