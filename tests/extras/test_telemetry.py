"""Do metrics and spans of OpenTelemetry tell what happened, and no secret?"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import get_args

import pytest
from attrs import evolve
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from strategies import EPOCH, TASK_ID, derivative, unreadable

from iceye_derivatives import (
    Availability,
    ConfigurationError,
    ContentError,
    DerivativeReady,
    DerivativesClient,
    DerivativesUnreadable,
    FileRecord,
    LinkRenewed,
    NetworkError,
    PaceChanged,
    PollFailed,
    SceneReceived,
    SnapshotReceived,
    TaskNotFoundError,
    TaskStatus,
    TaskStatusReceived,
    TransferFailed,
    TransferFinished,
    TransferProgressed,
    TransferRetrying,
    TransferStarted,
    Waiting,
    WatchFailed,
    WatchFinished,
)
from iceye_derivatives._core.measures import MEASURES
from iceye_derivatives.events import DownloadEvent
from iceye_derivatives.simulator import Simulator, VirtualClock
from iceye_derivatives.telemetry import Telemetry

pytestmark = pytest.mark.anyio

TYPES = ("DC_AIRCRAFT", "DC_VESSELS")


@pytest.mark.parametrize("fault", [None, "rate_limited", "refused_url", "reset_body"])
async def test_a_download_is_measured_and_traced_without_a_secret(
    tmp_path: Path, fault: str | None
) -> None:
    """Canary: neither the token, nor the client's secret, nor a signature may stand anywhere."""
    reader, exporter = InMemoryMetricReader(), InMemorySpanExporter()
    meters, tracers = MeterProvider(metric_readers=[reader]), TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    async with Simulator(clock=VirtualClock(), seed=3, client_secret="canary-secret") as sim:
        if fault is not None:
            sim.faults.add(fault, times=1)
        task_id = sim.add_task(derivative_product_types=TYPES)
        with Telemetry(meter_provider=meters, tracer_provider=tracers, clock=sim.clock) as told:
            async with DerivativesClient.from_env(
                sim.environ, clock=sim.clock, on_event=told
            ) as client:
                report = await client.download_task(task_id, tmp_path, on_event=told)
        wire = {
            piece
            for seen in sim.requests
            for piece in (seen.headers.get("authorization", "").split() + seen.query.split("&"))
            if len(piece) > 20
        }
    metrics = reader.get_metrics_data()
    assert metrics is not None
    text = metrics.to_json() + json.dumps(
        [json.loads(s.to_json()) for s in exporter.get_finished_spans()]
    )

    report.raise_for_failures()
    names = {
        name.rpartition(".")[2] for name in text.split('"') if name.startswith("iceye.derivatives.")
    }
    assert {"polls", "files", "bytes", "queue", "first_derivative", "ready_to_disk"} <= names
    spans = sorted(span.name for span in exporter.get_finished_spans())
    assert spans == ["iceye.transfer", "iceye.transfer", "iceye.watch"]
    assert task_id in text
    assert len(wire) > 3
    for secret in {*wire, "canary-secret", "Signature", "Expires=", "Bearer", "http://"}:
        assert secret not in text


ONE = derivative("d", "geojson")
REF = ONE.asset_refs()[0]
BROKEN = NetworkError("CANARY broke", sent=True)
WHOLE = FileRecord(derivative=ONE, asset=REF, path="p", size=100, sha256="0" * 64)
REFUSED = ContentError("CANARY refused", asset=REF)
STORY = (
    (0, Waiting(task_id=TASK_ID, seconds=1, until=1, reason="CANARY")),
    (0, TaskStatusReceived(task_id=TASK_ID, status=TaskStatus.ACTIVE)),
    (1, SceneReceived(task_id=TASK_ID, scene=None)),
    (2, PollFailed(task_id=TASK_ID, error=BROKEN, failures=1, budget=60)),
    (
        30,
        SnapshotReceived(task_id=TASK_ID, availability=Availability.COMPLETE, ready=1, listed=1),
    ),
    (30, DerivativeReady(task_id=TASK_ID, derivative=ONE)),
    (30, DerivativesUnreadable(task_id=TASK_ID, unreadable=(unreadable(1), unreadable(2)))),
    (32, TransferStarted(asset=REF, path="p", total=100)),
    (33, TransferProgressed(asset=REF, received=60, total=100)),
    (34, TransferRetrying(asset=REF, error=BROKEN, seconds=1)),
    (34, LinkRenewed(asset=REF)),
    (35, TransferStarted(asset=REF, path="p", total=100, offset=20)),
    (36, TransferProgressed(asset=REF, received=100, total=100)),
    (37, TransferFinished(record=WHOLE)),
    (37, TransferStarted(asset=evolve(REF, asset_type="png"), path="q", total=None)),
    (
        38,
        TransferFailed(
            record=FileRecord(derivative=ONE, asset=evolve(REF, asset_type="png"), error=REFUSED)
        ),
    ),
    (39, PaceChanged(rate=2.5, set_rate=5.0, paused=30.0, waiting=7)),
    (40, WatchFinished(task_id=TASK_ID, delivered=1)),
    (41, Waiting(task_id="another", seconds=1, until=1, reason="CANARY")),
    (42, WatchFailed(task_id="another", error=BROKEN)),
)
"""Each kind of event once at least, a canary in each text that is free."""


class ToldTime:
    """A clock that shows what it is told."""

    now = EPOCH.timestamp()

    def time(self) -> float:
        return self.now

    async def sleep(self, seconds: float, /) -> None:
        raise AssertionError(seconds)


def test_each_measure_is_a_metric_with_its_number_and_no_text_of_an_event_gets_out() -> None:
    reader, exporter = InMemoryMetricReader(), InMemorySpanExporter()
    meters, tracers = MeterProvider(metric_readers=[reader]), TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    clock = ToldTime()
    with Telemetry(meter_provider=meters, tracer_provider=tracers, clock=clock) as told:
        for seconds, event in STORY:
            clock.now = EPOCH.timestamp() + seconds
            told(event)
    metrics = reader.get_metrics_data()
    assert metrics is not None
    numbers, units = {}, {}
    for metric in metrics.resource_metrics[0].scope_metrics[0].metrics:
        (point,) = metric.data.data_points
        numbers[metric.name] = point.sum if hasattr(point, "sum") else point.value
        units[metric.name] = metric.unit
    text = metrics.to_json() + "".join(one.to_json() for one in exporter.get_finished_spans())

    assert {type(event) for _, event in STORY} == {*get_args(DownloadEvent), PaceChanged}
    assert units == {f"iceye.derivatives.{name}": unit for name, (_, unit, _) in MEASURES.items()}
    assert numbers == {
        "iceye.derivatives.first_derivative": 30,
        "iceye.derivatives.polls": 2,
        "iceye.derivatives.polls_per_derivative": 2,
        "iceye.derivatives.unreadable": 2,
        "iceye.derivatives.failed_polls": 1,
        "iceye.derivatives.ready_to_disk": 7,
        "iceye.derivatives.renewals": 1,
        "iceye.derivatives.stalls": 1,
        "iceye.derivatives.bytes": 140,
        "iceye.derivatives.bytes_again": 40,
        "iceye.derivatives.files": 1,
        "iceye.derivatives.failed_files": 1,
        "iceye.derivatives.queue": 0,
        "iceye.derivatives.rate": 2.5,
        "iceye.derivatives.paused": 30.0,
    }
    for secret in ("CANARY", "Signature", "https://", "cdn.example"):
        assert secret not in text


def test_the_span_of_a_watch_that_failed_says_so_without_a_text() -> None:
    exporter, tracers = InMemorySpanExporter(), TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))

    with Telemetry(tracer_provider=tracers) as told:
        told(Waiting(task_id="a", seconds=1, until=1, reason=""))
        told(WatchFailed(task_id="a", error=TaskNotFoundError("unknown", status=404)))

    (span,) = exporter.get_finished_spans()
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'iceye-derivatives\[telemetry\]'"):
        Telemetry()
