"""Does the event loop stay free for others, whatever the API and the store send?"""

from __future__ import annotations

import asyncio
import gc
import json
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread, current_thread, main_thread
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint
from hostile import GOOD, TASK_ID, Hostile, answer, client_of, hostile

from iceye_derivatives import Downloader
from iceye_derivatives._transport import session
from iceye_derivatives.sinks import MemorySink

pytestmark = [pytest.mark.anyio, pytest.mark.once]

LONGEST = 0.020
"""Seconds of the processor: what else runs on the machine does not count."""
MEBI = 1 << 20


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[float, str]]]:
    """The time of the processor that each step of the loop took, and what it was.

    Without that of garbage collections: they come when the interpreter likes, and go through all
    that the test runner and the service hold.
    """
    measured: list[tuple[float, str]] = []
    plain, ours = asyncio.Handle._run, current_thread()
    collecting = 0.0

    def run(handle: asyncio.Handle) -> Any:
        begun = time.thread_time() - collecting
        try:
            return plain(handle)
        finally:
            if current_thread() is ours:
                measured.append((time.thread_time() - collecting - begun, repr(handle)))

    def collect(phase: str, _: object) -> None:
        nonlocal collecting
        if current_thread() is ours:
            collecting += time.thread_time() * (-1 if phase == "start" else 1)

    monkeypatch.setattr(asyncio.Handle, "_run", run)
    gc.callbacks.append(collect)
    yield measured
    gc.callbacks.remove(collect)


class Elsewhere:
    """The hostile service on a loop and a thread of its own, so that only ours is measured."""

    def __init__(self) -> None:
        self.server: Hostile | None = None
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    async def _serve(self) -> None:
        async with hostile() as self.server:
            await self._stop.wait()

    def start(self) -> Hostile:
        """Return when it listens."""
        self._thread.start()
        while self.server is None or not self.server.url:
            time.sleep(0.001)
        return self.server

    def stop(self) -> None:
        """Return when it is gone."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def server() -> Iterator[Hostile]:
    elsewhere = Elsewhere()
    try:
        yield elsewhere.start()
    finally:
        elsewhere.stop()


def listing(url: str, derivatives: int) -> bytes:
    """Links as long as real ones."""
    data = [
        {
            "id": f"d{number}",
            "derivativeProductType": "DC_VESSELS",
            "assets": [{"type": "geojson", "href": f"{url}/file?n={number}&Signature={'s' * 400}"}],
        }
        for number in range(derivatives)
    ]
    return answer(json.dumps({"data": data}).encode())


async def begin(steps: list[tuple[float, str]]) -> None:
    """Forget what was before, this step included."""
    await checkpoint()
    steps.clear()


def judge(steps: list[tuple[float, str]]) -> None:
    longest = sorted(steps, reverse=True)[:3]
    assert longest[0][0] < LONGEST, longest


async def test_a_huge_listing_is_read_beside_the_loop(
    server: Hostile, steps: list[tuple[float, str]]
) -> None:
    """Ten thousand derivatives, six megabytes."""
    server.answers["/derivatives"] = [[listing(server.url, 10_000)]]
    async with client_of(server) as client:
        await begin(steps)
        assert len((await client.get_derivatives(TASK_ID)).derivatives) == 10_000
        judge(steps)


async def test_the_http_client_is_imported_beside_the_loop(
    server: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tenth of a second, at the first request of a program."""
    threads: list[Thread] = []
    real = session._import

    def importing() -> None:
        threads.append(current_thread())
        real()

    monkeypatch.setattr(session, "_LOADED", dict[str, Any]())
    monkeypatch.setattr(session, "_import", importing)
    server.answers["/derivatives"] = [[listing(server.url, 1)]]
    async with client_of(server) as client:
        await client.get_derivatives(TASK_ID)
    assert threads
    assert main_thread() not in threads


async def test_many_watches_of_large_tasks_leave_the_loop_free(
    server: Hostile, steps: list[tuple[float, str]]
) -> None:
    """Twenty tasks of 500 derivatives each, at once, and one of ten thousand."""
    server.answers["/huge/derivatives"] = [[listing(server.url, 10_000)]]
    server.answers["/derivatives"] = [[listing(server.url, 500)]]

    async def watch(task_id: str, derivatives: int = 500) -> None:
        seen = [one async for one in client.watch_task(task_id)]
        assert len(seen) == derivatives

    async with client_of(server) as client, anyio.create_task_group() as tasks:
        await begin(steps)
        tasks.start_soon(watch, "huge", 10_000)
        for number in range(20):
            tasks.start_soon(watch, f"task-{number}")
    judge(steps)


async def test_large_files_are_checked_beside_the_loop(
    server: Hostile, steps: list[tuple[float, str]], tmp_path: Path
) -> None:
    """A dozen files of three mebibytes, which are parsed whole, and a long one, which is not."""
    feature = b',{"type":"Feature","geometry":null,"properties":{"a":[1,2,3]}}'
    small, large = (
        GOOD[:-2] + feature * (size // len(feature)) + b"]}" for size in (3 * MEBI, 30 * MEBI)
    )
    server.answers["/derivatives"] = [[listing(server.url, 12)]]
    server.store(*([answer(body)] for body in (large, small)))
    async with client_of(server) as client:
        await begin(steps)
        report = await client.download_task(TASK_ID, tmp_path)
    report.raise_for_failures()
    judge(steps)


async def test_a_list_of_ten_thousand_is_planned_while_others_get_their_turn(
    server: Hostile, steps: list[tuple[float, str]]
) -> None:
    """Whose links die soonest is known only when all have been looked at."""
    server.answers["/derivatives"] = [[listing(server.url, 10_000)]]
    async with client_of(server) as client:
        found = (await client.get_derivatives(TASK_ID)).derivatives
        await begin(steps)
        async with Downloader(client, MemorySink()).transfers(found) as events:
            await events.receive()
            for _ in range(200):  # until the queue is full
                await checkpoint()
    judge(steps)
