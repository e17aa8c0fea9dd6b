"""Whoever is cancelled while the disk works: is his file whole or absent, and no handle left?"""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from pathlib import Path

import anyio
import pytest
from cancelling import begun
from sink_files import BODY, NAME, hashed, open_handles, tree

from iceye_derivatives.sinks import DirectorySink

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("plainly", [False, True])
async def test_a_cancelled_put_is_finished_first_and_not_abandoned(
    tmp_path: Path, *, plainly: bool
) -> None:
    sink = DirectorySink(tmp_path)
    started, go_on, ended = threading.Event(), threading.Event(), list[BaseException]()

    def slow(body: bytes) -> str:
        started.set()
        assert go_on.wait(10)
        return hashed(body)

    async def put() -> None:
        try:
            await sink.put(NAME, BODY, slow)
        except asyncio.CancelledError as cancelled:
            ended.append(cancelled)
            raise

    task, cancel = begun(put, plainly=plainly)
    await anyio.to_thread.run_sync(started.wait)
    for _ in range(5):
        cancel()  # a second one must not tear it away either
        await asyncio.sleep(0)
    assert not task.done()
    go_on.set()
    await asyncio.wait([task])
    assert len(ended) == 1
    assert (tmp_path / NAME).read_bytes() == BODY
    assert tree(tmp_path) == {NAME}


@pytest.mark.parametrize("plainly", [False, True])
async def test_a_stream_cancelled_at_any_step_is_whole_or_absent_and_leaves_no_handle(
    tmp_path: Path, *, plainly: bool
) -> None:
    """Trap (stac-asset, cancellation): clean-up catches `Exception`, and a cancellation is none."""
    body = b"x" * 700_000

    async def stream(root: Path) -> None:
        async with DirectorySink(root).create(NAME) as part:
            await part.write(body[:300_000])
            await part.write(body[300_000:])
            await part.commit()

    outcomes = set()
    for steps in [*range(60), *range(60, 130, 10)]:
        root = tmp_path / str(steps)
        task, cancel = begun(partial(stream, root), plainly=plainly)
        for _ in range(steps):
            await asyncio.sleep(0.0001 if steps > 60 else 0)
        cancel()
        await asyncio.wait([task])
        names = tree(root) if root.exists() else set()
        assert names in (set(), {NAME})
        if names:
            assert (root / NAME).read_bytes() == body
        assert not open_handles(tmp_path)
        outcomes.add(bool(names))
    assert outcomes == {False, True}


async def test_a_cancelled_look_at_a_long_file_stops_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C must not wait until gigabytes are hashed."""
    monkeypatch.setattr("iceye_derivatives.sinks._hash._BLOCK", 1)
    sink = DirectorySink(tmp_path)
    (tmp_path / "long").write_bytes(b"x" * 30_000_000)
    with anyio.move_on_after(0.05) as scope:
        await sink.find("long")
    assert scope.cancelled_caught
    assert not open_handles(tmp_path)
