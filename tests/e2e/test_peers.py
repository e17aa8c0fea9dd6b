"""Do the traps of other clients, which no other test would fall into, stay empty?"""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import ALL_TYPES

from iceye_derivatives import DerivativesClient, LinkRefusedError, WatchTimeoutError
from iceye_derivatives.simulator import Simulator, TaskPlan

pytestmark = pytest.mark.anyio


async def test_a_signed_link_is_asked_once_and_only_by_get(
    sim: Simulator, client: DerivativesClient, tmp_path: Path
) -> None:
    """Trap (capella, sizes): it learns the size with one more request on the signed URL.

    Complaint (planetlabs/planet-client-python #1010): a file is fetched twice to learn its size.

    A link is signed for GET; a file's length comes with its bytes.
    """
    task_id = sim.add_task(derivative_product_types=ALL_TYPES)
    await client.download_task(task_id, tmp_path)
    asked = [(each.method, each.path) for each in sim.requests if each.side == "cdn"]
    assert len(asked) == len(set(asked)) == len(ALL_TYPES)
    assert {method for method, _ in asked} == {"GET"}


async def test_a_state_that_nobody_knows_ends_with_the_patience(
    sim: Simulator, client: DerivativesClient, tmp_path: Path
) -> None:
    """Trap (up42, end states).

    A wait without limit, and PLACEMENT_FAILED is none of its end states.
    """
    never = TaskPlan(imaged_after=float("inf"))
    task_id = sim.add_task(plan=never, derivative_product_types=ALL_TYPES)
    sim.faults.add("other_status", times=None, status="PLACEMENT_FAILED")
    begun = sim.clock.time()
    with pytest.raises(WatchTimeoutError) as caught:
        await client.download_task(task_id, tmp_path, timeout=7 * 86_400.0)
    assert sim.clock.time() - begun == pytest.approx(7 * 86_400.0, rel=0.01)
    assert caught.value.watch.status == "PLACEMENT_FAILED"


async def test_a_refused_file_leaves_nothing_in_the_folder(
    sim: Simulator, client: DerivativesClient, tmp_path: Path
) -> None:
    """Trap (up42, empty files).

    The file is opened before the request, so an error leaves an empty one.
    """
    task_id = sim.add_task(derivative_product_types=ALL_TYPES)
    sim.faults.add("refused_url", times=None)
    report = await client.download_task(task_id, tmp_path)
    assert [type(record.error) for record in report.files] == [LinkRefusedError] * 3
    left = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert all(name.startswith(".iceye-journal") for name in left), left
