"""Which races are run, and what must ours reach in each?"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ROWS", "Row", "Target"]


@dataclass(frozen=True, kw_only=True)
class Target:
    """What ours must reach against one peer."""

    peer: str
    must: float
    reach: float
    measure: str = "rate"
    """``rate``: ours through its, at least; ``cpu``: ours through its, at most."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One race."""

    key: str
    title: str
    works: tuple[str, ...]
    """One; where there are more, ours alone is measured on them."""
    racers: tuple[str, ...]
    targets: tuple[Target, ...] = ()
    connections: int = 64
    far: bool = False
    """A store that seems far away: 20 ms before each answer, 40 ms in each TLS handshake."""
    disk: bool = False
    """On a real disk instead of memory: a new folder each run, all deleted at the very end."""

    @property
    def aimed(self) -> tuple[str, ...]:
        """Ours, and whom a target names."""
        named = {target.peer for target in self.targets}
        return tuple(name for name in self.racers if name.startswith("ours") or name in named)


_ALL = (
    *("ours", "ours [speed]", "aria2c", "aria2c, no autosave", "curl --parallel", "obstore"),
    *("tutorial", "parfive", "stac-asset", "httpx", "planet"),
)
_FEW = ("ours", "ours [speed]", "aria2c", "aria2c, no autosave", "curl --parallel", "stac-asset")

ROWS = {
    row.key: row
    for row in (
        Row(
            key="far",
            title="5,000 files of 20 KB, https, 20 ms a request and 40 ms a handshake",
            works=("small",),
            racers=_ALL,
            targets=(
                Target(peer="aria2c", must=0.95, reach=1.0),
                Target(peer="curl --parallel", must=0.95, reach=1.0),
                Target(peer="obstore", must=1.2, reach=1.2),
                Target(peer="stac-asset", must=1.8, reach=1.8),
                Target(peer="planet", must=8.0, reach=8.0),
            ),
            far=True,
        ),
        Row(
            key="loopback",
            title="5,000 files of 20 KB, https, bare loopback",
            works=("small",),
            racers=_ALL,
            targets=(
                Target(peer="aria2c", must=0.65, reach=0.9),
                Target(peer="stac-asset", must=2.0, reach=2.0),
                Target(peer="tutorial", must=1.5, reach=1.5),
                Target(peer="stac-asset", must=0.5, reach=0.4, measure="cpu"),
            ),
        ),
        Row(
            key="disk",
            title="5,000 files of 20 KB, https, on a real disk; only ours is durable",
            works=("small",),
            racers=_FEW,
            targets=(
                Target(peer="aria2c", must=2.2, reach=3.5),
                Target(peer="stac-asset", must=1.8, reach=1.8),
            ),
            disk=True,
        ),
        Row(
            key="medium",
            title="500 files of 500 KB, https",
            works=("medium",),
            racers=(*_FEW, "obstore", "tutorial"),
            targets=(
                Target(peer="aria2c", must=0.65, reach=0.9),
                Target(peer="stac-asset", must=1.3, reach=1.3),
            ),
        ),
        Row(
            key="large",
            title="one file of 1 GB, https",
            works=("large",),
            racers=(
                *("ours", "ours [speed]", "aria2c -x4", "curl --parallel"),
                *("obstore", "stac-asset", "planet"),
            ),
            targets=(
                Target(peer="aria2c -x4", must=0.75, reach=1.0),
                Target(peer="stac-asset", must=1.4, reach=1.4),
                Target(peer="planet", must=2.5, reach=2.5),
            ),
        ),
        Row(
            key="memory",
            title="Peak memory of ours",
            works=("one", "small", "many", "medium", "large"),
            racers=("ours", "ours, streamed"),
        ),
    )
}
