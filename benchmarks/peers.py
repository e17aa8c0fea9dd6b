"""How fast is a download, measured against what one would use instead?

``python benchmarks/peers.py`` races ours against aria2c, curl and Python's downloaders, all of them
against an nginx on this machine, in turns, and prints a table a row; ``--quick`` takes a minute and
proves nothing but that it runs.  The peers in Python are installed once, into a folder of the
user's cache; nginx, aria2c, curl and openssl are Debian's (``--apt`` gets them, if root asks).
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from race.environment import install, install_with_apt, versions
from race.ledger import Ledger
from race.racers import RACERS, Racer
from race.rounds import Course, Out, Run, race
from race.rows import ROWS, Row
from race.store import Distance, serving
from race.tables import render
from race.work import WORKS, prepare

_QUICK_FILES = 100
_QUICK_BYTES = 20_000_000


def main() -> None:
    """Run what was asked for, or show what was found last."""
    asked = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nginx and files go, too
    if asked.apt:
        install_with_apt()
    for row in (row for row in ROWS.values() if row.key in asked.rows):
        ledger = Ledger(asked.cache / _shelf(asked) / f"{row.key}.json")
        if not asked.show:
            _race(asked, row, ledger)
        if ledger.runs:
            print(render(row, ledger.runs, ledger.out, judge=not asked.quick), end="\n\n")
            print(", ".join(map(" ".join, ledger.versions.items())), end="\n\n", flush=True)


def _race(asked: argparse.Namespace, row: Row, ledger: Ledger) -> None:
    print(row.title, file=sys.stderr)
    (asked.cache / "files").mkdir(parents=True, exist_ok=True)
    names = row.aimed if asked.aimed else row.racers
    racers = [RACERS[name] for name in names if name in asked.only]
    foreign = any(racer.is_installed for racer in racers)
    peers = install(asked.cache / "peers") if foreign else None
    ledger.begin(versions(peers), anew=not asked.more)
    for found in _runs(asked, row, racers, peers, ledger):
        told = f"{found.seconds:.2f} s" if isinstance(found, Run) else f"is out: {found.why}"
        print(f"  {found.racer}: {told}", file=sys.stderr)
        ledger.add(found)


def _runs(
    asked: argparse.Namespace,
    row: Row,
    racers: list[Racer],
    peers: Path | None,
    ledger: Ledger,
) -> Iterator[Run | Out]:
    files = asked.cache / "files"
    rounds = range(ledger.rounds, ledger.rounds + (1 if asked.quick else asked.rounds))
    with ExitStack() as stack:
        distance = Distance() if row.far else None
        store = stack.enter_context(serving(asked.cache / "store", files, distance))
        ground = stack.enter_context(_ground(asked, disk=row.disk))
        for number, name in enumerate(row.works):
            work = WORKS[name]
            work = work.scaled(_QUICK_FILES, _QUICK_BYTES) if asked.quick else work
            prepare(files, work)
            course = Course(
                work=work,
                store=store,
                files=files,
                ground=ground / f"{number}",
                peers=peers,
                connections=row.connections,
                tls=not asked.http,
                keep=row.disk,
                rounds=rounds,
                # Memory is the same on a busy machine.
                tries=1 if asked.quick or len(row.works) > 1 else 3,
            )
            here = [racer for racer in racers if not racer.works or name in racer.works]
            yield from race(course, [one for one in here if not ledger.is_out(one.name, name)])


@contextmanager
def _ground(asked: argparse.Namespace, *, disk: bool) -> Iterator[Path]:
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
    parent = asked.disk if disk or not memory.is_dir() else memory
    parent.mkdir(parents=True, exist_ok=True)
    ground = Path(tempfile.mkdtemp(prefix="iceye-race-", dir=parent))
    try:
        yield ground
    finally:
        shutil.rmtree(ground, ignore_errors=True)


def _shelf(asked: argparse.Namespace) -> str:
    """Where results are kept: none is taken for one of another kind."""
    kinds = {"http": asked.http, "quick": asked.quick, "aimed": asked.aimed}
    some = ["+".join(asked.only)] if asked.only != list(RACERS) else []
    return "-".join(["results", *(name for name, is_so in kinds.items() if is_so), *some])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "iceye-derivatives"
    parser.add_argument("rows", nargs="*", default=list(ROWS), help=f"of {', '.join(ROWS)}")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", default=list(RACERS), help="which clients")
    parser.add_argument("--aimed", action="store_true", help="ours and whom a target names")
    parser.add_argument("--more", action="store_true", help="add rounds to those of last time")
    parser.add_argument("--http", action="store_true", help="without TLS")
    parser.add_argument("--quick", action="store_true", help="few files, one round")
    parser.add_argument(
        "--show", action="store_true", help="print what was found last, run nothing"
    )
    parser.add_argument("--apt", action="store_true", help="get what is missing from Debian")
    parser.add_argument("--cache", type=Path, default=cache / "race", help="for peers and files")
    parser.add_argument(
        "--disk", type=Path, default=cache / "ground", help="on the disk to measure"
    )
    asked = parser.parse_args()
    if unknown := set(asked.rows) - ROWS.keys():
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    return asked


if __name__ == "__main__":
    main()
