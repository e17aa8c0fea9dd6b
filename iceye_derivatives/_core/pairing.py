"""Which of the links that are listed now belong to the assets that were known before?

ICEYE documents neither a second asset of a type nor an order of assets, and an asset has no id.
What stays the same from one signature to the next is where the file is: the link without its query.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence

from iceye_derivatives.models import Asset, SignedUrl

__all__ = ["pair", "renewed"]


def pair(known: Mapping[int, SignedUrl], listed: Sequence[SignedUrl]) -> dict[int, int]:
    """Index in `listed` by ordinal (from 1), for links of one type in one derivative.

    A link of the same address comes first.  An asset that has none takes the link at its own
    position, if that one's address is new, else a new one at the position of another known asset.
    Positions of assets that are not known stay theirs: rather no link than the same file twice.
    """
    by_address = defaultdict[str, deque[int]](deque)
    for index, url in enumerate(listed):
        by_address[_address(url)].append(index)
    found = dict[int, int]()
    for ordinal in sorted(known):
        if same := by_address.get(_address(known[ordinal])):
            found[ordinal] = same.popleft()
    # A second link to where one of them is would be that file once more.
    theirs = set(map(_address, known.values()))
    free = {index for index, url in enumerate(listed) if _address(url) not in theirs}
    for ordinal in known.keys() - found:
        if ordinal - 1 in free:
            free.remove(ordinal - 1)
            found[ordinal] = ordinal - 1
    left = (index for index in sorted(free) if index + 1 in known)
    return found | dict(zip(sorted(known.keys() - found), left, strict=False))


def renewed(older: Sequence[Asset], newer: Sequence[Asset]) -> tuple[Asset, ...]:
    """The older assets in their order, with their newer links; behind them, those that are new."""
    assets, new = list(older), set(range(len(newer)))
    theirs, ours = _by_type(newer), _by_type(older)
    for kind, listed in theirs.items():
        known = {ordinal: older[index].url for ordinal, index in enumerate(ours[kind], start=1)}
        for ordinal, found in pair(known, [newer[index].url for index in listed]).items():
            assets[ours[kind][ordinal - 1]] = newer[listed[found]]
            new.remove(listed[found])
    return (*assets, *(newer[index] for index in sorted(new)))


def _by_type(assets: Iterable[Asset]) -> defaultdict[str, list[int]]:
    """Indices in `assets`."""
    indices = defaultdict[str, list[int]](list)
    for index, asset in enumerate(assets):
        indices[asset.type].append(index)
    return indices


def _address(url: SignedUrl) -> str:
    return url.reveal().partition("?")[0]
