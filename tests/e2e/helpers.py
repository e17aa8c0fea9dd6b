"""What the tests of the whole have in common: a good request, and what must be true at the end."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

from iceye_derivatives import (
    AcquisitionWindow,
    DerivativeProductType,
    ImagingMode,
    PointOfInterest,
    TaskRequest,
)
from iceye_derivatives.simulator import Simulator

ALL_TYPES = tuple(DerivativeProductType)


def good_request(sim: Simulator, **changes: object) -> TaskRequest:
    """An order of all three types, which the simulator accepts."""
    start = datetime.fromtimestamp(sim.clock.time(), UTC) + timedelta(hours=36)
    fields: dict[str, object] = {
        "contract_id": sim.contract_id,
        "point_of_interest": PointOfInterest(lat=60.15, lon=24.95),
        "acquisition_window": AcquisitionWindow(start=start, end=start + timedelta(hours=36)),
        "imaging_mode": ImagingMode.SPOTLIGHT_FINE,
        "product_types": ("GRD",),
        "derivative_product_types": ALL_TYPES,
        "reference": "harbour-7",
    }
    return TaskRequest(**(fields | changes))  # type: ignore[arg-type]


def files_in(folder: Path) -> dict[str, bytes]:
    """Every file below a folder by its relative name, but for journals."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def final_names(folder: Path) -> set[str]:
    """The files that claim to be whole."""
    return {name for name in files_in(folder) if name.endswith(".geojson")}


def sockets() -> int:
    """How many this process holds, those of a simulator in it included (Linux tells; else 0)."""
    return sum(held.startswith("socket:") for held in handles())


def handles() -> list[str]:
    """What this process holds open (Linux tells; elsewhere nothing)."""
    root = Path("/proc/self/fd")
    held = []
    for entry in root.iterdir() if root.exists() else ():
        with contextlib.suppress(OSError):  # the handle that lists this folder is gone already
            held.append(str(entry.readlink()))
    return held


def open_below(folder: Path) -> list[str]:
    """Handles that this process holds on files below a folder."""
    return [name for name in handles() if name.startswith(str(folder))]
