"""How does the public surface look to a type checker?  Never executed: mypy must accept it.

`assert_type` pins what a user's editor shows.  A change here is a change of the interface.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import assert_never, assert_type

from iceye_derivatives import (
    AccessToken,
    AcquisitionWindow,
    Asset,
    AssetRef,
    Availability,
    Backoff,
    BadRequestError,
    ClientCredentials,
    Clock,
    Delays,
    Derivative,
    DerivativeProductType,
    DerivativeReady,
    DerivativesClient,
    DerivativesUnreadable,
    DirectorySink,
    Downloader,
    DownloadError,
    DownloadEvent,
    DownloadFailedError,
    DownloadReport,
    FileRecord,
    Fleet,
    FleetState,
    FoundFile,
    IceyeError,
    ImagingMode,
    InvalidTaskRequestError,
    LinkOpener,
    LinkRenewed,
    LinkResponse,
    MemorySink,
    ObjectStoreSink,
    PartialFile,
    PointOfInterest,
    PollFailed,
    RateLimitedError,
    RetryPolicy,
    Scene,
    SceneReceived,
    SceneSource,
    SignedUrl,
    Sink,
    Snapshot,
    SnapshotReceived,
    SnapshotSource,
    StaticToken,
    Task,
    TaskNotFoundError,
    TaskRequest,
    TaskSource,
    TaskStatus,
    TaskStatusReceived,
    TokenSource,
    TransferFailed,
    TransferFinished,
    TransferProgressed,
    TransferRetrying,
    TransferStarted,
    Unreadable,
    Waiting,
    Watch,
    WatchEvent,
    WatchFailed,
    WatchFinished,
    WatchTimeoutError,
    __version__,
)
from iceye_derivatives.geo import Detections

MOMENT = datetime(2026, 1, 2, tzinfo=UTC)

assert_type(__version__, str)


def values() -> TaskRequest:
    """Enums are open: a string that this version does not know is as good as a member."""
    start = MOMENT + timedelta(days=1)
    window = AcquisitionWindow(start=start, end=start + timedelta(days=2))
    TaskRequest(
        contract_id="contract",
        point_of_interest=PointOfInterest(lat=60.15, lon=24.95),
        acquisition_window=window,
        imaging_mode="SPOTLIGHT_TO_COME",
        derivative_product_types=("DC_TO_COME",),
    )
    return TaskRequest(
        contract_id="contract",
        point_of_interest=PointOfInterest(lat=60.15, lon=24.95),
        acquisition_window=window,
        imaging_mode=ImagingMode.SPOTLIGHT_FINE,
        product_types=("GRD",),
        derivative_product_types=(DerivativeProductType.VESSELS,),
        reference="harbour 7",
    )


def clients(clock: Clock, source: TokenSource) -> list[DerivativesClient]:
    """Every way to say who one is."""
    return [
        DerivativesClient.from_env(),
        DerivativesClient.from_env({"ICEYE_ACCESS_TOKEN": "token"}, rate=1.0),
        DerivativesClient(auth=StaticToken("token")),
        DerivativesClient(auth=ClientCredentials("https://auth.example/token", "id", "secret")),
        DerivativesClient(
            base_url="https://platform.example",
            auth=source,
            rate=2.0,
            burst=4,
            retry=RetryPolicy(),
            allow_http=False,
            trust_env=False,
            delays=Delays(),
            clock=clock,
            jitter=lambda: 0.5,
        ),
    ]


async def tasks(client: DerivativesClient) -> None:
    """Order, ask, list, cancel."""
    async with client as same:
        assert_type(same, DerivativesClient)
    task = await client.create_task(values())
    assert_type(task, Task)
    assert_type(await client.create_task(values(), check=False), Task)
    assert_type(await client.get_task(task.id), Task)
    assert_type(await client.cancel_task(task.id), Task)
    scene = await client.get_scene(task.id)
    assert_type(scene.imaging_time.start, datetime)
    assert_type(scene.incidence_angle, str | None)
    listed = client.list_tasks(contract_id="contract", created_after=MOMENT)
    assert_type(listed, AsyncGenerator[Task, None])
    assert_type(task.status, str)
    assert_type(task.status == TaskStatus.DONE, bool)
    assert_type(task.derivative_product_types, tuple[str, ...] | None)


async def looks(client: DerivativesClient) -> None:
    """One look, and what it shows."""
    snapshot = await client.get_derivatives("task")
    assert_type(snapshot, Snapshot)
    assert_type(snapshot.availability, Availability)
    for derivative in snapshot.derivatives:
        assert_type(derivative, Derivative)
        assert_type(derivative.asset_refs(), tuple[AssetRef, ...])
        for asset in derivative.assets:
            assert_type(asset, Asset)
            assert_type(asset.url, SignedUrl)
            assert_type(asset.url.expires_at, datetime | None)
            assert_type(asset.url.reveal(), str)


async def watches(client: DerivativesClient) -> None:
    """Wait, give up, go on."""
    saved = ""
    watch = Watch("task")
    assert_type(client.nudge("task"), bool)
    assert_type(client.pace.rate, float)
    waiting = client.watch_task(
        "task",
        backoff=Backoff(initial=5.0, factor=1.5, maximum=60.0),
        timeout=3600.0,
        watch=watch,
        max_failures=10,
        push=True,
        on_event=on_watch_event,
    )
    try:
        async with aclosing(waiting) as derivatives:
            async for derivative in derivatives:
                assert_type(derivative, Derivative)
    except WatchTimeoutError as error:
        assert_type(error.watch, Watch)
        assert_type(error.delivered, tuple[str, ...])
        assert_type(error.missing, tuple[str, ...])
        saved = error.watch.to_json()
    assert_type(watch.finished, bool)
    assert_type(client.delays, Delays)
    assert_type(Delays.from_json(client.delays.to_json()).quantile("DC_VESSELS", 0.5), float)
    assert_type(Watch.from_json(saved), Watch)


async def downloads(client: DerivativesClient, sink: Sink) -> None:
    """Into a folder by its name, into a sink, and in one's own hands."""
    assert_type(await client.download_task("task", "detections"), DownloadReport)
    await client.download_task("task", Path("detections"), concurrency=4, overwrite=True)
    await client.download_task("task", MemorySink(), timeout=60.0, on_event=on_event)
    await client.download_task("task", "s3://bucket/prefix")
    in_a_bucket: Sink = ObjectStoreSink.from_url("s3://bucket/prefix", region="eu-central-1")
    await client.download_task("task", in_a_bucket, stac=True)
    report = await client.download_task("task", sink, watch=Watch("task"))
    for record in report.files:
        assert_type(record, FileRecord)
        assert_type(record.path, str | None)
        assert_type(record.size, int | None)
        assert_type(record.sha256, str | None)
        assert_type(record.error, DownloadError | None)
        assert_type(record.asset_type, str)
    try:
        report.raise_for_failures()
    except* DownloadError as group:
        assert_type(group, ExceptionGroup[DownloadError])


async def downloaders(client: DerivativesClient) -> None:
    """The downloader takes what is there and what is still to come."""
    downloader = Downloader(client, DirectorySink("detections"))
    snapshot = await client.get_derivatives("task")
    assert_type(await downloader.download(snapshot.derivatives), DownloadReport)
    async with downloader.transfers(client.watch_task("task")) as events:
        async for event in events:
            on_event(event)


async def fleets(client: DerivativesClient, downloader: Downloader, saved: str) -> None:
    """Many tasks: a context manager around a stream that takes and loses tasks as it runs."""
    async with client.watch_tasks(["one", "two"]) as fleet:
        assert_type(fleet, Fleet)
        async for event in fleet:
            assert_type(event, WatchEvent)
        assert_type(await fleet.add({"three"}), int)
        assert_type(await fleet.remove(("one",)), int)
        assert_type(fleet.nudge("two"), bool)
        assert_type(await fleet.to_json(), str)
        async with downloader.transfers(fleet.derivatives(on_watch_event)) as events:
            async for _ in events:
                pass
    state = assert_type(fleet.state(), FleetState)
    assert_type(state.task_ids, tuple[str, ...])
    async with client.watch_tasks(
        state=FleetState.from_json(saved),
        requested={"one": ["DC_VESSELS"], "two": ("DC_AIRCRAFT",)},
        backoff=Backoff(),
        timeout=3600.0,
        max_failures=10,
        concurrency=4,
        heartbeats=True,
        keep_open=True,
        bulk=False,
    ):
        pass


def on_watch_event(event: WatchEvent) -> None:
    """Every event of a watch has a branch, and mypy knows that there is no other."""
    match event:
        case SnapshotReceived(availability=availability):
            assert_type(availability, Availability)
        case TaskStatusReceived(status=status):
            assert_type(status, str)
        case DerivativeReady(derivative=derivative):
            assert_type(derivative, Derivative)
        case DerivativesUnreadable(unreadable=unreadable):
            assert_type(unreadable, tuple[Unreadable, ...])
        case SceneReceived(scene=scene):
            assert_type(scene, Scene | None)
        case PollFailed(error=error):
            assert_type(error, IceyeError)
        case Waiting(seconds=seconds, reason=reason):
            assert_type((seconds, reason), tuple[float, str])
        case WatchFailed(task_id=task_id, error=failure):
            assert_type((task_id, failure), tuple[str, IceyeError])
        case WatchFinished():
            pass
        case _:
            assert_never(event)


def on_event(event: DownloadEvent) -> None:
    """A download has the events of a watch and those of transfers."""
    match event:
        case TransferStarted(total=total) | TransferProgressed(total=total):
            assert_type(total, int | None)
        case TransferRetrying(seconds=seconds):
            assert_type(seconds, float)
        case LinkRenewed(asset=asset):
            assert_type(asset, AssetRef)
        case TransferFinished(record=record) | TransferFailed(record=record):
            assert_type(record, FileRecord)
        case _:
            on_watch_event(event)


def failures(error: IceyeError) -> bool:
    """Errors carry evidence."""
    match error:
        case InvalidTaskRequestError():
            assert_type(error.codes, tuple[str, ...])
        case RateLimitedError():
            assert_type(error.retry_after, float | None)
        case BadRequestError():
            assert_type((error.status, error.code), tuple[int, str | None])
        case DownloadFailedError():
            assert_type(error.exceptions, tuple[DownloadError | ExceptionGroup[DownloadError], ...])
        case _:
            pass
    return error.retryable


class OwnTokens:
    """A caller's own token source needs no base class."""

    async def fetch_token(self) -> AccessToken:
        """Ask whoever knows."""
        return AccessToken(value="token", expires_in=3600.0)


class OwnStore:
    """A caller's own sink: a bucket, a database, a queue."""

    def locate(self, name: str) -> str:
        """As a person would call it."""
        return f"bucket/{name}"

    async def find(self, name: str) -> FoundFile | None:
        """What is there already."""
        return FoundFile(path=self.locate(name), size=1, sha256="00")

    async def put(self, name: str, body: bytes, check: Callable[[bytes], str]) -> tuple[str, str]:
        """Whole or not at all."""
        return self.locate(name), check(body)

    def create(self, name: str) -> AbstractAsyncContextManager[PartialFile]:
        """Not in this example."""
        raise NotImplementedError(name)


class OwnApi:
    """Watcher and downloader ask so little that a test can play the client."""

    async def look_at_derivatives(self, task_id: str) -> Snapshot:
        """Nothing yet."""
        return Snapshot(task_id=task_id, availability=Availability.NONE)

    async def look_at_task(self, task_id: str) -> Task:
        """Always at it."""
        return Task(id=task_id, status=TaskStatus.ACTIVE)

    async def look_at_scene(self, task_id: str) -> Scene:
        """None that this API tells of."""
        raise TaskNotFoundError("no scene", status=404, task_id=task_id)

    def open_link(
        self, url: SignedUrl, *, headers: Mapping[str, str]
    ) -> AbstractAsyncContextManager[LinkResponse]:
        """No line here."""
        raise NotImplementedError(url, headers)


def protocols() -> tuple[TokenSource, Sink, SnapshotSource, TaskSource, SceneSource, LinkOpener]:
    """Duck typing that a checker follows."""
    api = OwnApi()
    return OwnTokens(), OwnStore(), api, api, api, api


def what_was_found(report: DownloadReport) -> dict[str, dict[str, int]]:
    """Detections are plain values; a report, paths, or many of both lead to them."""
    found = Detections.read([report, Path("more")], class_property="kind")
    assert_type(found.export("all.csv"), Path)
    assert_type(found.to_html(basemap="https://tiles.example/{z}/{x}/{y}.png"), str)
    assert_type(found.to_png(title="Port"), bytes)
    assert_type([detection.confidence for detection in found], list[float | None])
    return found.counts()
