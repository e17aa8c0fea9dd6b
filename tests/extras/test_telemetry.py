"""Do metrics and spans of OpenTelemetry tell what happened, and no secret?"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from iceye_derivatives import (
    ConfigurationError,
    DerivativesClient,
    TaskNotFoundError,
    Waiting,
    WatchFailed,
)
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
