"""A disk fails: does that surface as it is, with nothing under any name and no handle open?"""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from sink_files import BODY, NAME, hashed, open_handles, tree

from iceye_derivatives.sinks import DirectorySink
from iceye_derivatives.sinks._folder import Folder

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("step", ["fsync", "replace"])
async def test_a_disk_that_fails_leaves_nothing_under_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    sink = DirectorySink(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(os, step, fail)
        with pytest.raises(OSError, match="No space"):
            await sink.put(NAME, BODY, hashed)
        with pytest.raises(OSError, match="No space"):
            async with sink.create(NAME) as part:
                await part.write(b"x" * 600_000)
                await part.commit()
    assert tree(tmp_path) == set()
    assert not open_handles(tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
async def test_a_disk_that_is_really_full_surfaces_as_such_and_closes_its_handle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`/dev/full` fails each write with ENOSPC, also the one when the file is closed."""

    def full(folder: Folder) -> tuple[str, int]:
        return "full.part", os.open("/dev/full", os.O_WRONLY)

    monkeypatch.setattr(Folder, "begin", full)
    sink = DirectorySink(tmp_path)
    for size in (10, 600_000):
        with pytest.raises(OSError, match="No space") as caught:
            async with sink.create(NAME) as part:
                await part.write(b"x" * size)
                await part.commit()
        assert caught.value.errno == errno.ENOSPC
        with pytest.raises(OSError, match="No space"):
            await sink.put(NAME, b"x" * size, hashed)
    assert tree(tmp_path) == set()
    assert not open_handles(Path("/dev/full"))


async def test_a_part_that_cannot_be_opened_leaves_no_handle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr("aiofiles.open", fail)
    with pytest.raises(OSError, match="broken"):
        async with DirectorySink(tmp_path).create(NAME) as part:
            await part.commit()
    assert tree(tmp_path) == set()
    assert not open_handles(tmp_path)
