"""When is it worth looking, if what is waited for has a chance of coming at every moment?

A look finds what has come since the one before, so what comes is late by half the gap between them.
With a given number of looks the least lateness is had where their rate follows a power of the
chance a second (the hazard): the square root for the mean, the hazard itself for most of them.
Where being late costs the more the later it is, as with a status behind which minutes of models
begin to run, it is the cube root.  So looks stand at quantiles of the forecast, not at equal times:
rare while nothing can have come, close together around the moment when it should, and ever rarer in
the tail.  A forecast may be wrong, so that no gap is longer than a third of the time that has
passed.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence

from iceye_derivatives._core.decisions import Patience
from iceye_derivatives._core.delays import Delays
from iceye_derivatives._core.spread import (
    EDGES,
    IMAGE_TO_FULFILLED,
    SHARE_OF_PROMISE,
    WHOLE,
    Spread,
)

__all__ = ["models_wait", "product_quantile", "products_wait", "wait_for"]

LOOKS = 82.0
"""From FULFILLED to the last derivative, on average and at the default `Backoff`."""
LOOKS_UNPLANNED = 150.0
"""The same where no scene told of the image: such a wait may cost what the plain rhythm does."""
LOOKS_POWER = 0.85
"""Near to what has most of them early, with something left for those that are late."""
ASKS_POWER = 1 / 3
LEAST_ASKS, MOST_ASKS = 4.0, 30.0
"""Questions for the status from the image to FULFILLED, on average."""
ASKS_SHARE = 0.5
"""So many that the first derivative is likely not there before the question is."""
TRUST = 3.0
"""No gap is longer than the time that has passed divided by this (and a minute, at the default),"""
SHARPEST = 400.0
"""nor shorter than that divided by this."""
LONGEST = 10
"""In units of `Backoff.maximum`: no gap between two looks from FULFILLED on is longer."""
FIRMNESS = 0.85
"""A gap is this part of what is due, and twice the rest of it by jitter: the looks of those that
began together drift apart within a few of them."""
USUAL_UNIT = 60.0
"""`Backoff.maximum` at which the numbers above hold."""
ANY_TYPE = ("",)


def products_wait(
    age: float,
    jitter: float,
    *,
    patience: Patience,
    promised: float | None,
    requested: tuple[str, ...],
    longest: float,
) -> float:
    """Seconds until the status is worth asking for, `age` seconds after the image was taken.

    Args:
        age: Not negative.
        jitter: A draw from [0, 1).
        patience: With delays.
        promised: ``productsAvailableInSeconds``.
        requested: Product types, as far as known.
        longest: What the plain rhythm would wait at most.
    """
    delays, unit = patience.delays or Delays(), patience.backoff.maximum
    kind, scale = _product_kind(promised)
    width = (delays.quantile(kind, 0.9) - delays.quantile(kind, 0.1)) / scale
    first = min(delays.quantile(model, 0.25) for model in requested or ANY_TYPE)
    asks = min(MOST_ASKS, max(LEAST_ASKS, ASKS_SHARE * width / first))
    longest = min(longest, max(LONGEST * unit, age / TRUST))
    rate = asks * USUAL_UNIT / unit / delays.looks_needed((kind,), ASKS_POWER)
    wait = wait_for(
        age * scale,
        (delays.spread(kind),),
        rate=rate,
        power=ASKS_POWER,
        looks=_due(jitter),
        shortest=min(unit, longest) * scale,
        longest=longest * scale,
    )
    return wait / scale


def models_wait(
    age: float,
    jitter: float,
    *,
    patience: Patience,
    requested: tuple[str, ...],
    awaited: tuple[str, ...],
    planned: bool,
) -> float:
    """Seconds until the derivatives are worth a look, `age` seconds after FULFILLED.

    Args:
        age: Not negative.
        jitter: A draw from [0, 1).
        patience: With delays.
        requested: Product types, as far as known.
        awaited: Those that have not come.
        planned: Whether a scene told when the image was taken.
    """
    delays, backoff = patience.delays or Delays(), patience.backoff
    unit = backoff.maximum
    longest = min(LONGEST * unit, max(unit, age / TRUST))
    looks = (LOOKS if planned else LOOKS_UNPLANNED) * USUAL_UNIT / unit
    return wait_for(
        age,
        [delays.spread(kind) for kind in awaited or requested or ANY_TYPE],
        rate=looks / delays.looks_needed(requested or ANY_TYPE, LOOKS_POWER),
        power=LOOKS_POWER,
        looks=_due(jitter),
        shortest=min(max(backoff.initial, age / SHARPEST), longest),
        longest=longest,
    )


def product_quantile(delays: Delays, promised: float | None, share: float) -> float:
    """Seconds after its image by which this share of tasks is fulfilled, as far as is known."""
    kind, scale = _product_kind(promised)
    return delays.quantile(kind, share) / scale


def wait_for(
    age: float,
    spreads: Sequence[Spread],
    *,
    rate: float,
    power: float,
    looks: float,
    shortest: float,
    longest: float,
) -> float:
    """Seconds from `age` on in which so many looks are due, at ``rate * hazard ** power`` a second.

    Args:
        age: Seconds since what the delays are counted from.
        spreads: One for each that is waited for.
        rate: So that the looks come to what may be spent.
        power: How much the looks crowd where the chance is.
        looks: About one; jitter makes it more or less.
        shortest: The gap between two looks is no shorter, before jitter.
        longest: Nor longer.
    """
    slowest, fastest = 1.0 / longest, 1.0 / shortest
    left, at = looks, age
    for bucket in range(max(0, bisect_right(EDGES, age) - 1), len(EDGES) - 1):
        hazard = sum(spread.hazard[bucket] for spread in spreads)
        pace = min(fastest, max(slowest, rate * math.pow(hazard, power)))
        due = (EDGES[bucket + 1] - at) * pace
        if due >= left:
            return at + left / pace - age
        left -= due
        at = EDGES[bucket + 1]
    return at + left / slowest - age


def _product_kind(promised: float | None) -> tuple[str, float]:
    """The kind of delay, and what a second of it is in that kind's measure."""
    return (SHARE_OF_PROMISE, WHOLE / promised) if promised else (IMAGE_TO_FULFILLED, 1.0)


def _due(jitter: float) -> float:
    return FIRMNESS + 2.0 * (1.0 - FIRMNESS) * jitter
