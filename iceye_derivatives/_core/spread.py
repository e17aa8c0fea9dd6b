"""What is to be expected of a delay, given the few or many that were seen?

A distribution over buckets that grow by a twentieth: a bell for each observation, so much the
narrower the more there are, over an honest prior so wide that it says little more than "minutes to
hours".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

__all__ = [
    "EDGES",
    "IMAGE_TO_FULFILLED",
    "PRIORS",
    "SHARE_OF_PROMISE",
    "WHOLE",
    "Spread",
    "expect",
    "looks_needed",
]

RATIO: Final = 1.05
EDGES: Final = tuple(RATIO**step for step in range(310))
"""Seconds: the buckets' edges, from one second to five weeks; no task's window is longer."""
STEP: Final = math.log(RATIO)
IMAGE_TO_FULFILLED: Final = "IMAGE_TO_FULFILLED"
"""The kind of delay that is not one of a product type."""
SHARE_OF_PROMISE: Final = "SHARE_OF_PROMISE"
"""The same delay as a share of ``productsAvailableInSeconds``."""
WHOLE: Final = 3600.0
"""What stands for all of the promise, so that shares have the same buckets as seconds."""

PRIORS: Final = {IMAGE_TO_FULFILLED: (3600.0, 1.2), SHARE_OF_PROMISE: (2400.0, 1.0)}
"""Median and spread in powers of e: nine images in ten between eight minutes and seven hours, and
between an eighth of what was promised and more than thrice as much."""
PRIOR: Final = (1800.0, 1.5)
"""Of a model: nine in ten between three minutes and six hours."""
PRIOR_WEIGHT: Final = 0.5
"""In observations: so many the prior counts for, however many come."""
USUAL_SPREAD: Final = 0.4
USUAL_WEIGHT: Final = 3.0
"""The spread that is supposed while a handful was seen, and what that supposition counts for."""
KERNEL: Final = 0.7
KERNEL_FALL: Final = 0.3
"""How wide a bell is, against what delays were seen to stray, and with which power of their number
it narrows; at a half it was too sure of a few."""
NARROWEST: Final = 0.02
QUARTILES: Final = 1.349
"""Of a bell: the distance of its quartiles, in standard deviations."""
REACH: Final = 4.0
"""A bell is cut off at so many of its widths."""


class Spread:
    """A distribution over the buckets of `EDGES`."""

    __slots__ = ("chance", "hazard", "survival")

    def __init__(self, chance: list[float]) -> None:
        self.chance = chance
        """Of falling into bucket ``i``, from ``EDGES[i]`` to ``EDGES[i + 1]``; sums to 1."""
        self.survival: list[float] = []
        """Chance of not having come by ``EDGES[i]``."""
        self.hazard: list[float] = []
        """Chance a second of coming within bucket ``i``, for what has not come before it."""
        left = 1.0
        for bucket, mass in enumerate(chance):
            self.survival.append(left)
            share = min(mass / left, 0.999)
            self.hazard.append(-math.log1p(-share) / (EDGES[bucket + 1] - EDGES[bucket]))
            left = max(left - mass, 1e-9)

    def quantile(self, share: float) -> float:
        """Seconds by which this share has come."""
        done = 0.0
        for bucket, mass in enumerate(self.chance):
            if mass > 0 and done + mass >= share:
                low, high = EDGES[bucket], EDGES[bucket + 1]
                return low + (high - low) * (share - done) / mass
            done += mass
        return EDGES[-1]


def expect(kind: str, counts: Mapping[int, float]) -> Spread:
    """What a kind's observations (so many in each bucket) let expect of the next one."""
    median, spread = PRIORS.get(kind, PRIOR)
    total = sum(counts.values())
    weight = total + PRIOR_WEIGHT
    chance = [0.0] * (len(EDGES) - 1)
    _lay(chance, math.log(median) / STEP, spread / STEP, PRIOR_WEIGHT / weight)
    if counts:
        width = max(NARROWEST, KERNEL * _log_spread(counts, total) * total**-KERNEL_FALL)
        for bucket, count in counts.items():
            _lay(chance, bucket + 0.5, width / STEP, count / weight)
    return Spread(chance)


def looks_needed(spreads: Sequence[Spread], power: float) -> float:
    """How many looks are made until all have come, at the rate of ``hazard ** power`` a second."""
    looks = 0.0
    for bucket in range(len(EDGES) - 1):
        width = EDGES[bucket + 1] - EDGES[bucket]
        all_came, density = 1.0, 0.0
        for spread in spreads:
            all_came *= 1.0 - spread.survival[bucket]
            density += spread.chance[bucket] / width
        looks += (1.0 - all_came) ** (1.0 - power) * density**power * width
    return looks


def _lay(chance: list[float], middle: float, width: float, mass: float) -> None:
    """Add a bell over the buckets; what would lie beyond them is laid at their ends."""
    low = max(0, int(middle - REACH * width))
    high = min(len(chance), int(middle + REACH * width) + 2)
    below = 0.0
    for bucket in range(low, high):
        upto = 0.5 * (1 + math.erf((bucket + 1 - middle) / (width * math.sqrt(2))))
        last = bucket == high - 1
        chance[bucket] += mass * ((1.0 if last else upto) - below)
        below = upto


def _log_spread(counts: Mapping[int, float], total: float) -> float:
    """A robust standard deviation of the logarithms, held near the usual one while few are seen."""
    ordered = sorted(counts)
    marks, done = [], 0.0
    wanted = [0.25 * total, 0.75 * total]
    for bucket in ordered:
        done += counts[bucket]
        while wanted and done >= wanted[0]:
            marks.append(bucket)
            wanted.pop(0)
    first, third = (*marks, ordered[-1], ordered[-1])[:2]
    seen = (third - first) * STEP / QUARTILES
    return math.sqrt((USUAL_WEIGHT * USUAL_SPREAD**2 + total * seen**2) / (USUAL_WEIGHT + total))
