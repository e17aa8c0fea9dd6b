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

    First by address; then by place; and who finds a link of another address there takes a place
    that one of the others has left.  A place whose owner nobody knows is never given to another:
    rather no link at all than the same file twice.
    """
    places = defaultdict[str, deque[int]](deque)
    for index, url in enumerate(listed):
        places[_address(url)].append(index)
    found = dict[int, int]()
    for ordinal in sorted(known):
        if same := places.get(_address(known[ordinal])):
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
    theirs, ours = _places(newer), _places(older)
    for kind, listed in theirs.items():
        known = {ordinal: older[place].url for ordinal, place in enumerate(ours[kind], start=1)}
        for ordinal, index in pair(known, [newer[place].url for place in listed]).items():
            assets[ours[kind][ordinal - 1]] = newer[listed[index]]
            new.remove(listed[index])
    return (*assets, *(newer[place] for place in sorted(new)))


def _places(assets: Iterable[Asset]) -> defaultdict[str, list[int]]:
    places = defaultdict[str, list[int]](list)
    for place, asset in enumerate(assets):
        places[asset.type].append(place)
    return places


def _address(url: SignedUrl) -> str:
    return url.reveal().partition("?")[0]
