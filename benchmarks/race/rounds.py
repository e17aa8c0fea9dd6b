"""How is a racer measured: in turns, alone, and only if all its files came whole?

One that fails is out, with its reason, and the others race on.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from race.racers import Racer, Start, Task
from race.store import Store
from race.work import NotWhole, Work, check, prepare

__all__ = ["Course", "Out", "Run", "race"]

_LONGEST = 300.0
_QUIET = 0.15


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one process did."""

    racer: str
    work: str
    round: int
    files: int
    bytes: int
    seconds: float
    """From its first line after the imports; the whole process where that is all there is."""
    whole: float
    """From its start to its end: interpreter and imports included."""
    cpu: float
    """User and system time for those `seconds`."""
    whole_cpu: float
    rss: int
    """Bytes at its peak; for a program that is not Python, no less than what we have ourselves,
    as Linux hands that down."""
    load: float
    """Cores that somebody else used meanwhile: neither the racer, nor the store, nor we."""


@dataclass(frozen=True, kw_only=True)
class Out:
    """Who did not finish, and so gets no number: not for earlier rounds either."""

    racer: str
    work: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Course:
    """Where a race takes place."""

    work: Work
    store: Store
    files: Path
    """What the store serves."""
    ground: Path
    """Each run gets a new folder below it."""
    peers: Path | None
    connections: int = 64
    tls: bool = True
    keep: bool = False
    """Delete at the very end: ext4 goes on paying for what was deleted a minute ago."""
    rounds: range = range(5)
    """Their numbers: a race may be gone on with."""
    tries: int = 3
    """Runs for one round, where somebody else was busy: the quietest counts."""


def race(course: Course, racers: list[Racer]) -> Iterator[Run | Out]:
    """Run all in turns, there and back again, after a warm-up that counts for nothing."""
    running = list(racers)
    warm = course.work.scaled(min(course.work.count, 8), 1_000_000)
    turns = [("warm", racers), *((f"{n}", racers[:: 1 - n % 2 * 2]) for n in course.rounds)]
    for label, turn in turns:
        for racer in (one for one in turn if one in running):
            try:
                if label == "warm":
                    _run(course, racer, warm, label)
                else:
                    yield replace(_quietest(course, racer, label), round=int(label))
            except NotWhole as verdict:
                running.remove(racer)
                yield Out(racer=racer.name, work=course.work.key, why=str(verdict))


def _quietest(course: Course, racer: Racer, label: str) -> Run:
    work = course.work.scaled(max(1, round(course.work.count * racer.share)))
    tries = [_run(course, racer, work, label)]
    while tries[-1].load > _QUIET and len(tries) < course.tries:
        tries.append(_run(course, racer, work, f"{label}-{len(tries)}"))
    return min(tries, key=lambda run: run.load)


def _run(course: Course, racer: Racer, work: Work, label: str) -> Run:
    digests = prepare(course.files, work)
    ground = course.ground / f"{label}-{racer.name.replace(' ', '-')}"
    folder, notes = ground / "files", ground / "notes"
    for each in (folder, notes):
        each.mkdir(parents=True)
    links = {
        f"{number:05}.{work.suffix}": course.store.link(name, tls=course.tls, signed=racer.signed)
        for number, name in enumerate(digests)
    }
    task = Task(
        links=links,
        folder=folder,
        notes=notes,
        connections=course.connections,
        authority=course.store.authority,
        peers=course.peers,
    )
    try:
        run = _measure(course, racer, _start(racer, task), work, notes)
        check(folder, digests)
    finally:
        if not course.keep:
            shutil.rmtree(ground)
    return run


def _start(racer: Racer, task: Task) -> Start:
    try:
        return racer.start(task)
    except SystemExit as missing:  # it is not installed, which hinders nobody else
        raise NotWhole(str(missing)) from None


def _measure(course: Course, racer: Racer, start: Start, work: Work, notes: Path) -> Run:
    os.sync()  # what an earlier run left to be written is not this one's to wait for
    busy, served, mine = _busy(), course.store.cpu(), time.process_time()
    begun = time.perf_counter()
    with (notes / "stderr").open("wb") as errors:
        process = subprocess.Popen(  # noqa: S603 - our own list of racers
            start.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=_environment() | start.environment,
            cwd=notes,
        )
        told, usage, status = _wait(process)
    whole = time.perf_counter() - begun
    if status:
        said = (notes / "stderr").read_text(errors="replace").strip()
        sys.stderr.write(said[-2000:] + "\n")
        last = said.splitlines()[-1] if said else "without a word"
        raise NotWhole(f"it ended with status {status}: {last[:200]}")
    cpu = usage.ru_utime + usage.ru_stime
    others = _busy() - busy - (course.store.cpu() - served) - (time.process_time() - mine) - cpu
    own = json.loads(told.splitlines()[-1]) if racer.tells_time else {"seconds": whole, "cpu": cpu}
    return Run(
        racer=racer.name,
        work=work.key,
        round=0,
        files=work.count,
        bytes=work.count * work.size,
        seconds=own["seconds"],
        whole=whole,
        cpu=own["cpu"],
        whole_cpu=cpu,
        rss=int(own.get("rss", usage.ru_maxrss * 1024)),
        load=max(0.0, others / whole),
    )


def _environment() -> dict[str, str]:
    # A package that was installed has its bytecode; without it, late imports would count.
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _wait(process: subprocess.Popen[bytes]) -> tuple[bytes, resource.struct_rusage, int]:
    """Its output, what it used, and how it ended; killed if it hangs."""
    assert process.stdout is not None
    killer = threading.Timer(_LONGEST, process.kill)
    killer.start()
    try:
        with process.stdout:
            told = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)  # not `process.wait()`: that tells no usage
    except BaseException:  # we are told to end: nobody shall race on
        process.kill()
        raise
    finally:
        killer.cancel()  # or it would hold up our end
    process.returncode = os.waitstatus_to_exitcode(status)
    return told, usage, process.returncode


def _busy() -> float:
    """Seconds that all cores have worked, in all: not idle, and not waiting for a disk."""
    user, nice, system, _, _, irq, soft, steal, *_ = Path("/proc/stat").read_text().split()[1:11]
    return sum(map(int, (user, nice, system, irq, soft, steal))) / os.sysconf("SC_CLK_TCK")
