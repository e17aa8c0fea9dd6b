"""What does a waiting task cost, does the loop stay smooth, and how many looks a second go?

Three parts, each against a server of JSON in a process of its own (raw asyncio, keep-alive):

* memory: a hundred thousand waiting tasks in a fleet, beside a task and a sleep for each;
* smooth: the same fleet at a thousand looks a second, and how late the event loop comes meanwhile;
* ceiling: looks a second where all are always due, beside a bare aiohttp loop that decodes each
  answer and does nothing else.  Interleaved rounds, medians, ratios.

Run: ``python benchmarks/fleet.py [smooth ...] [--tasks 100000] [--seconds 15] [--rounds 5]``; each
part by its name, or all of them, and each prints as soon as it knows.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import multiprocessing
import random
import resource
import statistics
import time
import uuid
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import aiohttp

from iceye_derivatives import (
    Availability,
    Backoff,
    Derivative,
    DerivativesClient,
    FleetState,
    Scene,
    Snapshot,
    StaticToken,
    Task,
    TaskNotFoundError,
    Watch,
)
from iceye_derivatives._core.decisions import Patience
from iceye_derivatives._core.fleet import Reach, RotaEntry
from iceye_derivatives._core.fleet_park import Garage

TYPES = ("DC_AIRCRAFT", "DC_VEHICLES", "DC_VESSELS")
TOKEN = "t" * 800
ALWAYS_DUE = Backoff(initial=0.001, factor=1.0, maximum=0.001)
WORKERS = 16


# -- the server ------------------------------------------------------------------------------------

BODY = json.dumps(
    {
        "data": [
            {"id": str(uuid.UUID(int=n)), "derivativeProductType": kind, "assets": []}
            for n, kind in enumerate(TYPES)
        ]
    }
).encode()
ANSWER = (
    b"HTTP/1.1 206 Partial Content\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n" % len(BODY)
) + BODY


class Responder(asyncio.Protocol):
    """The same answer to whatever is asked."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the line."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each head that ends here; a GET has no body."""
        self._transport.write(ANSWER * data.count(b"\r\n\r\n"))


async def _serve(port: Connection) -> None:
    server = await asyncio.get_running_loop().create_server(Responder, "127.0.0.1", 0)
    port.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def _server(port: Connection) -> None:
    asyncio.run(_serve(port))


@contextmanager
def serving() -> Iterator[str]:
    """The base URL of a server in another process."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=_server, args=(there,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}"
    finally:
        process.terminate()
        process.join()


# -- memory ----------------------------------------------------------------------------------------


def ids(tasks: int) -> list[str]:
    """As the API makes them."""
    draw = random.Random(1)
    return [str(uuid.UUID(int=draw.getrandbits(128))) for _ in range(tasks)]


def imaged(tasks: int, backoff: Backoff, spread: float) -> FleetState:
    """A fleet whose images are taken and whose derivatives are still being made."""
    now = time.time()  # noqa: TID251 - a benchmark runs in real time
    garage = Garage(Patience(backoff=backoff))
    draw = random.Random(2)
    watch = garage.fresh("", now)
    watch.receive_task(Task(id="", status="FULFILLED", derivative_product_types=TYPES), now)
    listed = tuple(Derivative(id=kind, task_id="", product_type=kind) for kind in TYPES)
    watch.receive(Snapshot(task_id="", availability=Availability.PARTIAL, derivatives=listed), now)
    watch.decide(now, 0.5)
    state = garage.park(watch)
    places = (RotaEntry(now + spread * draw.random(), i, Reach.ALONE, state) for i in ids(tasks))
    return FleetState(tuple(places))


def waiting(tasks: int) -> FleetState:
    """A fleet that waits for its images, each parked on its own."""
    now = time.time()  # noqa: TID251 - as above
    garage = Garage(Patience())
    draw = random.Random(3)
    places = []
    for task_id in ids(tasks):
        watch = garage.fresh(task_id, now + draw.random())
        task = Task(id=task_id, status="ACTIVE", derivative_product_types=tuple(TYPES))
        watch.receive_task(task, now + draw.random())
        watch.decide(now + draw.random(), draw.random())
        due = now + 3600 * (1 + draw.random())
        places.append(RotaEntry(due, task_id, Reach.LISTED, garage.park(watch)))
    return FleetState(tuple(places))


def resident() -> int:
    """Bytes of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize()


async def _fleet_bytes(tasks: int) -> float:
    async with DerivativesClient(auth=StaticToken(TOKEN), base_url="http://127.0.0.1:9") as client:
        gc.collect()
        before = resident()
        text = waiting(tasks).to_json()
        state = FleetState.from_json(text)
        del text
        async with client.watch_tasks(state=state, bulk=False) as fleet:
            del state
            gc.collect()
            await asyncio.sleep(0.2)
            assert len(fleet) == tasks
            return (resident() - before) / tasks


async def _task_bytes(tasks: int) -> float:
    """What everybody writes first: a generator, a task and a sleep for each."""

    class Asleep:
        async def look_at_derivatives(self, task_id: str) -> Snapshot:
            return Snapshot(task_id=task_id, availability=Availability.NONE)

        async def look_at_task(self, task_id: str) -> Task:
            return Task(id=task_id, status="ACTIVE", derivative_product_types=tuple(TYPES))

        async def look_at_scene(self, task_id: str) -> Scene:
            raise TaskNotFoundError(f"Task {task_id} has no scene", status=404, task_id=task_id)

    async def one(client: DerivativesClient, watch: Watch) -> None:
        async with aclosing(client.watch_task(watch.task_id, watch=watch)) as derivatives:
            async for _ in derivatives:
                pass

    async with DerivativesClient(auth=StaticToken(TOKEN), base_url="http://127.0.0.1:9") as client:
        client._polls = Asleep()  # type: ignore[assignment]  # noqa: SLF001  nobody to ask
        names = ids(tasks)
        gc.collect()
        before = resident()
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(one(client, Watch(str(name)))) for name in names]
            for _ in range(5):
                await asyncio.sleep(0.2)
            gc.collect()
            used = (resident() - before) / tasks
            for task in running:
                task.cancel()
        return used


def _measure(how: str, tasks: int, answer: Connection) -> None:
    answer.send(asyncio.run(_fleet_bytes(tasks) if how == "fleet" else _task_bytes(tasks)))


def bytes_a_task(how: str, tasks: int) -> float:
    """Measured in a process of its own, as memory is seldom given back."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=_measure, args=(how, tasks, there))
    process.start()
    used: float = here.recv()
    process.join()
    return used


# -- smooth ----------------------------------------------------------------------------------------


async def lateness(until: float, every: float = 0.005) -> list[float]:
    """How late the loop comes to something that is due each 5 ms, in milliseconds."""
    late = []
    while time.monotonic() < until:
        due = time.monotonic() + every
        await asyncio.sleep(every)
        late.append(1000 * (time.monotonic() - due))
    return sorted(late)


async def smooth(base_url: str, tasks: int, seconds: float) -> tuple[float, list[float], float]:
    """Looks a second, the sorted lateness, and the share of a core."""
    mean = tasks / 1000
    backoff = Backoff(initial=2 * mean, factor=1.0, maximum=2 * mean)
    async with DerivativesClient(
        auth=StaticToken(TOKEN), base_url=base_url, rate=1e6, burst=1000
    ) as client:
        looks = counted(client)
        state = imaged(tasks, backoff, mean)
        async with client.watch_tasks(state=state, backoff=backoff, bulk=False):
            del state
            gc.collect()
            await asyncio.sleep(1.0)
            begun, used = looks[0], time.process_time()
            late = await lateness(time.monotonic() + seconds)
            return (looks[0] - begun) / seconds, late, (time.process_time() - used) / seconds


def counted(client: DerivativesClient) -> list[int]:
    """A counter of the looks of a client's fleets."""
    polls = client._polls  # noqa: SLF001  what a fleet asks by
    looks, inner = [0], polls.look_at_derivatives

    async def look(task_id: str) -> Snapshot:
        looks[0] += 1
        return await inner(task_id)

    polls.look_at_derivatives = look  # type: ignore[method-assign]
    return looks


# -- ceiling ---------------------------------------------------------------------------------------


async def fleet_rate(base_url: str, seconds: float) -> float:
    """Looks a second where all tasks are always due."""
    async with DerivativesClient(
        auth=StaticToken(TOKEN), base_url=base_url, rate=1e6, burst=1000
    ) as client:
        looks = counted(client)
        state = imaged(2000, ALWAYS_DUE, 0.0)
        async with client.watch_tasks(
            state=state, backoff=ALWAYS_DUE, bulk=False, concurrency=WORKERS
        ):
            await asyncio.sleep(0.5)
            begun = looks[0]
            await asyncio.sleep(seconds)
            return (looks[0] - begun) / seconds


async def bare_rate(base_url: str, seconds: float) -> float:
    """The same with nothing but aiohttp and json."""
    names, looks = ids(2000), 0
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json"}

    async def work(session: aiohttp.ClientSession) -> None:
        nonlocal looks
        while True:
            url = f"{base_url}/api/tasking/v2/tasks/{names[looks % 2000]}/derivatives"
            looks += 1
            async with session.get(url, headers=headers) as response:
                json.loads(await response.read())

    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        running = [group.create_task(work(session)) for _ in range(WORKERS)]
        await asyncio.sleep(0.5)
        begun = looks
        await asyncio.sleep(seconds)
        rate = (looks - begun) / seconds
        for task in running:
            task.cancel()
    return rate


def print_memory(tasks: int) -> None:
    """Bytes a task, in two ways."""
    fleet, each = bytes_a_task("fleet", tasks), bytes_a_task("task", min(tasks, 20_000))
    print(
        f"memory: {tasks} waiting tasks take {fleet:.0f} bytes each in a fleet, {each:.0f} with a"
    )
    print(f"task and a sleep each: {each / fleet:.1f} times as much", flush=True)


def print_smooth(tasks: int, seconds: float) -> None:
    """How late the loop comes."""
    with serving() as base_url:
        rate, late, share = asyncio.run(smooth(base_url, tasks, seconds))
    print(f"smooth: {rate:.0f} looks a second over {tasks} tasks, {share:.2f} of a core; the loop")
    print(f"is late by {late[int(0.99 * len(late))]:.1f} ms (p99), {late[-1]:.1f} ms at most")
    print(f"(the latest five: {', '.join(f'{one:.1f}' for one in late[-5:])})", flush=True)


def print_ceiling(rounds: int) -> None:
    """Looks a second at most."""
    ours, bare = [], []
    with serving() as base_url:
        for _ in range(rounds):
            bare.append(asyncio.run(bare_rate(base_url, 2.0)))
            ours.append(asyncio.run(fleet_rate(base_url, 2.0)))
    ratio = statistics.median(our / other for our, other in zip(ours, bare, strict=True))
    print(f"ceiling: {statistics.median(ours):.0f} looks a second at most, a bare aiohttp loop")
    print(
        f"{statistics.median(bare):.0f}: {ratio:.2f} of it (median of {rounds} rounds)", flush=True
    )


def main(parts: list[str], tasks: int, seconds: float, rounds: int) -> None:
    """Print the parts that were asked for."""
    if "memory" in parts:
        print_memory(tasks)
    if "smooth" in parts:
        print_smooth(tasks, seconds)
    if "ceiling" in parts:
        print_ceiling(rounds)


PARTS = ["memory", "smooth", "ceiling"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="*", metavar="part", help=f"of {PARTS}")
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    main(chosen.part or PARTS, chosen.tasks, chosen.seconds, chosen.rounds)
