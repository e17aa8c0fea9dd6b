"""Killed, or without power, at each step on the disk: does the next run end with the same bytes?

The steps are those of the operating system that sinks take.  At the chosen one the "process" dies:
it and all that follow fail, so nothing is cleaned up.  Without power, bytes that were not synced
are lost besides, each file's to an extent of its own; and of what was written in place, any sector
is the old one, the new one or rubbish.
"""

from __future__ import annotations

import contextlib
import gc
import os
import random
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sidecars import note_in
from store_fakes import FakeStore, detections

from iceye_derivatives._core.download_settings import DownloadSettings
from iceye_derivatives.downloader import Downloader
from iceye_derivatives.events import DownloadReport
from iceye_derivatives.sinks import DirectorySink, _process, _sync, _worker

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(os.name == "nt", reason="the steps are those of Unix"),
]

SETTINGS = DownloadSettings(small=300, batch=200, retries=0)
"""All but the smallest files are streamed."""
IN_MEMORY = DownloadSettings(retries=0)
STEPS = ("open", "link", "fsync", "fdatasync", "replace", "unlink", "mkdir", "ftruncate", "pwrite")


@pytest.fixture(autouse=True)
def few_to_collect() -> Iterator[None]:
    """Each death collects what the dead one left open: not all that the test runner holds, too."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


class Killed(BaseException):
    """The process is no more."""


class Disk:
    """Counts the steps, dies at one, and knows what had been synced by then."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, root: Path, dies_at: int) -> None:
        self.root = root
        self.steps = 0
        self.dies_at = dies_at
        self.together = 0
        self.synced: dict[int, int] = {}
        self.in_place: dict[int, tuple[int, bytes, bytes]] = {}
        for name in STEPS:
            monkeypatch.setattr(os, name, self._watched(getattr(os, name)))
        monkeypatch.setattr(_sync, "syncfs", self._watched(_sync.syncfs))

    def _watched(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **named: Any) -> Any:
            self.steps += 1
            if self.steps >= self.dies_at:
                raise Killed
            if real.__name__ == "pwrite":
                self._note_in_place(*arguments)
            result = real(*arguments, **named)
            if real.__name__ in {"fsync", "fdatasync"}:
                found = os.fstat(arguments[0])
                self.synced[found.st_ino] = found.st_size
                self.in_place.pop(found.st_ino, None)
            elif real.__name__ == "syncfs":
                self.together += 1
                for found in map(Path.stat, self.root.rglob("*")):
                    self.synced[found.st_ino] = found.st_size
                self.in_place.clear()
            return result

        return step

    def _note_in_place(self, handle: int, new: bytes, at: int) -> None:
        old = os.pread(handle, len(new), at)
        assert len(old) == len(new)
        self.in_place[os.fstat(handle).st_ino] = at, old, new

    def lose(self, chance: random.Random) -> None:
        """The power goes: what was not synced is there in part, or not at all."""
        for path in self.root.rglob("*"):
            if path.is_file():
                found = path.stat()
                kept = min(self.synced.get(found.st_ino, 0), found.st_size)
                self._tear(path, found.st_ino, chance)
                os.truncate(path, chance.randint(kept, found.st_size))
                # A machine needs a minute to come up again.
                os.utime(path, (found.st_atime - 60, found.st_mtime - 60))

    def _tear(self, path: Path, inode: int, chance: random.Random) -> None:
        at, old, new = self.in_place.get(inode, (0, b"", b""))
        body = bytearray(path.read_bytes())
        for start in range(0, len(new), 512):
            sector = chance.choice((old, new, chance.randbytes(len(new))))[start : start + 512]
            body[at + start : at + start + 512] = sector
        path.write_bytes(body)


def world() -> tuple[FakeStore, list[Any]]:
    store = FakeStore(chunk=50)
    sizes = {"d1": 1500, "d2": 900, "d3": 10, "empty": 0}
    return store, [store.add(name, detections(name[-1], size)) for name, size in sizes.items()]


async def run(
    store: FakeStore, root: Path, derivatives: list[Any], *, beside: int = 1
) -> DownloadReport:
    found = Downloader(
        store,
        DirectorySink(root),
        clock=store.clock,
        jitter=lambda: 0.5,
        settings=SETTINGS if beside == 1 else IN_MEMORY,
        concurrency=beside,
    )
    return await found.download(derivatives)


async def dies(store: FakeStore, root: Path, derivatives: list[Any], *, beside: int = 1) -> bool:
    """Whether the run died; a dead process has no claims."""
    try:
        await run(store, root, derivatives, beside=beside)
    # A test that plays the power cut itself: nothing but its own `Killed` is swallowed.
    except BaseException as error:  # noqa: ASYNC103
        if isinstance(error, BaseExceptionGroup) and error.split(Killed)[1] is not None:
            raise
        if not isinstance(error, Killed | BaseExceptionGroup):
            raise
        return True  # noqa: ASYNC104
    finally:
        _process._claims.clear()
        close_below(root)
    return False


def close_below(root: Path) -> None:
    """What a system does for a dead process: close its files."""
    gc.collect()
    for entry in list(Path("/proc/self/fd").iterdir()):
        with contextlib.suppress(OSError):
            if str(entry.readlink()).startswith(str(root)):
                os.close(int(entry.name))


def fetched(store: FakeStore) -> int:
    """Bytes that would have been sent, had each request been read to its end."""
    return sum(
        len(store.bodies[key]) - int(headers.get("Range", "bytes=0-")[6:-1])
        for key, headers, _ in store.requests
    )


@pytest.mark.once
@pytest.mark.timeout(400)  # each step syncs for real, and disks differ
@pytest.mark.parametrize("power", [True, False])
async def test_at_whatever_step_it_ends_the_next_run_ends_with_the_same_bytes(
    tmp_path: Path, *, power: bool
) -> None:
    chance = random.Random(3)
    step, ended, resumed = 0, False, 0
    while not ended:
        step += 1
        root = tmp_path / str(step)
        root.mkdir()
        store, derivatives = world()
        with pytest.MonkeyPatch.context() as patched:
            disk = Disk(patched, root, step)
            ended = not await dies(store, root, derivatives)
        if not power:
            disk.lose(chance)
        store.requests.clear()

        whole = {path.name for path in root.rglob("*.geojson")}
        report = await run(store, root, derivatives)

        report.raise_for_failures()
        for record in report.files:
            assert record.path is not None
            key = next(key for ref, key in store.wanted().items() if ref == record.asset)
            assert Path(record.path).read_bytes() == store.bodies[key], step
            assert record.sha256 == sha256(store.bodies[key]).hexdigest()
            assert record.kept == (Path(record.path).name in whole)
        assert not list(root.rglob("*.part")), step
        resumed += any("Range" in headers for _, headers, _ in store.requests)
        if power:
            check_waste(store, whole)
    assert step > 60
    assert resumed > 5


@pytest.mark.skipif(_sync._library("syncfs") is None, reason="this system has no syncfs to trust")
async def test_when_files_that_are_stored_together_lose_power_each_is_whole_or_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each step of a run that stores up to eight at a time, synced by one call."""
    monkeypatch.setattr(_sync, "is_known", lambda handle: True)
    # As with a disk that takes its time: else each is stored as it comes, and none meets another.
    monkeypatch.setattr(_worker.AdaptiveWait, "pays", lambda _: False)
    chance = random.Random(5)
    step, ended, together, whole_after = 0, False, 0, 0
    while not ended:
        step += 2
        root = tmp_path / str(step)
        root.mkdir()
        store = FakeStore(chunk=50)
        derivatives = [store.add(f"d{n}", detections(str(n), 100)) for n in range(8)]
        with pytest.MonkeyPatch.context() as patched:
            disk = Disk(patched, root, step)
            ended = not await dies(store, root, derivatives, beside=8)
        disk.lose(chance)
        together += disk.together

        for path in root.rglob("*.geojson"):
            whole_after += 1
            assert path.read_bytes() in store.bodies.values(), step
        (await run(store, root, derivatives, beside=8)).raise_for_failures()
        assert not list(root.rglob("*.part")), step
    assert step > 40
    assert together > 5
    assert whole_after > 5


async def test_a_mark_never_speaks_of_bytes_that_were_not_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does the disk get it unsynced itself: after a power cut it would be lost, or garbage."""
    synced: dict[int, int] = {}
    unsynced: set[int] = set()
    marks = 0
    replace, pwrite = os.replace, os.pwrite
    folder = tmp_path / "task-1"

    def noting(real: Callable[..., Any]) -> Callable[..., Any]:
        def sync(handle: int) -> None:
            found = os.fstat(handle)
            synced[found.st_ino] = found.st_size
            unsynced.discard(found.st_ino)
            real(handle)

        return sync

    def replaced(source: str, target: str, **handles: int) -> None:
        if target.endswith(".mark.part"):
            written = folder / source
            assert synced[written.stat().st_ino] == written.stat().st_size
            speaks(note_in(written.read_bytes()))
            unsynced.add(folder.stat().st_ino)
        replace(source, target, **handles)

    def put(handle: int, page: bytes, at: int) -> int:
        assert not unsynced  # or all marks would be lost with the sidecar's name
        unsynced.add(os.fstat(handle).st_ino)
        speaks(note_in(page * 2))
        return pwrite(handle, page, at)

    def speaks(note: dict[str, Any]) -> None:
        nonlocal marks
        marks += 1
        assert note["size"] <= synced[(folder / note["part"]).stat().st_ino]

    monkeypatch.setattr(os, "fsync", noting(os.fsync))
    monkeypatch.setattr(os, "fdatasync", noting(os.fdatasync))
    monkeypatch.setattr(os, "replace", replaced)
    monkeypatch.setattr(os, "pwrite", put)
    store, derivatives = world()
    assert (await run(store, tmp_path, derivatives)).ok
    assert marks > 5
    assert not unsynced


def check_waste(store: FakeStore, whole: set[str]) -> None:
    """A whole file costs nothing, an open one what was not marked."""
    wanted = {key for ref, key in store.wanted().items() if _name(ref) not in whole}
    assert {key for key, _, _ in store.requests} <= wanted


def _name(ref: Any) -> str:
    return f"{ref.product_type}_{ref.derivative_id}.{ref.asset_type}"
