"""Does one derivative that cannot be read leave the others alone, over the wire?"""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve
from helpers import ALL_TYPES, final_names

from iceye_derivatives import (
    Availability,
    DerivativesClient,
    DerivativesUnreadable,
    DirectorySink,
    Downloader,
    PollBudgetError,
    PollFailed,
    UnreadableDerivativesError,
    Watch,
    WatchTimeoutError,
)
from iceye_derivatives.events import DownloadEvent
from iceye_derivatives.simulator import Simulator, TaskPlan

pytestmark = pytest.mark.anyio

FIELDS = {
    "href": "assets[0].href",
    "type": "assets[0].type",
    "asset": "assets[0]",
    "assets": "assets",
    "id": "id",
    "derivativeProductType": "derivativeProductType",
    "derivative": "",
}
HOUR = 3600.0
READY = TaskPlan(
    accepted_after=0,
    imaged_after=0,
    fulfilled_after=0,
    derivative_delays=dict.fromkeys(map(str, ALL_TYPES), 0.0),
)
IN_TURN = TaskPlan(
    accepted_after=0,
    imaged_after=0,
    fulfilled_after=0,
    derivative_delays={"DC_AIRCRAFT": 0.0, "DC_VESSELS": 30 * HOUR, "DC_VEHICLES": 40 * HOUR},
)


@pytest.mark.parametrize("field", FIELDS)
async def test_the_others_come_home_and_this_one_is_named(
    field: str, sim: Simulator, client: DerivativesClient, tmp_path: Path
) -> None:
    task_id = sim.add_task(plan=READY, derivative_product_types=ALL_TYPES)
    sim.faults.add("unreadable_derivative", times=None, field=field, product_type="DC_VESSELS")
    events: list[DownloadEvent] = []

    with pytest.raises(UnreadableDerivativesError) as caught:
        await client.download_task(task_id, tmp_path, max_failures=5, on_event=events.append)

    error = caught.value
    (fault,) = error.unreadable
    assert fault.field == FIELDS[field]
    assert len(final_names(tmp_path)) == len(error.delivered) == 2
    assert error.report is not None
    assert error.report.ok
    told = [event for event in events if isinstance(event, DerivativesUnreadable)]
    assert [event.unreadable for event in told] == [(fault,)]
    assert not any(isinstance(event, PollFailed) for event in events)
    assert str(fault) in str(error)
    assert "Signature" not in f"{events} {error} {error.missing} {error.watch.to_json()}"


@pytest.mark.parametrize("field", FIELDS)
async def test_what_is_mended_comes_home(
    field: str, sim: Simulator, client: DerivativesClient, tmp_path: Path
) -> None:
    task_id = sim.add_task(plan=READY, derivative_product_types=ALL_TYPES)
    sim.faults.add("unreadable_derivative", times=4, field=field, product_type="DC_VESSELS")

    report = await client.download_task(task_id, tmp_path, max_failures=5)

    assert report.ok
    assert len(final_names(tmp_path)) == 3


async def test_days_of_206_use_up_no_budget(
    sim: Simulator, client: DerivativesClient, tmp_path: Path
) -> None:
    """The trap: the budget of failed looks, a matter of hours, ended the wait for the others."""
    task_id = sim.add_task(plan=IN_TURN, derivative_product_types=ALL_TYPES)
    sim.faults.add("unreadable_derivative", times=None, product_type="DC_VESSELS")

    with pytest.raises(UnreadableDerivativesError) as caught:
        await client.download_task(task_id, tmp_path, max_failures=3)

    assert len(final_names(tmp_path)) == len(caught.value.delivered) == 2


async def test_patience_ends_it_and_says_what_could_not_be_read(
    sim: Simulator, client: DerivativesClient
) -> None:
    task_id = sim.add_task(plan=IN_TURN, derivative_product_types=ALL_TYPES)
    sim.faults.add("unreadable_derivative", times=None, product_type="DC_VESSELS")

    with pytest.raises(WatchTimeoutError, match=r"cannot be read: data\[") as caught:
        async for _ in client.watch_task(task_id, timeout=35 * HOUR):
            pass

    assert [fault.product_type for fault in caught.value.unreadable] == ["DC_VESSELS"]
    assert caught.value.unreadable[0].derivative_id in caught.value.missing


async def test_one_of_several_assets(
    sim: Simulator, client: DerivativesClient, tmp_path: Path
) -> None:
    """The other one comes at once, and the one that is mended is an update."""
    plan = TaskPlan(
        accepted_after=0,
        imaged_after=0,
        fulfilled_after=0,
        derivative_delays={"DC_VESSELS": 0.0},
        extra_assets={"DC_VESSELS": ("csv", 0.0)},
    )
    task_id = sim.add_task(plan=plan, derivative_product_types=("DC_VESSELS",))
    sim.faults.add("unreadable_derivative", times=2)

    got = [one async for one in client.watch_task(task_id)]

    assert [[asset.type for asset in one.assets] for one in got] == [["csv"], ["geojson", "csv"]]
    assert [one.is_update for one in got] == [False, True]


async def test_two_of_a_type_are_stored_under_the_names_that_they_would_have_anyway(
    sim: Simulator, client: DerivativesClient, tmp_path: Path
) -> None:
    """Else the second would stand where the first belongs, which would never be fetched."""
    plan = evolve(READY, extra_assets={"DC_VESSELS": ("geojson", 0.0)})
    task_id = sim.add_task(plan=plan, derivative_product_types=("DC_VESSELS",))
    sim.faults.add("unreadable_derivative", times=None)
    with pytest.raises(UnreadableDerivativesError):
        await client.download_task(task_id, tmp_path, max_failures=3)
    first_run = final_names(tmp_path)
    sim.faults.clear()

    report = await client.download_task(task_id, tmp_path)

    assert report.ok
    fetched = [one.path for one in sim.requests if one.path.endswith(".geojson")]
    assert [path.rpartition("/")[2] for path in fetched] == [
        "vessel-detections-2.geojson",
        "vessel-detections.geojson",
    ]
    assert [name.endswith(".2.geojson") for name in first_run] == [True]
    assert len(final_names(tmp_path)) == 2


async def test_one_look_names_it_and_a_saved_watch_goes_on(
    sim: Simulator, client: DerivativesClient
) -> None:
    task_id = sim.add_task(plan=READY, derivative_product_types=ALL_TYPES)
    sim.faults.add("unreadable_derivative", times=6, product_type="DC_VESSELS")
    look = await client.get_derivatives(task_id)
    assert (look.availability, look.claims_all) == (Availability.PARTIAL, True)
    assert len(look.derivatives) == 2
    assert [fault.product_type for fault in look.unreadable] == ["DC_VESSELS"]
    with pytest.raises(UnreadableDerivativesError) as caught:
        async for _ in client.watch_task(task_id, max_failures=5):
            pass

    again = Watch.from_json(caught.value.watch.to_json())
    assert again.unreadable == look.unreadable
    rest = [one.product_type async for one in client.watch_task(task_id, watch=again)]

    assert rest == ["DC_VESSELS"]
    assert again.finished


@pytest.mark.parametrize("field", ["id", "href"])
async def test_a_listing_of_which_nothing_can_be_read_is_a_failed_look(
    field: str, sim: Simulator, client: DerivativesClient
) -> None:
    task_id = sim.add_task(plan=READY, derivative_product_types=("DC_VESSELS",))
    sim.faults.add("unreadable_derivative", times=None, field=field)

    with pytest.raises(PollBudgetError, match=r"data\[0\]"):
        async for _ in client.watch_task(task_id, max_failures=3):
            pass


async def test_a_renewal_in_which_one_cannot_be_read_serves_the_others(
    sim: Simulator, client: DerivativesClient, tmp_path: Path
) -> None:
    """Links that are dead by the time they are used are signed anew by one listing for all."""
    task_id = sim.add_task(plan=READY, derivative_product_types=ALL_TYPES)
    look = await client.get_derivatives(task_id)
    await sim.clock.sleep(2 * HOUR)
    sim.faults.add("unreadable_derivative", times=None, product_type="DC_VESSELS")

    report = await Downloader(client, DirectorySink(tmp_path)).download(look.derivatives)

    assert len(final_names(tmp_path)) == 2
    (failed,) = report.failures
    assert failed.derivative.product_type == "DC_VESSELS"
    assert "cannot be read" in str(failed.error)
