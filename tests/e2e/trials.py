"""What trials of the real program share: a simulator, a narrow line, and what must be true."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import narrow_reader
from attrs import define, field
from narrow_line import NarrowLine

from iceye_derivatives.simulator import Simulator, TaskPlan
from iceye_derivatives.sinks import inspect

MIB = 1024 * 1024
BATCH = 512 * 1024
"""Per file: what was just being synced; its last piece is short, since the sockets' buffers are."""
DETECTIONS = 9_000
READY = TaskPlan(
    accepted_after=0,
    imaged_after=0,
    fulfilled_after=0,
    done_after=0,
    derivative_delays={"DC_VESSELS": 0, "DC_VEHICLES": 0, "DC_AIRCRAFT": 0},
)


@contextmanager
def stage() -> Iterator[tuple[Simulator, NarrowLine]]:
    """A simulator behind a narrow line, both in a thread of their own."""
    simulator, line = Simulator(plan=READY, detections=DETECTIONS, seed=5), NarrowLine()
    started, ended, loop = threading.Event(), asyncio.Event(), asyncio.new_event_loop()

    async def serve() -> None:
        async with simulator, line.to(simulator.cdn_base_url):
            simulator._links.base_url = line.base_url
            started.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert started.wait(20)
        yield simulator, line
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(20)
        loop.close()


@define
class Trial:
    """One task that is downloaded by processes that are killed, until one gets to its end."""

    simulator: Simulator
    line: NarrowLine
    folder: Path
    task_id: str = field(init=False)
    notes: Path = field(init=False)
    """Not in the folder: nothing else is to be there in the end."""
    allowed: int = 0
    kills: int = 0

    def __attrs_post_init__(self) -> None:
        self.task_id = self.simulator.add_task(plan=READY)
        self.notes = self.folder.with_name(f"{self.folder.name}.read")
        self.line.fetched.clear()

    def truth(self) -> dict[str, bytes]:
        """Every file's bytes by path on the CDN."""
        now = self.simulator.clock.time()
        listed = self.simulator.world.derivatives(self.task_id, now=now)
        paths = [asset.path for each in listed for asset in each.assets]
        found = {path: self.simulator.world.file(path, now=now) for path in paths}
        return {path: file.body for path, file in found.items() if file is not None}

    @property
    def script(self) -> list[str]:
        """The program, as a user starts it but for small buffers."""
        program = [narrow_reader.__file__, str(self.line.port), str(self.notes)]
        return [*program, "download", self.task_id, "--to", str(self.folder)]

    def start(self) -> subprocess.Popen[bytes]:
        """Start it."""
        return subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, *self.script],
            env={**os.environ, **self.simulator.environ},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def read(self) -> int:
        """Bytes of files that the processes have read, all of them together."""
        return sum(map(int, self.notes.read_text().split()))

    def run(self, chance: random.Random | None) -> bool:
        """Whether it came to its end; killed at a moment drawn from `chance` otherwise."""
        whole = {path.name: path.read_bytes() for path in self.folder.rglob("*.geojson")}
        before = self.line.fetched.copy()
        with self.start() as process:
            if chance is not None:
                self.wait_for_the_moment(process, chance)
            if process.poll() is None and chance is not None:
                process.kill()
                self.kills += 1
            assert process.stderr is not None
            error = process.stderr.read()
            killed = process.wait(60) < 0
        self.wait_for_silence()
        assert killed or process.returncode == 0, error.decode()
        if killed:
            self.allow(before)
        self.check_kept(whole, before)
        return not killed

    def allow(self, before: dict[str, int]) -> None:
        """A process was killed: each file that it had begun may have lost a mebibyte."""
        whole = {path.read_bytes() for path in self.folder.rglob("*.geojson")}
        begun = {path for path, size in self.line.fetched.items() if size > before.get(path, 0)}
        open_files = [path for path, body in self.truth().items() if body not in whole]
        self.allowed += (MIB + BATCH) * len(begun.intersection(open_files))

    def wait_for_the_moment(self, process: subprocess.Popen[bytes], chance: random.Random) -> None:
        """So many more bytes over the line, and then a little time; now and then time alone."""
        size = sum(len(body) for body in self.truth().values())
        # Half of it would not get far: a file's first 640 KiB are held in memory.
        goal = self.line.fetched.total() + chance.randint(0, size * 3 // 4)
        late = chance.random() * 0.02
        if chance.random() < 0.1:
            goal, late = 0, chance.random() * 0.4
        while process.poll() is None and self.line.fetched.total() < goal:
            time.sleep(0.001)
        time.sleep(late)

    def wait_for_silence(self) -> None:
        """Until the line has noticed that nobody reads any more."""
        while self.line.open:
            time.sleep(0.001)

    def check_kept(self, whole: dict[str, bytes], before: dict[str, int]) -> None:
        """What was whole is as it was, and nothing of it went over the line."""
        for name, body in whole.items():
            [path] = self.folder.rglob(name)
            assert path.read_bytes() == body
            [key] = [key for key, right in self.truth().items() if right == body]
            assert self.line.fetched[key] == before.get(key, 0)

    def check_end(self) -> int:
        """All is there, byte for byte, and nothing else; the number of bytes fetched twice."""
        truth = self.truth()
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        names = {path.name for path in files if not path.name.startswith(".")}
        assert all(name.endswith(".geojson") for name in names), names
        bodies = sorted(path.read_bytes() for path in files if path.suffix == ".geojson")
        assert bodies == sorted(truth.values())
        twice = self.read() - sum(len(body) for body in truth.values())
        assert 0 <= twice <= self.allowed, self.line.fetched
        return twice

    def check_journal(self) -> None:
        """Each file stands in a page of it; not where two write it down at the same moment."""
        [inventory] = inspect(self.folder)
        assert inventory.ok
        assert len(inventory.findings) == len(self.truth())
        pages = [path.name for path in self.folder.rglob(".iceye-journal*.json")]
        assert len(pages) >= len(self.truth())
