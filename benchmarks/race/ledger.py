"""Where is kept what was measured, so that it can be shown again, and gone on with?"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from race.rounds import Out, Run

__all__ = ["Ledger"]


class Ledger:
    """The runs of one row, on disk after each of them: hours may lie between two rounds.

    What is left of a round that was broken off is forgotten, since it took turns with nobody.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.versions: dict[str, str] = {}
        self.runs: list[Run] = []
        self.out: list[Out] = []
        if path.exists():
            told = json.loads(path.read_text())
            self.versions = told["versions"]
            self.runs = _whole_rounds([Run(**run) for run in told["runs"]])
            self.out = [Out(**out) for out in told.get("out", ())]

    @property
    def rounds(self) -> int:
        """How many there are, all whole."""
        return 1 + max((run.round for run in self.runs), default=-1)

    def begin(self, versions: dict[str, str], *, anew: bool) -> None:
        """Forget what is there, unless it is gone on with by the same versions."""
        if anew or versions != self.versions:
            self.runs, self.out = [], []
        self.versions = versions

    def is_out(self, racer: str, work: str) -> bool:
        """Whether it failed before: it is not asked again until all begin anew."""
        return any((out.racer, out.work) == (racer, work) for out in self.out)

    def add(self, found: Run | Out) -> None:
        """Keep one; who is out loses what it had."""
        if isinstance(found, Run):
            self.runs.append(found)
        else:
            self.out.append(found)
            self.runs = [run for run in self.runs if not self.is_out(run.racer, run.work)]
        told = {
            "versions": self.versions,
            "runs": [asdict(run) for run in self.runs],
            "out": [asdict(out) for out in self.out],
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(told, indent=1))


def _whole_rounds(runs: Iterable[Run]) -> list[Run]:
    rounds: dict[int, list[Run]] = {}
    for run in runs:
        rounds.setdefault(run.round, []).append(run)
    full = max((len(some) for some in rounds.values()), default=0)
    return [run for some in rounds.values() if len(some) == full for run in some]
