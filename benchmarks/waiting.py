"""What does a long wait cost, and how late is a derivative handed out?

Each task waits three days (of simulated time) for its image and two hours for its models; in a
second case its models take ten minutes, which shows the price of looking rarely before the image.
Every request counts, tokens too.  Run: ``python benchmarks/waiting.py [--tasks 200]``.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
from datetime import UTC, datetime, timedelta

from iceye_derivatives import DerivativesClient
from iceye_derivatives.simulator import Simulator, TaskPlan, VirtualClock

HOUR = 3600.0
TYPES = ("DC_AIRCRAFT", "DC_VEHICLES", "DC_VESSELS")


def fate(draw: random.Random, models: float) -> TaskPlan:
    """Imaged after three days; the models take up to `models` seconds, one as long as that."""
    delays = [models, *(draw.uniform(models / 2, models) for _ in TYPES[1:])]
    draw.shuffle(delays)
    return TaskPlan(
        accepted_after=draw.uniform(60, 1200),
        imaged_after=72 * HOUR,
        fulfilled_after=draw.uniform(300, 1800),
        done_after=draw.choice([0.0, 900.0]),
        derivative_delays=dict(zip(TYPES, delays, strict=True)),
    )


async def one_task(seed: int, models: float) -> tuple[int, int, list[float]]:
    """Requests in all, those for tokens among them, and the delays in seconds."""
    draw = random.Random(seed)
    async with Simulator(clock=VirtualClock(), seed=seed) as sim:
        now = datetime.fromtimestamp(sim.clock.time(), UTC)
        start = now + timedelta(hours=draw.uniform(48, 70))
        task_id = sim.add_task(
            plan=fate(draw, models),
            derivative_product_types=TYPES,
            acquisitionWindow={
                "start": start.isoformat(),
                "end": (start + timedelta(hours=48)).isoformat(),
            },
        )
        delays = []
        async with DerivativesClient.from_env(
            sim.environ, clock=sim.clock, jitter=draw.random
        ) as client:
            async for derivative in client.watch_task(task_id):
                ready = sim.world.ready_times(task_id)[derivative.id]
                delays.append(sim.clock.time() - ready)
        tokens = sum(request.side == "token" for request in sim.requests)
        return len(sim.requests), tokens, delays


async def main(tasks: int) -> None:
    """Print the two figures and their spread, for slow models and for quick ones."""
    for models in (2 * HOUR, HOUR / 6):
        report(models, [await one_task(seed, models) for seed in range(tasks)])


def report(models: float, results: list[tuple[int, int, list[float]]]) -> None:
    """Print one case."""
    requests = sorted(total for total, _, _ in results)
    tokens = statistics.median(token for _, token, _ in results)
    delays = sorted(delay for _, _, some in results for delay in some)
    print(f"{len(results)} tasks, {len(delays)} derivatives, models up to {models / 60:.0f} min")
    print(
        f"requests a task: median {statistics.median(requests):.0f}, "
        f"p95 {requests[int(0.95 * len(requests))]}, most {requests[-1]} "
        f"(tokens among them: median {tokens:.0f})"
    )
    print(
        f"ready to handed out: median {statistics.median(delays):.1f} s, "
        f"p95 {delays[int(0.95 * len(delays))]:.1f} s, longest {delays[-1]:.1f} s"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=200)
    asyncio.run(main(parser.parse_args().tasks))
