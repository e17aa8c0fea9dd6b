"""Somebody else's record stands beside a file: is he waited for, or succeeded?"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest
from claimed_files import ASSET, BODY, NAME, plant, silence
from downloads import parts_in
from sink_files import hashed

from iceye_derivatives._core.ownership import Owner, parse_owner
from iceye_derivatives.sharing import Busy, Present
from iceye_derivatives.sinks import DirectorySink

pytestmark = pytest.mark.anyio

unix = pytest.mark.skipif(os.name == "nt", reason="processes are told apart by Unix's means")


@contextmanager
def another_process() -> Iterator[tuple[subprocess.Popen[str], Owner]]:
    """A live process that could hold a claim, and its record."""
    program = (
        "from iceye_derivatives.sinks._process import new_owner\n"
        "from iceye_derivatives._core.ownership import render_owner\n"
        "print(render_owner(new_owner()).decode(), flush=True); input()"
    )
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield process, parse_owner(process.stdout.readline().encode())
        finally:
            process.kill()


async def test_a_folder_that_was_empty_when_we_came_is_not_believed_to_be_so_still(
    tmp_path: Path,
) -> None:
    """There the one look behind the claim must do; and the first stranger's file ends that."""
    (tmp_path / NAME).parent.mkdir()
    sink = DirectorySink(tmp_path)
    async with sink.claim(NAME, ASSET) as found:
        assert not isinstance(found, Present | Busy)
    await DirectorySink(tmp_path).put(NAME, BODY, hashed)
    async with sink.claim(NAME, ASSET) as found:
        assert isinstance(found, Present)
    assert not parts_in(tmp_path)
    plant(tmp_path)  # who asks for a name that somebody has is kept waiting, who looks first is not
    async with sink.claim(NAME, ASSET) as found:
        assert isinstance(found, Present)


@unix
async def test_a_live_process_of_this_machine_is_waited_for_however_silent(tmp_path: Path) -> None:
    with another_process() as (process, owner):
        record = plant(
            tmp_path, owner.token, machine=owner.machine, pid=owner.pid, started=owner.started
        )
        silence(record, 1e6)
        sink = DirectorySink(tmp_path)
        async with sink.claim(NAME, ASSET) as found:
            assert isinstance(found, Busy)
            assert str(process.pid) in found.owner
        process.kill()
        process.wait()
        async with sink.claim(NAME, ASSET) as found:
            assert not isinstance(found, Busy)
    assert parts_in(tmp_path) == set()


@unix
async def test_a_process_that_got_the_dead_one_s_number_is_not_mistaken_for_it(
    tmp_path: Path,
) -> None:
    with another_process() as (_, owner):
        plant(tmp_path, machine=owner.machine, pid=owner.pid, started="1")
        async with DirectorySink(tmp_path).claim(NAME, ASSET) as found:
            assert not isinstance(found, Busy)


async def test_another_machine_is_waited_for_while_its_heart_beats(tmp_path: Path) -> None:
    record = plant(tmp_path)
    sink = DirectorySink(tmp_path)
    silence(record, 100)
    async with sink.claim(NAME, ASSET) as found:
        assert isinstance(found, Busy)
        assert "elsewhere" in found.owner
    silence(record, 200)
    async with sink.claim(NAME, ASSET) as found:
        assert not isinstance(found, Busy | Present)
        await found.put(BODY, hashed)
    assert parts_in(tmp_path) == set()


async def test_a_heart_beats(tmp_path: Path) -> None:
    sink = DirectorySink(tmp_path)
    async with sink.claim(NAME, ASSET):
        [name] = parts_in(tmp_path)
        record = tmp_path / "task-1" / name
        silence(record, 1000)
        before = record.stat().st_mtime
        await sink.beat()
        assert record.stat().st_mtime - before > 900
    await sink.beat()
    assert parts_in(tmp_path) == set()


async def test_a_claim_that_is_cancelled_while_it_is_made_leaves_the_name_free(
    tmp_path: Path,
) -> None:
    sink = DirectorySink(tmp_path)
    for steps in (*range(6), *range(6)):  # so that the thread is before, in and behind its work
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_claim_for_ever, sink)
            for _ in range(steps):
                await anyio.sleep(0.0005)
            tasks.cancel_scope.cancel()
        assert parts_in(tmp_path) == set()


async def _claim_for_ever(sink: DirectorySink) -> None:
    async with sink.claim(NAME, ASSET):
        await anyio.sleep_forever()


@pytest.mark.parametrize("body", [b"", b"{", b"null", b'{"format":9}', b"x" * 100_000])
async def test_a_record_that_is_never_finished_is_taken_over_after_a_while(
    tmp_path: Path, body: bytes
) -> None:
    """Killed between creating the record and writing it."""
    record = plant(tmp_path)
    record.write_bytes(body)
    sink = DirectorySink(tmp_path)
    async with sink.claim(NAME, ASSET) as found:
        assert isinstance(found, Busy)
    silence(record, 30)
    async with sink.claim(NAME, ASSET) as found:
        assert not isinstance(found, Busy)
    assert parts_in(tmp_path) == set()


@unix
async def test_what_was_planted_in_place_of_a_record_is_told_and_not_waited_for(
    tmp_path: Path,
) -> None:
    record = plant(tmp_path)
    record.unlink()
    record.symlink_to(tmp_path / "anywhere")
    with pytest.raises(OSError, match="no file"):
        async with DirectorySink(tmp_path).claim(NAME, ASSET):
            pass
