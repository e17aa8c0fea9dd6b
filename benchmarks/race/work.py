"""What is fetched: which files, how large, and how is it told that they all came whole?

The files are detections as the page shows them, each of its own bytes, so that one that was stored
under two names is noticed.  They are made once and kept, since what serves them is no part of any
number.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

__all__ = ["WORKS", "NotWhole", "Work", "check", "prepare"]

_PIECE = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Work:
    """Files of one size."""

    key: str
    count: int
    size: int
    suffix: str = "geojson"
    copies: int = 1
    """How many addresses each file has."""

    def scaled(self, count: int | None, size: int | None = None) -> Work:
        """Less of the same, for those who are slow or in a hurry."""
        fewer = self.count if count is None else min(self.count, count)
        shorter = self.size if size is None else min(self.size, size)
        return Work(key=self.key, count=fewer, size=shorter, suffix=self.suffix, copies=self.copies)

    def names(self) -> Iterator[str]:
        """Where they are below the store's root."""
        each = -(-self.count // self.copies)
        for number in range(self.count):
            copy, file = divmod(number, each)
            yield f"{self.size}/{copy}/{file:05}.{self.suffix}"


SMALL, MEDIUM, LARGE = 20_000, 500_000, 1_000_000_000
WORKS = {
    work.key: work
    for work in (
        Work(key="one", count=1, size=SMALL),
        Work(key="small", count=5_000, size=SMALL),
        Work(key="many", count=50_000, size=SMALL, copies=10),
        Work(key="medium", count=500, size=MEDIUM),
        # No detection has that size: what is asked for is a product, which nobody parses.
        Work(key="large", count=1, size=LARGE, suffix="h5"),
    )
}


class NotWhole(Exception):  # noqa: N818 - a verdict
    """A client that left something else than the files that it was asked for."""


@cache
def prepare(store: Path, work: Work) -> dict[str, str]:
    """Make what is not there; the digest of each file by its name in the store."""
    ledger = store / f"{work.size}.json"
    digests: dict[str, str] = json.loads(ledger.read_text()) if ledger.exists() else {}
    new = False
    for name in work.names():
        size, copy, file = name.split("/")
        (store / size).mkdir(parents=True, exist_ok=True)
        link = store / size / copy
        if copy != "0" and not link.is_symlink():
            link.symlink_to("0")
        if f"{size}/0/{file}" not in digests:
            (store / size / "0").mkdir(exist_ok=True)
            digests[f"{size}/0/{file}"] = _make(store / size / "0" / file, work.size)
            new = True
        digests[name] = digests[f"{size}/0/{file}"]
    if new:
        ledger.write_text(json.dumps({n: d for n, d in digests.items() if n.split("/")[1] == "0"}))
    return {name: digests[name] for name in work.names()}


def check(folder: Path, digests: dict[str, str]) -> None:
    """Do nothing where each file is in the folder once, byte for byte, and nothing else.

    Names are the client's own business, and so is what it keeps in hidden files.
    """
    found = Counter(
        _digest(path)
        for path in folder.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.parts[-2:])
    )
    wanted = Counter(digests.values())
    if found != wanted:
        raise NotWhole(
            f"{(wanted - found).total()} of {wanted.total()} files are missing, "
            f"{(found - wanted).total()} are none that was asked for"
        )


def _make(path: Path, size: int) -> str:
    draw = random.Random(path.name)
    pieces = _collection(draw, size) if path.suffix == ".geojson" else _noise(draw, size)
    digest = sha256()
    with path.open("wb") as file:
        for piece in pieces:
            digest.update(piece)
            file.write(piece)
    return digest.hexdigest()


def _collection(draw: random.Random, size: int) -> Iterator[bytes]:
    head, tail = b'{"type": "FeatureCollection", "features": [', b"]}"
    features, left = [], size - len(head) - len(tail)
    while left > len(feature := _feature(draw)) + 2:
        features.append(feature)
        left -= len(feature) + 2
    # White space is JSON, too: each file has the size that its row promises.
    yield head + b", ".join(features) + tail + b" " * (left + 2 * bool(features))


def _feature(draw: random.Random) -> bytes:
    longitude, latitude = draw.uniform(-180, 180), draw.uniform(-80, 80)
    return (
        '{"type": "Feature", "geometry": {"type": "Point", "coordinates": '
        f"[{longitude:.6f}, {latitude:.6f}]}}, "
        f'"properties": {{"class": "VESSEL", "confidence": {draw.random():.3f}, '
        f'"length_m": {draw.uniform(8, 400):.1f}, "heading_deg": {draw.uniform(0, 360):.1f}}}}}'
    ).encode()


def _noise(draw: random.Random, size: int) -> Iterator[bytes]:
    while size > 0:
        piece = draw.randbytes(min(_PIECE, size))
        size -= len(piece)
        yield piece


def _digest(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
