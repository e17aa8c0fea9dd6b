"""What does a long wait cost, and how late is a derivative handed out?

Populations of tasks whose delays nobody tuned for: each draws, from its seed, families (lognormal,
Pareto with its heavy tail, bimodal) and their parameters for the time from the image to FULFILLED
and for each type of model; its tasks draw from these.  A task waits some three days for its image,
whose plan moves until hours before.  A population has one memory of delays, which its first task
begins with nothing in it; everything else is new for each task: simulator, client, token.

Every request counts: tokens, scenes, tasks, derivatives.  The figures that are quoted are of seeds
from 6000 on; the rhythm was tuned on populations of other seeds.

Requests are handed to the simulator without a line in between, as a hundred thousand of them take
hours over loopback; ``--way loopback`` goes over it, to the same figures for the same tasks.
With ``--way fleet`` a population is one client's and goes through `watch_tasks()`, all of it
ordered at once; tokens and listings, which serve all, are then shared by all.

Run: ``python benchmarks/waiting.py [--tasks 500] [--case forecast] [--way fleet]``.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import random
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, AsyncExitStack, nullcontext
from datetime import UTC, datetime

import anyio.lowlevel
from attrs import frozen

from iceye_derivatives import AccessToken, Delays, DerivativesClient
from iceye_derivatives._auth import TokenKeeper
from iceye_derivatives._calls import Calls
from iceye_derivatives._core.pace import Urgency
from iceye_derivatives._core.requests import ApiRequest
from iceye_derivatives._core.responses import ApiResponse
from iceye_derivatives.simulator import Simulator, TaskPlan, VirtualClock
from iceye_derivatives.simulator.messages import Call, Side

HOUR = 3600.0
TYPES = ("DC_AIRCRAFT", "DC_VEHICLES", "DC_VESSELS")
FIRST_SEED = 6000
IN_A_POPULATION = 100

Draw = Callable[[random.Random], float]


@frozen(kw_only=True)
class Case:
    """What is measured."""

    title: str
    models: tuple[float, float] = (300.0, 3600.0)
    """Between which seconds the median of each model lies."""
    uniform: tuple[float, float] | None = None
    """In place of the families: between which seconds each model takes, the image as soon."""
    scene: bool = True
    promise: bool = True


CASES = {
    "forecast": Case(title="with forecasts"),
    "promiseless": Case(title="the same without productsAvailableInSeconds", promise=False),
    "minutes": Case(title="models of minutes", models=(60.0, 600.0)),
    "sceneless": Case(title="no scene to be had (404)", scene=False, promise=False),
    "slow": Case(
        title="no scene, models of one to two hours",
        uniform=(HOUR, 2 * HOUR),
        scene=False,
        promise=False,
    ),
}


@frozen(kw_only=True)
class Result:
    """How one task went."""

    requests: Counter[str]
    delays: list[float]


def family(draw: random.Random, kind: str, median: float) -> Draw:
    """One family of delays, its other parameters drawn too."""
    sigma = draw.uniform(0.2, 0.5)
    shape = draw.uniform(1.5, 3.0)
    share, factor = draw.uniform(0.1, 0.4), draw.uniform(2.0, 5.0)

    def lognormal(draw: random.Random) -> float:
        return median * math.exp(draw.gauss(0, sigma))

    def pareto(draw: random.Random) -> float:
        return median / 2 ** (1 / shape) * draw.paretovariate(shape)

    def bimodal(draw: random.Random) -> float:
        slow = factor if draw.random() < share else 1.0
        return median * slow * math.exp(draw.gauss(0, sigma / 2))

    return {"lognormal": lognormal, "pareto": pareto, "bimodal": bimodal}[kind]


def log_uniform(draw: random.Random, low: float, high: float) -> float:
    """A draw whose logarithm is even."""
    return math.exp(draw.uniform(math.log(low), math.log(high)))


class Population:
    """Tasks whose delays come from the same machines."""

    def __init__(self, seed: int, case: Case) -> None:
        draw = random.Random(f"population {seed}")
        kinds = ["lognormal", "pareto", "bimodal"]
        draw.shuffle(kinds)
        self.case = case
        self.models: dict[str, Draw] = {
            name: family(draw, kind, log_uniform(draw, *case.models))
            for name, kind in zip(TYPES, kinds, strict=True)
        }
        self.products = family(draw, draw.choice(kinds), log_uniform(draw, HOUR / 2, 3 * HOUR))
        self.promises = int(draw.choice([3, 8]) * HOUR)
        if (limits := case.uniform) is not None:
            self.models = dict.fromkeys(TYPES, lambda draw: draw.uniform(*limits))
            self.products = lambda draw: draw.uniform(300, 1800)

    def fate(self, draw: random.Random) -> tuple[float, TaskPlan]:
        """Seconds until the window opens, and what becomes of a task."""
        opens = draw.uniform(12, 70) * HOUR
        imaged = draw.uniform(max(opens, 60 * HOUR), min(opens + 48 * HOUR, 84 * HOUR))
        return opens, TaskPlan(
            accepted_after=min(1200.0, max(20.0, draw.lognormvariate(math.log(300), 0.8))),
            imaged_after=imaged,
            fulfilled_after=self.products(draw),
            done_after=draw.choice([0.0, 900.0]),
            derivative_delays={name: model(draw) for name, model in self.models.items()},
            # Until six hours before, the plan is hours off; then minutes.
            scene_moves=((72 * HOUR, draw.gauss(0, 4 * HOUR)), (6 * HOUR, draw.gauss(0, 300))),
            promises=self.promises if self.case.promise else None,
        )


class JumpingClock:
    """Sleeping takes no time but moves it: enough where one watch alone is awake."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def time(self) -> float:
        """Unix seconds."""
        return self.now

    async def sleep(self, seconds: float, /) -> None:
        """Be there."""
        await anyio.lowlevel.checkpoint()
        self.now += seconds

    def hold(self) -> AbstractContextManager[None]:
        """It moves for sleepers only."""
        return nullcontext()


class NoLine:
    """Hands requests to a simulator, and fetches tokens there, without a socket."""

    def __init__(self, sim: Simulator) -> None:
        self._sim = sim
        self._keeper = TokenKeeper(self, sim.clock)
        self.asked = Counter[str]()
        self.by_task = defaultdict[str, Counter[str]](Counter)

    async def fetch_token(self) -> AccessToken:
        """A token of the simulator's register."""
        self.asked["token"] += 1
        value = self._sim.tokens.issue(now=self._sim.clock.time())
        return AccessToken(value=value, expires_in=3600.0)

    async def send(self, request: ApiRequest, urgency: Urgency = Urgency.CALL) -> ApiResponse:  # noqa: ARG002  nobody waits here
        """One call."""
        self.asked[request.operation] += 1
        _, _, task_id = request.path.partition("/tasks/")
        if task_id:
            self.by_task[task_id.partition("/")[0]][request.operation] += 1
        token = await self._keeper.get()
        call = Call(
            method=request.method,
            target=request.target,
            headers={"authorization": f"Bearer {token}"},
        )
        answer = self._sim.desk.answer(
            Side.API, call, now=self._sim.clock.time(), origins=dict.fromkeys(Side, "http://sim")
        ).answer
        return ApiResponse(status=answer.status, headers=dict(answer.headers), body=answer.body)


def place(sim: Simulator, population: Population, draw: random.Random) -> str:
    """A task in the simulator's world; gives its id."""
    opens, plan = population.fate(draw)
    window = [sim.clock.time() + opens, sim.clock.time() + opens + 48 * HOUR]
    start, end = (datetime.fromtimestamp(moment, UTC).isoformat() for moment in window)
    if not population.case.scene:
        sim.faults.add("no_scene", times=None)
    return sim.add_task(
        plan=plan,
        derivative_product_types=TYPES,
        acquisitionWindow={"start": start, "end": end},
    )


async def one_task(population: Population, seed: str, delays: Delays, *, loopback: bool) -> Result:
    """Watch one task to its end."""
    draw = random.Random(seed)
    clock = VirtualClock() if loopback else JumpingClock()
    sim = Simulator(clock=clock, seed=draw.getrandbits(32))
    task_id = place(sim, population, draw)
    ready = sim.world.ready_times(task_id)
    late = []
    line = NoLine(sim)
    async with AsyncExitStack() as stack:
        if loopback:
            await stack.enter_async_context(sim)
            client = DerivativesClient.from_env(
                sim.environ, clock=clock, jitter=draw.random, delays=delays
            )
        else:
            client = DerivativesClient(auth=line, clock=clock, jitter=draw.random, delays=delays)
            # All of a client but its sockets, which are what is measured elsewhere.
            client._calls = client._polls = Calls(line, clock)  # noqa: SLF001
        await stack.enter_async_context(client)
        async for derivative in client.watch_task(task_id):
            late.append(clock.time() - ready[derivative.id])  # noqa: PERF401  one at a time
    return Result(requests=counted(sim, task_id) if loopback else line.asked, delays=late)


def counted(sim: Simulator, task_id: str) -> Counter[str]:
    """What arrived over the line, by ICEYE's names."""
    names = {task_id: "getTask", "scene": "getTaskScene", "derivatives": "listTaskDerivatives"}
    return Counter(
        "token" if one.side == "token" else names[one.path.rpartition("/")[2]]
        for one in sim.requests
    )


async def one_fleet(case: Case, seed: int, tasks: int) -> list[Result]:
    """One population through `watch_tasks()`, all of it ordered at once: one client, one token."""
    population, draw = Population(seed, case), random.Random(f"fleet {seed}")
    clock = JumpingClock()
    sim = Simulator(clock=clock, seed=draw.getrandbits(32))
    ids = [place(sim, population, random.Random(f"{seed}/{task}")) for task in range(tasks)]
    ready = {one: sim.world.ready_times(one) for one in ids}
    late: dict[str, list[float]] = {one: [] for one in ids}
    line = NoLine(sim)
    async with DerivativesClient(auth=line, clock=clock, jitter=draw.random) as client:
        client._calls = client._polls = Calls(line, clock)  # noqa: SLF001  as above
        # One look at a time, as this clock wants it; none of them takes any time here.
        async with client.watch_tasks(ids, concurrency=1) as fleet:
            async for one in fleet.derivatives():
                late[one.task_id].append(clock.time() - ready[one.task_id][one.id])
    # What is asked for all at once (tokens, listings) is shared by all, rounded up.
    shared = line.asked - sum(line.by_task.values(), Counter())
    each = Counter({kind: math.ceil(count / tasks) for kind, count in shared.items()})
    return [Result(requests=line.by_task[one] + each, delays=late[one]) for one in ids]


async def watch_all(case: Case, seed: int, tasks: int, *, loopback: bool) -> list[Result]:
    """One population, task after task."""
    population, delays = Population(seed, case), Delays()
    return [
        await one_task(population, f"{seed}/{task}", delays, loopback=loopback)
        for task in range(tasks)
    ]


def one_population(case_name: str, seed: int, tasks: int, way: str) -> list[Result]:
    """The same, for a process of its own."""
    if way == "fleet":
        return asyncio.run(one_fleet(CASES[case_name], seed, tasks))
    return asyncio.run(watch_all(CASES[case_name], seed, tasks, loopback=way == "loopback"))


def main(names: list[str], tasks: int, jobs: int, way: str, first: int) -> None:
    """Print a table row a case."""
    print("| case | tasks | requests: median | p95 | most | late: median | p95 | most |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    sizes = [min(IN_A_POPULATION, tasks - done) for done in range(0, tasks, IN_A_POPULATION)]
    with ProcessPoolExecutor(jobs) as pool:
        for name in names:
            seeds = range(first, first + len(sizes))
            found = pool.map(one_population, [name] * len(sizes), seeds, sizes, [way] * len(sizes))
            title = CASES[name].title + (", through a fleet" if way == "fleet" else "")
            print(row(title, [result for some in found for result in some]), flush=True)


def row(title: str, results: list[Result]) -> str:
    """One case."""
    requests = sorted(result.requests.total() for result in results)
    late = sorted(delay for result in results for delay in result.delays)
    kinds = Counter[str]()
    for result in results:
        kinds.update(result.requests)
    means = ", ".join(f"{kind} {count / len(results):.0f}" for kind, count in sorted(kinds.items()))
    cells = (
        f"{title} (of them {means})",
        f"{len(results)}",
        f"{statistics.median(requests):.0f}",
        f"{requests[int(0.95 * len(requests))]}",
        f"{requests[-1]}",
        f"{statistics.median(late):.1f} s",
        f"{late[int(0.95 * len(late))]:.0f} s",
        f"{late[-1]:.0f} s",
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=500)
    parser.add_argument("--case", choices=[*CASES], action="append")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--way", choices=["alone", "fleet", "loopback"], default="alone")
    parser.add_argument("--seed", type=int, default=FIRST_SEED)
    given = parser.parse_args()
    main(given.case or [*CASES], given.tasks, given.jobs, given.way, given.seed)
