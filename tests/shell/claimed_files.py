"""A file that several processes want, and the record of another one that owns it."""

from __future__ import annotations

import os
import time
from pathlib import Path

from store_fakes import detections

from iceye_derivatives._core.ownership import Owner, render_owner
from iceye_derivatives._core.plan import file_name
from iceye_derivatives.models import AssetRef

ASSET = AssetRef(
    task_id="task-1", derivative_id="d1", product_type="DC_VESSELS", asset_type="geojson"
)
NAME = file_name(ASSET)
BODY = detections("abcdefgh", 40)


def plant(root: Path, token: str = "ab" * 12, **changes: object) -> Path:
    """An owner record that another process left."""
    fields = {"host": "elsewhere", "machine": "another boot", "pid": 7, "started": "1"} | changes
    record = root / f"{NAME}.owner.part"
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_bytes(render_owner(Owner(token=token, **fields)))  # type: ignore[arg-type]
    return record


def silence(record: Path, seconds: float) -> None:
    """Its last heartbeat is so long ago."""
    then = time.time() - seconds  # noqa: TID251 - the file system's own time
    os.utime(record, (then, then))
