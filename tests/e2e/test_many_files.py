"""Does a journal of several pages spare a second run what one of a single page does?"""

from __future__ import annotations

from pathlib import Path

import pytest
from anyio.to_thread import run_sync
from helpers import ALL_TYPES, final_names

from iceye_derivatives import DerivativesClient
from iceye_derivatives._core import journal as journals
from iceye_derivatives.geo import Detections
from iceye_derivatives.simulator import Simulator
from iceye_derivatives.sinks import inspect

pytestmark = pytest.mark.anyio


async def verified(folder: Path) -> bool:
    """Whether all that is there is whole."""
    [inventory] = await run_sync(list, inspect(folder))
    return inventory.ok


@pytest.mark.parametrize("full", [1, 2, 3])
async def test_it_is_believed_verified_repaired_and_read(
    sim: Simulator,
    client: DerivativesClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    full: int,
) -> None:
    monkeypatch.setattr(journals, "FULL", full)
    task_id = sim.add_task(derivative_product_types=ALL_TYPES)
    first = await client.download_task(task_id, tmp_path)
    first.raise_for_failures()
    asked = len([each for each in sim.requests if each.side == "cdn"])
    assert len(list(tmp_path.rglob(".iceye-journal*.json"))) >= len(ALL_TYPES) // full

    again = await client.download_task(task_id, tmp_path)

    assert all(record.kept for record in again.files)
    assert len([each for each in sim.requests if each.side == "cdn"]) == asked
    assert await verified(tmp_path)
    sources = (await run_sync(Detections.read, tmp_path)).sources
    assert all(source.downloaded is not None for source in sources)
    harmed = tmp_path / min(final_names(tmp_path))
    harmed.write_bytes(b"{}")
    assert not await verified(tmp_path)
    repaired = await client.download_task(task_id, tmp_path, repair=True)
    assert sorted(record.kept for record in repaired.files) == [False, True, True]
    assert await verified(tmp_path)
