"""Who waits while the disk is busy: what is synced together, what passes, and what is left out?"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import anyio
import pytest
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint

from iceye_derivatives.sinks import _steps, _worker
from iceye_derivatives.sinks._disk import BRIEF, Disk, Steps
from iceye_derivatives.sinks._steps import whole

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def busy(disk: Disk) -> AsyncIterator[TaskGroup]:
    """Its thread is held until what is started in here waits in its line."""
    held, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        held.set()
        assert go_on.wait(10)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(disk.do, hold)
        await anyio.to_thread.run_sync(held.wait)
        yield tasks
        await checkpoint()
        await checkpoint()
        go_on.set()


async def test_what_gathers_while_the_disk_is_busy_is_synced_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rounds: list[int] = []

    def sync_all(handles: Sequence[int]) -> list[None]:
        rounds.append(len(handles))
        return [None] * len(handles)

    def job() -> Generator[int, None, None]:
        yield 1

    monkeypatch.setattr(_steps, "sync_all", sync_all)
    disk = Disk()
    async with busy(disk) as tasks:
        for _ in range(50):
            tasks.start_soon(disk.go_through, job())
    assert rounds == [50]


@pytest.mark.parametrize(
    ("sync", "rounds"),
    [(0.0, [3, 2, 2, 2, 2, 2, 1]), (1.0, [3, 2, 2, 2, 2, 2, 1]), (9.0, [3, 4, 7])],
)
async def test_of_long_bodies_a_portion_is_stored_at_a_time_and_small_ones_pass_them(
    sync: float, rounds: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each ends before the next one but one begins: others are read meanwhile."""
    done, begun, clock = list[str](), [0], [0.0]

    def sync_all(handles: Sequence[int]) -> list[None]:
        begun.append(0)
        clock[0] += sync
        return [None] * len(handles)

    def job(name: str) -> Generator[int, None, None]:
        done.append(f"begins {name}")
        begun[-1] += 1
        clock[0] += 1
        yield 1
        yield 1
        done.append(f"ends {name}")

    monkeypatch.setattr(_worker, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(_steps, "sync_all", sync_all)
    disk = Disk()
    async with busy(disk) as tasks:
        tasks.start_soon(disk.go_through, job("small"))
        for number in range(13):
            tasks.start_soon(lambda name: disk.go_through(job(name), size=BRIEF + 1), str(number))
    assert begun[: len(rounds)] == rounds
    assert [word for word in done if word.startswith("begins")] == [
        f"begins {name}" for name in ("small", *range(13))
    ]
    passed = rounds[0] - 1
    for portion in rounds[1:-1]:
        for number in range(passed):
            assert done.index(f"ends {number}") < done.index(f"begins {passed + portion}")
        passed += portion


async def test_what_nobody_waits_for_any_more_is_not_begun_unless_it_must_be() -> None:
    disk, done, scope = Disk(), list[str](), anyio.CancelScope()

    async def both() -> None:
        with scope:
            try:
                await disk.do(lambda: done.append("left out"))
            finally:
                await disk.do(lambda: done.append("tidied"), surely=True)

    async with busy(disk) as tasks:
        tasks.start_soon(both)
        await checkpoint()
        await checkpoint()
        scope.cancel()
    assert done == ["tidied"]


async def test_a_small_file_passes_long_bodies_that_wait_for_their_portion() -> None:
    disk, begun = Disk(), list[str]()
    async with busy(disk) as tasks:
        for name, size in (("1", BRIEF + 1), ("2", BRIEF + 1), ("3", BRIEF + 1), ("small", BRIEF)):
            job = whole(partial(begun.append, name))
            tasks.start_soon(lambda job, size: disk.go_through(job, size=size), job, size)
    assert begun == ["1", "2", "small", "3"]


async def test_a_long_body_that_waits_for_its_portion_was_not_begun() -> None:
    disk, done = Disk(), list[str]()
    held, go_on = threading.Event(), threading.Event()

    def job(name: str) -> Steps[None]:
        done.append(name)
        held.set()
        assert go_on.wait(10)
        yield from ()

    async with anyio.create_task_group() as tasks:
        for name in ("first", "second", "left out", "left out as well"):
            tasks.start_soon(lambda name: disk.go_through(job(name), size=BRIEF + 1), name)
        await anyio.to_thread.run_sync(held.wait)
        tasks.cancel_scope.cancel()
        asyncio.get_running_loop().call_later(0.01, go_on.set)
    assert done == ["first", "second"]
    await disk.do(lambda: done.append("later"))
    assert done == ["first", "second", "later"]
