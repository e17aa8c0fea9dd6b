"""What does a fuzzer find that is guided by coverage: ``guided.py -max_total_time=60``?

Needs atheris.  The first byte of an input picks the target, so one corpus serves all of them.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import atheris  # type: ignore[import-untyped]  # it has none
from seeds import SEEDS, TEXTS

with atheris.instrument_imports(include=["iceye_derivatives"]):
    from targets import TARGETS

NAMES = sorted(TARGETS)


def one_input(data: bytes) -> None:
    """What libFuzzer calls, again and again."""
    if data:
        TARGETS[NAMES[data[0] % len(NAMES)]](data[1:])


def write_corpus(folder: Path) -> None:
    """Every seed for every target."""
    for number in range(len(NAMES)):
        for index, seed in enumerate([*TEXTS, *(json.dumps(each).encode() for each in SEEDS)]):
            (folder / f"{number}-{index}").write_bytes(bytes([number]) + seed)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as corpus:
        write_corpus(Path(corpus))
        atheris.Setup([*sys.argv, corpus], one_input)
        atheris.Fuzz()
