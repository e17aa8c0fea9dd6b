"""How long do things take, as far as was seen: from the image to FULFILLED, from there to assets?

What is learned is a histogram for each kind of delay over buckets of a twentieth: bounded, merged
by adding, and robust, since one outlier is one count in one bucket.  Before anything was seen there
is an honest prior, so wide that it says little more than "minutes to hours".
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

from iceye_derivatives._core.redact import clean_text
from iceye_derivatives._core.spread import EDGES, PRIORS, Spread, expect, looks_needed
from iceye_derivatives.errors import ConfigurationError

__all__ = ["LONGEST", "Delays"]

VERSION: Final = 1
LONGEST: Final = EDGES[-1]
"""Seconds: what takes longer is not learned from."""
REMEMBERED: Final = 300.0
"""How many observations of a kind count; of more, the old ones fade: ICEYE's machines change."""
KINDS: Final = 64
"""How many kinds are told apart; a server that invents names must not fill the memory."""
FRESH: Final = 0.05
"""A spread is made anew when this share of its observations came since, not for each of them."""
FORGOTTEN: Final = 1e-4
"""A count that has faded below this is dropped."""


class Delays:
    """What was learned of how long things take; a client has one, and all its watches share it.

    Save it with `to_json()` where a process should know from its first task on what an earlier one
    has learned.  It holds durations by product type, and nothing of any task.

    Example:
        >>> delays = Delays()
        >>> for minutes in (19, 20, 20, 21, 20, 900):
        ...     delays.observe("DC_VESSELS", minutes * 60, minutes * 60 + 5)
        >>> 19 < Delays.from_json(delays.to_json()).quantile("DC_VESSELS", 0.5) / 60 < 22
        True
    """

    __slots__ = ("_counts", "_rates", "_spreads", "_unread")

    def __init__(self) -> None:
        self._counts: dict[str, dict[int, float]] = {}
        self._spreads: dict[str, Spread] = {}
        self._unread: dict[str, int] = {}
        """By kind, the observations since its spread was made."""
        self._rates: dict[tuple[tuple[str, ...], float], tuple[tuple[Spread, ...], float]] = {}
        """By kinds and power: what `looks_needed` gave, and for which spreads."""

    def observe(self, kind: str, earliest: float, latest: float) -> None:
        """Something came between two looks, so many seconds after what it is counted from.

        What cannot be (a delay below zero, or of more than five weeks) is not taken in.
        """
        if not 0 <= earliest <= latest < LONGEST:
            return
        if kind not in self._counts and len(self._counts) >= KINDS:
            return
        counts = self._counts.setdefault(kind, {})
        for bucket, share in _buckets(earliest, latest):
            counts[bucket] = counts.get(bucket, 0.0) + share
        self._counts[kind] = _faded(counts)
        self._unread[kind] = self._unread.get(kind, 0) + 1

    def observations(self, kind: str) -> float:
        """How many were seen of this kind, as far as they are remembered."""
        return sum(self._counts.get(kind, {}).values())

    def quantile(self, kind: str, share: float) -> float:
        """Seconds by which this share of a kind has come, as far as is known."""
        return self.spread(kind).quantile(share)

    def spread(self, kind: str) -> Spread:
        """What is to be expected of a kind; of a product never seen, what of any product."""
        made = self._spreads.get(kind)
        if made is None or self._unread.get(kind, 0) > FRESH * self.observations(kind):
            counts = self._counts.get(kind)
            if counts is None:
                counts = {} if kind in PRIORS else self._of_any_product()
            made = self._spreads[kind] = expect(kind, counts)
            self._unread[kind] = 0
        return made

    def looks_needed(self, kinds: tuple[str, ...], power: float) -> float:
        """`looks_needed` of these kinds together, reckoned once as long as nothing is learned."""
        spreads = tuple(map(self.spread, kinds))
        known = self._rates.get((kinds, power))
        if known is None or known[0] != spreads:
            known = self._rates[kinds, power] = spreads, looks_needed(spreads, power)
            if len(self._rates) > KINDS:
                del self._rates[next(iter(self._rates))]
        return known[1]

    def merge(self, other: Delays) -> None:
        """Take in what another client has learned."""
        for kind, counts in other._counts.items():
            if kind not in self._counts and len(self._counts) >= KINDS:
                continue
            own = self._counts.get(kind, {})
            joined = {
                bucket: own.get(bucket, 0.0) + counts.get(bucket, 0.0)
                for bucket in own.keys() | counts.keys()
            }
            self._counts[kind] = _faded(joined)
        self._spreads.clear()

    def to_json(self) -> str:
        """What was learned, as JSON; `from_json()` takes it."""
        kinds = {
            kind: [[bucket, round(count, 4)] for bucket, count in sorted(counts.items())]
            for kind, counts in self._counts.items()
        }
        return json.dumps({"version": VERSION, "kinds": kinds})

    @classmethod
    def from_json(cls, text: str | bytes) -> Delays:
        """What `to_json()` wrote down.

        Raises:
            ConfigurationError: when the text is anything else.
        """
        try:
            read = _read(json.loads(text))
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            raise ConfigurationError(
                f"These are no saved delays of this version ({type(error).__name__}: "
                f"{clean_text(str(error))}); start anew with Delays()"
            ) from None
        delays = cls()
        delays._counts = read
        return delays

    def _of_any_product(self) -> dict[int, float]:
        pooled: dict[int, float] = {}
        for kind, counts in self._counts.items():
            if kind not in PRIORS:
                for bucket, count in counts.items():
                    pooled[bucket] = pooled.get(bucket, 0.0) + count
        return pooled


def _buckets(earliest: float, latest: float) -> Iterator[tuple[int, float]]:
    """The buckets between two delays, and the share of the time between them in each."""
    low, high = max(earliest, 1.0), max(latest, 1.0)
    first, last = bisect_right(EDGES, low) - 1, bisect_right(EDGES, high) - 1
    if first == last:
        yield first, 1.0
        return
    for bucket in range(first, last + 1):
        yield bucket, (min(high, EDGES[bucket + 1]) - max(low, EDGES[bucket])) / (high - low)


def _faded(counts: dict[int, float]) -> dict[int, float]:
    total = sum(counts.values())
    if total <= REMEMBERED:
        return counts
    keep = REMEMBERED / total
    return {bucket: count * keep for bucket, count in counts.items() if count * keep > FORGOTTEN}


def _read(state: dict[str, object]) -> dict[str, dict[int, float]]:
    if state["version"] != VERSION:
        raise ValueError(f"version {state['version']!r}")
    kinds = state["kinds"]
    if not isinstance(kinds, dict) or len(kinds) > KINDS:
        raise TypeError("kinds are no object of at most 64")
    return {kind: _faded(dict(map(_count, pairs))) for kind, pairs in kinds.items()}


def _count(pair: object) -> tuple[int, float]:
    bucket, count = pair if isinstance(pair, list) else (None, None)
    if type(bucket) is not int or not isinstance(count, int | float):
        raise TypeError("a bucket and its count were expected")
    if not 0 <= bucket < len(EDGES) - 1 or not 0 <= count <= REMEMBERED:
        raise ValueError("a bucket or a count that cannot be")
    return bucket, float(count)
