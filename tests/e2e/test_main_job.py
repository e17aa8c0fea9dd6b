"""Does the main job work from end to end: order, watch, download?"""

from __future__ import annotations

import json
from contextlib import aclosing
from pathlib import Path

import anyio
import pytest
from helpers import ALL_TYPES, files_in, good_request

from iceye_derivatives import (
    Availability,
    Backoff,
    BadRequestError,
    DerivativeReady,
    DerivativesClient,
    DirectorySink,
    Downloader,
    InvalidTaskRequestError,
    LimitExceededError,
    Limits,
    MemorySink,
    SnapshotReceived,
    TaskCreationUncertainError,
    TransferFinished,
    TransferStarted,
    Watch,
    WatchFinished,
    WatchTimeoutError,
)
from iceye_derivatives.events import DownloadEvent
from iceye_derivatives.simulator import Simulator, TaskPlan

pytestmark = pytest.mark.anyio


async def test_order_watch_download_in_one_go(
    sim: Simulator, client: DerivativesClient, tmp_path: Path
) -> None:
    events: list[DownloadEvent] = []
    task = await client.create_task(good_request(sim))

    report = await client.download_task(task.id, tmp_path, on_event=events.append)

    report.raise_for_failures()
    assert {record.derivative.product_type for record in report.files} == set(ALL_TYPES)
    assert all(record.asset.task_id == task.id for record in report.files)
    for record in report.files:
        assert record.path is not None
        body = Path(record.path).read_bytes()
        assert len(body) == record.size
        assert json.loads(body)["type"] == "FeatureCollection"
    seen = [e.availability for e in events if isinstance(e, SnapshotReceived)]
    assert list(dict.fromkeys(seen)) == [
        Availability.NONE,
        Availability.PARTIAL,
        Availability.COMPLETE,
    ]
    assert files_in(tmp_path).keys() == {
        f"{task.id}/{r.derivative.product_type}_{r.derivative.id}.geojson" for r in report.files
    }


async def test_a_folder_that_holds_no_files_is_told_of_before_the_wait(
    sim: Simulator, client: DerivativesClient, tmp_path: Path
) -> None:
    """Not after half a day, for each file."""
    (tmp_path / "file").write_text("")
    task_id = sim.add_task()

    with pytest.raises(NotADirectoryError) as failed:
        await client.download_task(task_id, tmp_path / "file" / "x")

    assert failed.value.filename == str(tmp_path / "file" / "x")
    assert sim.requests == []


class WaitsForFiles:
    """The simulator's clock, on which no time passes while files are under way.

    Else it passes while the disk's thread waits for its turn, and on a busy machine the watch is
    over before that thread has stored anything.
    """

    def __init__(self, sim: Simulator) -> None:
        self._clock = sim.clock
        self._under_way = 0
        self._landed = anyio.Event()

    def time(self) -> float:
        return self._clock.time()

    async def sleep(self, seconds: float, /) -> None:
        with anyio.move_on_after(20):  # real ones: whoever fetches nothing is to fail, not to hang
            while self._under_way:
                await self._landed.wait()
        await self._clock.sleep(seconds)

    def hear(self, event: DownloadEvent) -> None:
        if isinstance(event, DerivativeReady):
            self._under_way += len(event.derivative.assets)
        elif isinstance(event, TransferFinished):
            self._under_way -= 1
            self._landed.set()
            self._landed = anyio.Event()


async def test_files_land_while_later_derivatives_are_being_made(
    sim: Simulator, tmp_path: Path
) -> None:
    events: list[DownloadEvent] = []
    task_id = sim.add_task(derivative_product_types=ALL_TYPES)
    clock = WaitsForFiles(sim)

    def on_event(event: DownloadEvent) -> None:
        clock.hear(event)
        events.append(event)

    async with DerivativesClient.from_env(sim.environ, clock=clock) as client:
        await client.download_task(task_id, tmp_path, on_event=on_event)

    kinds = [type(event) for event in events]
    first_file = kinds.index(TransferFinished)
    assert first_file < len(kinds) - 1 - kinds[::-1].index(TransferStarted)
    assert first_file < kinds.index(WatchFinished)


async def test_each_derivative_is_handed_out_within_a_look_of_its_assets(
    sim: Simulator, client: DerivativesClient
) -> None:
    """Nothing is learned yet: a look comes each minute, or after a third of what has passed."""
    task_id = sim.add_task(derivative_product_types=ALL_TYPES)
    ready = sim.world.ready_times(task_id)
    delays = {}

    async for derivative in client.watch_task(task_id):
        delays[derivative.id] = sim.clock.time() - ready[derivative.id]

    fulfilled_at = (await client.get_task(task_id)).fulfilled_at
    assert fulfilled_at is not None
    assert delays.keys() == ready.keys()
    for name, delay in delays.items():
        passed = ready[name] - fulfilled_at.timestamp()
        assert 0 <= delay <= max(60, passed / 3)


async def test_running_again_fetches_nothing_that_is_whole(
    sim: Simulator, client: DerivativesClient, tmp_path: Path
) -> None:
    task_id = sim.add_task(derivative_product_types=ALL_TYPES)
    first = await client.download_task(task_id, tmp_path)
    fetched = sum(request.side == "cdn" for request in sim.requests)

    second = await client.download_task(task_id, tmp_path)

    assert all(record.kept for record in second.files)
    assert {r.sha256 for r in second.files} == {r.sha256 for r in first.files}
    assert sum(request.side == "cdn" for request in sim.requests) == fetched


async def test_a_watch_goes_on_in_another_process(
    sim: Simulator, client: DerivativesClient
) -> None:
    task_id = sim.add_task(derivative_product_types=ALL_TYPES)
    watch = Watch(task_id)
    async with aclosing(client.watch_task(task_id, watch=watch)) as derivatives:
        first = [await anext(derivatives)]
    saved = watch.to_json()

    async with DerivativesClient.from_env(sim.environ, clock=sim.clock) as elsewhere:
        rest = [
            derivative
            async for derivative in elsewhere.watch_task(task_id, watch=Watch.from_json(saved))
        ]

    assert len({derivative.id for derivative in first + rest}) == len(first + rest) == 3


async def test_patience_ends_with_what_came_and_the_way_to_go_on(
    sim: Simulator, client: DerivativesClient, tmp_path: Path
) -> None:
    """Complaint 14 (ASFHyP3/hyp3-docs #327): a normal timeout read as a crash."""
    plan = TaskPlan(imaged_after=3600.0, derivative_delays={"DC_VESSELS": 60, "DC_AIRCRAFT": 2e5})
    task_id = sim.add_task(plan=plan, derivative_product_types=("DC_VESSELS", "DC_AIRCRAFT"))

    with pytest.raises(WatchTimeoutError) as caught:
        await client.download_task(task_id, tmp_path, timeout=6 * 3600.0)

    error = caught.value
    assert error.report is not None
    assert [record.derivative.product_type for record in error.report.files] == ["DC_VESSELS"]
    assert len(error.missing) == 1
    rest = [one async for one in client.watch_task(task_id, watch=error.watch)]
    assert [one.product_type for one in rest] == ["DC_AIRCRAFT"]


async def test_further_assets_come_as_an_update_and_only_they_are_fetched(
    sim: Simulator, client: DerivativesClient, tmp_path: Path
) -> None:
    plan = TaskPlan(
        derivative_delays={"DC_VESSELS": 60.0, "DC_AIRCRAFT": 9000.0},
        extra_assets={"DC_VESSELS": ("csv", 3000.0)},
    )
    task_id = sim.add_task(plan=plan, derivative_product_types=("DC_VESSELS", "DC_AIRCRAFT"))

    report = await client.download_task(task_id, tmp_path)

    report.raise_for_failures()
    suffixes = sorted(name.rpartition(".")[2] for name in files_in(tmp_path))
    assert suffixes == ["csv", "geojson", "geojson"]
    assert sum(request.side == "cdn" for request in sim.requests) == 3


async def test_into_memory_and_with_the_parts_by_hand(
    sim: Simulator, client: DerivativesClient
) -> None:
    task_id = sim.add_task(derivative_product_types=ALL_TYPES)
    derivatives = [one async for one in client.watch_task(task_id)]
    sink = MemorySink()

    report = await Downloader(client, sink, concurrency=2, clock=sim.clock).download(derivatives)

    report.raise_for_failures()
    assert len(report.files) == 3


async def test_links_that_die_in_the_queue_are_renewed(
    sim: Simulator, client: DerivativesClient, tmp_path: Path
) -> None:
    """No URL waits in a queue: two hours after the look every link is dead, and nobody notices.

    Complaint 4 (flyteorg/flyte-sdk #1363): URLs were minted, then waited in a queue until dead.
    """
    task_id = sim.add_task(derivative_product_types=ALL_TYPES)
    derivatives = [one async for one in client.watch_task(task_id)]
    await sim.clock.sleep(2 * 3600)

    report = await Downloader(client, DirectorySink(tmp_path), clock=sim.clock).download(
        derivatives
    )

    report.raise_for_failures()
    assert [request.status for request in sim.requests if request.side == "cdn"] == [200] * 3


async def test_a_bad_order_is_refused_before_anything_is_sent(
    sim: Simulator, client: DerivativesClient
) -> None:
    request = good_request(sim, imaging_mode="STRIPMAP", product_types=("SLC",))

    with pytest.raises(InvalidTaskRequestError) as caught:
        await client.create_task(request)

    assert "INCOMPATIBLE_IMAGING_MODE_FOR_DERIVATIVES" in caught.value.codes
    assert len(caught.value.faults) >= 2
    assert sim.requests == []


async def test_unchecked_the_server_has_the_last_word_with_the_same_code(
    sim: Simulator, client: DerivativesClient
) -> None:
    request = good_request(sim, imaging_mode="STRIPMAP")

    with pytest.raises(BadRequestError) as caught:
        await client.create_task(request, check=False)

    assert caught.value.code == "INCOMPATIBLE_IMAGING_MODE_FOR_DERIVATIVES"
    assert caught.value.status == 400


async def test_a_lost_answer_to_an_order_is_looked_up_and_not_sent_again(
    sim: Simulator, client: DerivativesClient
) -> None:
    sim.faults.add("lost_create")

    task = await client.create_task(good_request(sim))

    posts = [r for r in sim.requests if r.method == "POST" and r.side == "api"]
    assert len(posts) == 1
    assert (await client.get_task(task.id)).reference == "harbour-7"


async def test_an_answer_above_a_ceiling_is_a_lost_one(sim: Simulator) -> None:
    """The task was made: a refusal of ours must not be told as one of the API's."""
    sim.faults.add("deep_json", side="api", depth=200)

    async with DerivativesClient.from_env(sim.environ, clock=sim.clock) as client:
        task = await client.create_task(good_request(sim))

        assert [each.id async for each in client.list_tasks()] == [task.id]


async def test_where_the_listing_is_above_a_ceiling_too_the_order_is_uncertain(
    sim: Simulator,
) -> None:
    async with DerivativesClient.from_env(
        sim.environ, clock=sim.clock, limits=Limits(json_bytes=400)
    ) as client:
        with pytest.raises(TaskCreationUncertainError, match="may exist") as caught:
            await client.create_task(good_request(sim))

    assert isinstance(caught.value.__cause__, LimitExceededError)
    assert "json_bytes" in str(caught.value)


async def test_a_lost_answer_without_a_reference_is_said_to_be_uncertain(
    sim: Simulator, client: DerivativesClient
) -> None:
    sim.faults.add("lost_create")

    with pytest.raises(TaskCreationUncertainError, match="may exist"):
        await client.create_task(good_request(sim, reference=None))

    assert len([r for r in sim.requests if r.method == "POST" and r.side == "api"]) == 1


async def test_a_look_up_that_fails_too_never_says_that_nothing_was_ordered(
    sim: Simulator, client: DerivativesClient
) -> None:
    """A line that is down fails both calls; "try again" would then be billed twice."""
    sim.faults.add("lost_create")
    sim.faults.add("server_error", side="api", times=20, skip=1)

    with pytest.raises(TaskCreationUncertainError, match="may exist") as caught:
        await client.create_task(good_request(sim))

    assert caught.value.reference == "harbour-7"
    assert not caught.value.retryable


async def test_an_older_order_of_the_same_reference_is_not_taken_for_the_lost_one(
    sim: Simulator, client: DerivativesClient
) -> None:
    first = await client.create_task(good_request(sim))
    sim.faults.add("server_error", side="api", status=500)

    with pytest.raises(TaskCreationUncertainError):
        await client.create_task(good_request(sim))

    sim.faults.add("lost_create")
    assert (await client.create_task(good_request(sim))).id != first.id


async def test_the_apis_clock_may_be_minutes_behind_ours_when_a_lost_order_is_looked_up(
    sim: Simulator,
) -> None:
    class Ahead:
        def time(self) -> float:
            return sim.clock.time() + 300

        async def sleep(self, seconds: float, /) -> None:
            await sim.clock.sleep(seconds)

    sim.faults.add("lost_create")
    async with DerivativesClient.from_env(sim.environ, clock=Ahead()) as client:
        task = await client.create_task(good_request(sim))

    assert task.reference == "harbour-7"


async def test_a_cancel_whose_answer_was_lost_is_seen_to_have_worked(
    sim: Simulator, client: DerivativesClient
) -> None:
    task_id = sim.add_task(derivative_product_types=ALL_TYPES)
    await client.cancel_task(task_id)

    # The second try of a lost answer looks just like this to the API.
    assert (await client.cancel_task(task_id)).status == "CANCELED"


async def test_a_derivative_whose_file_failed_comes_again_with_the_same_watch(
    sim: Simulator, client: DerivativesClient, tmp_path: Path
) -> None:
    task_id = sim.add_task(derivative_product_types=ALL_TYPES)
    watch = Watch(task_id)
    sim.faults.add("wrong_content")
    first = await client.download_task(task_id, tmp_path, watch=watch)
    assert len(first.failures) == 1

    second = await client.download_task(task_id, tmp_path, watch=Watch.from_json(watch.to_json()))

    assert [record.asset for record in second.files] == [first.failures[0].asset]
    assert len(files_in(tmp_path)) == 3


async def test_all_pages_of_the_listing_are_read(sim: Simulator, client: DerivativesClient) -> None:
    ids = {sim.add_task(derivative_product_types=ALL_TYPES) for _ in range(123)}

    assert {task.id async for task in client.list_tasks()} == ids


async def test_a_canceled_task_says_so(sim: Simulator, client: DerivativesClient) -> None:
    task = await client.create_task(good_request(sim))

    assert (await client.cancel_task(task.id)).status == "CANCELED"


async def test_the_token_goes_to_the_api_alone_and_every_call_names_us(
    sim: Simulator, client: DerivativesClient, tmp_path: Path
) -> None:
    task_id = sim.add_task(derivative_product_types=ALL_TYPES)
    await client.download_task(task_id, tmp_path)

    for request in sim.requests:
        assert ("authorization" in request.headers) == (request.side != "cdn")
        assert request.headers["user-agent"].startswith("iceye-derivatives/")
        if request.side == "api":
            assert request.headers["accept"] == "application/json, application/problem+json"
            assert request.headers["authorization"].startswith("Bearer ")
        if request.side == "cdn":
            assert request.headers["accept-encoding"] == "identity"


async def test_three_days_of_waiting_cost_hundreds_of_requests_not_thousands(
    sim: Simulator, client: DerivativesClient
) -> None:
    """Politeness as a law; `benchmarks/waiting.py` prints the figures over 200 tasks.

    Complaint 11 (boto/botocore #1563): constant polling by many waiters throttled a whole account.
    """
    delays = {"DC_VESSELS": 7200.0, "DC_VEHICLES": 7200.0, "DC_AIRCRAFT": 7200.0}
    plan = TaskPlan(imaged_after=3 * 86_400.0, derivative_delays=delays)
    task_id = sim.add_task(plan=plan, derivative_product_types=ALL_TYPES)

    got = [one async for one in client.watch_task(task_id, backoff=Backoff())]

    assert len(got) == 3
    assert len(sim.requests) < 400
