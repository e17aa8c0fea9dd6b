"""What do the hot parts of the core cost, each alone?

``python benchmarks/hot_parts.py --fast`` needs pyperf, whose own options hold: it starts processes
of its own, finds out how often to repeat each case, and warns where the machine is not quiet.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from itertools import count

import pyperf
from decode import a_listing

from iceye_derivatives import Asset, Derivative, SignedUrl, Snapshot, Watch
from iceye_derivatives._core.decisions import Patience
from iceye_derivatives._core.fleet import Reach, Rota, RotaEntry
from iceye_derivatives._core.plan import file_name, soonest_first
from iceye_derivatives._core.responses import ApiResponse, read_snapshot
from iceye_derivatives.models import Availability

TASK = "7fb95g75-6828-5673-c4gd-3d074g77bgb7"
NOW = 1_767_225_600.0
FEW, MANY, ASSETS, TASKS = 3, 500, 10_000, 100_000
RHYTHM = 60.0


def decode(derivatives: int) -> Callable[[], object]:
    """One answer of the endpoint, from bytes to values."""
    answer = ApiResponse(status=200, headers={}, body=a_listing(derivatives))
    return partial(read_snapshot, TASK, answer, NOW)


def look() -> Snapshot:
    """What a watch hears most: some are there, and none is new."""
    page = read_snapshot(TASK, ApiResponse(status=206, headers={}, body=a_listing(FEW)), NOW)
    return page.snapshot


def receive() -> Callable[[], object]:
    """One look, told to a watch that has seen it all before."""
    watch, seconds, same = Watch(TASK), count(NOW), look()
    watch.begin(NOW, Patience())
    watch.receive(same, NOW)
    while watch.pop() is not None:
        pass

    def one() -> None:
        watch.receive(same, next(seconds))

    return one


def plan() -> Callable[[], object]:
    """Names and order of ten thousand assets whose links die at different times."""
    derivatives = [
        Derivative(
            id=f"7fb95g75-6828-5673-c4gd-{number:012d}",
            task_id=TASK,
            product_type="DC_VESSELS",
            assets=(
                Asset(
                    type="geojson",
                    url=SignedUrl(f"https://cdn.example/{number}", expires=NOW + number * 7 % 3600),
                ),
            ),
        )
        for number in range(ASSETS)
    ]

    def names() -> list[str]:
        return [file_name(ref) for ref, _, _ in soonest_first(derivatives)]

    return names


def heap() -> Callable[[], object]:
    """One turn of a fleet: the soonest due is taken, looked at, and waits again behind the rest."""
    rota = Rota(
        RotaEntry(NOW + number * RHYTHM / TASKS, f"7fb95g75-{number:06}", Reach.ALONE, "")
        for number in range(TASKS)
    )
    seconds = count(NOW + RHYTHM, RHYTHM / TASKS)

    def turn() -> None:
        now = next(seconds)
        place = rota.take(now)
        assert place is not None
        # A second early, so that rounding never leaves nobody due.
        rota.land(place.task_id, now, now + RHYTHM - 1, Reach.ALONE, "")

    return turn


def main() -> None:
    """Hand all cases to pyperf."""
    assert look().availability is Availability.PARTIAL
    runner = pyperf.Runner()
    runner.bench_func(f"json.loads of {MANY} derivatives", partial(json.loads, a_listing(MANY)))
    for number in (FEW, MANY):
        runner.bench_func(f"decode a snapshot of {number} derivatives", decode(number))
    runner.bench_func("Watch.receive of a look without news", receive())
    runner.bench_func(f"plan {ASSETS:,} assets", plan())
    runner.bench_func(f"one turn in a heap of {TASKS:,} tasks", heap())


if __name__ == "__main__":
    main()
