"""Who races, and how is each of them started?"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from race.store import find

__all__ = ["RACERS", "Racer", "Start", "Task"]

_PROGRAMS = Path(__file__).parents[1] / "programs"


@dataclass(frozen=True, kw_only=True)
class Task:
    """One run of one racer."""

    links: dict[str, str]
    """By the name that each file shall get."""
    folder: Path
    """Where to: it is there, and empty."""
    notes: Path
    """Where lists and settings may be put, outside of what is looked at."""
    connections: int
    authority: Path
    peers: Path | None
    """The Python that has the peers, where any of them runs."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """What is started."""

    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Racer:
    """A client."""

    name: str
    start: Callable[[Task], Start]
    share: float = 1.0
    """What part of the files it gets: a slow one's rate shows on fewer."""
    signed: bool = True
    tells_time: bool = True
    """Whether it starts its watch by itself, after its imports."""
    works: tuple[str, ...] = ()
    """Where it takes part; everywhere, if none is named."""
    ours: bool = False
    """Whether it runs with our own Python instead of the peers'."""

    @property
    def is_installed(self) -> bool:
        """Whether it comes from the peers' environment."""
        return self.tells_time and not self.ours


def _program(name: str, *options: str, ours: bool = False) -> Callable[[Task], Start]:
    def start(task: Task) -> Start:
        job = task.notes / "job.json"
        told = {"folder": str(task.folder), "connections": task.connections, "links": task.links}
        job.write_text(json.dumps(told))
        python = sys.executable if ours else str(task.peers)
        return Start(
            command=[python, str(_PROGRAMS / f"{name}.py"), str(job), *options],
            # Python's own way to be told of an authority: all clients in Python honour it.
            environment={"SSL_CERT_FILE": str(task.authority)},
        )

    return start


def _streamed(task: Task) -> Start:
    """Ours, with its links in a file that it reads as it goes: nobody holds a list of them."""
    listed = task.notes / "links.txt"
    listed.write_text("".join(f"{name} {link}\n" for name, link in task.links.items()))
    return _program("ours_streamed", ours=True)(replace(task, links={}))


def _aria2(task: Task, *more: str) -> Start:
    listed = task.notes / "aria2.txt"
    listed.write_text("".join(f"{link}\n out={name}\n" for name, link in task.links.items()))
    return Start(
        command=[
            *(find("aria2c"), "--no-conf", "--quiet", f"--input-file={listed}"),
            *(f"--dir={task.folder}", f"--ca-certificate={task.authority}"),
            *(f"--max-concurrent-downloads={task.connections}", *more),
        ]
    )


def _aria2_one(task: Task) -> Start:
    return _aria2(task, "--max-connection-per-server=1", "--split=1")


def _aria2_no_autosave(task: Task) -> Start:
    return _aria2(task, "--max-connection-per-server=1", "--split=1", "--auto-save-interval=0")


def _aria2_split(task: Task) -> Start:
    return _aria2(task, "--max-connection-per-server=4", "--split=4")


def _curl(task: Task) -> Start:
    listed = task.notes / "curl.txt"
    listed.write_text(
        "".join(
            f'url = "{link}"\noutput = "{task.folder / name}"\n'
            for name, link in task.links.items()
        )
    )
    return Start(
        command=[
            *(find("curl"), "--disable", "--silent", "--show-error", "--fail"),
            *("--parallel", "--parallel-max", str(task.connections)),
            *("--cacert", str(task.authority), "--config", str(listed)),
        ]
    )


def _cli(name: str, start: Callable[[Task], Start]) -> Racer:
    return Racer(name=name, start=start, tells_time=False)


RACERS = {
    racer.name: racer
    for racer in (
        Racer(name="ours", start=_program("ours", ours=True), ours=True),
        # With the extra of that name: msgspec, orjson and uvloop.
        Racer(name="ours [speed]", start=_program("ours", "--speed", ours=True), ours=True),
        Racer(name="ours, streamed", start=_streamed, works=("one", "small", "many"), ours=True),
        _cli("aria2c", _aria2_one),
        _cli("aria2c, no autosave", _aria2_no_autosave),
        _cli("aria2c -x4", _aria2_split),
        _cli("curl --parallel", _curl),
        Racer(name="obstore", start=_program("obstore_get"), signed=False),
        Racer(name="tutorial", start=_program("tutorial")),
        Racer(name="parfive", start=_program("parfive_queue")),
        Racer(name="stac-asset", start=_program("stac")),
        Racer(name="httpx", start=_program("httpx_stream"), share=0.1),
        Racer(name="planet", start=_program("planet_sdk"), share=0.1),
    )
}
