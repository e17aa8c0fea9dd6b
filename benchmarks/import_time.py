"""What does `import iceye_derivatives` cost, measured in imports of aiohttp?

Each round starts a fresh interpreter for each of the two, in turns, so that a machine that warms up
or gets busy hits both alike; the ratio is taken within the round, and the median over the rounds.
An interpreter that imports nothing is measured too and taken off: we are not to blame for Python.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time

LIMIT = 1.15
"""What we promise ourselves: little more than a program that uses aiohttp pays anyway."""
PROGRAMS = {"nothing": "", "aiohttp": "import aiohttp", "ours": "import iceye_derivatives"}


def seconds(program: str) -> float:
    """The wall time of one fresh interpreter that runs `program` away from our source folder."""
    before = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tempfile.gettempdir())  # noqa: S603 - our own program text
    return time.perf_counter() - before


def measure(rounds: int) -> list[dict[str, float]]:
    """One dict a round: seconds by name, after a round that only fills the caches."""
    return [{name: seconds(text) for name, text in PROGRAMS.items()} for _ in range(rounds + 1)][1:]


def main() -> None:
    """Measure and print; a benchmark is no test, so it judges nothing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=21)
    rounds = measure(parser.parse_args().rounds)

    for name in PROGRAMS:
        print(f"{name:>8}: {statistics.median(r[name] for r in rounds) * 1000:6.1f} ms")
    ratio = statistics.median(
        (r["ours"] - r["nothing"]) / (r["aiohttp"] - r["nothing"]) for r in rounds
    )
    print(f"import iceye_derivatives = {ratio:.2f} x import aiohttp (aim: at most {LIMIT})")


if __name__ == "__main__":
    main()
