"""How do events become metrics and spans of OpenTelemetry (extra ``telemetry``)?

Attributes hold ids, types and names of error classes: never the message of an error, a URL or a
token.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from iceye_derivatives._clock import SystemClock
from iceye_derivatives._core.measures import MEASURES, Measures
from iceye_derivatives._version import __version__
from iceye_derivatives.errors import ConfigurationError
from iceye_derivatives.events import (
    DownloadEvent,
    LinkRenewed,
    PaceChanged,
    TransferFailed,
    TransferFinished,
    TransferProgressed,
    TransferRetrying,
    TransferStarted,
    WatchFailed,
    WatchFinished,
)
from iceye_derivatives.models import AssetRef
from iceye_derivatives.protocols import Clock

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Span, TracerProvider

__all__ = ["Telemetry"]

_SCOPE = "iceye_derivatives"
_NANO = 1_000_000_000


class Telemetry:
    """Give it as ``on_event`` to a client, a watch, a fleet or a download, or to all of them.

    It costs nothing where it is not used: nothing else here knows of OpenTelemetry.  Metrics are
    called ``iceye.derivatives.<name>``, spans ``iceye.watch`` (from the first event of a task to
    its end) and ``iceye.transfer`` (a file, renewals and retries as events of the span).

    As a context manager it ends the spans of what was given up without an event.

    Args:
        meter_provider: Where metrics go; None for the global one.
        tracer_provider: Where spans go; None for the global one.
        clock: Whose time spans have: the client's.

    Raises:
        ConfigurationError: OpenTelemetry is not installed.

    Example::

        with Telemetry() as telemetry:
            await client.download_task(task_id, "detections", on_event=telemetry)
    """

    def __init__(
        self,
        *,
        meter_provider: MeterProvider | None = None,
        tracer_provider: TracerProvider | None = None,
        clock: Clock | None = None,
    ) -> None:
        try:
            from opentelemetry import metrics, trace  # noqa: PLC0415 - an extra
        except ImportError:
            raise ConfigurationError(
                "Telemetry needs OpenTelemetry: pip install 'iceye-derivatives[telemetry]'"
            ) from None
        self._clock: Clock = SystemClock() if clock is None else clock
        meter = metrics.get_meter(_SCOPE, __version__, meter_provider)
        self._error = trace.StatusCode.ERROR
        self._tracer = trace.get_tracer(_SCOPE, __version__, tracer_provider)
        makers: dict[str, Callable[..., Any]] = {
            "count": meter.create_counter,
            "spread": meter.create_histogram,
            "level": meter.create_gauge,
        }
        instruments = {
            name: makers[kind](f"iceye.derivatives.{name}", unit=unit, description=what)
            for name, (kind, unit, what) in MEASURES.items()
        }
        self._tell = {
            name: getattr(instrument, {"count": "add", "spread": "record", "level": "set"}[kind])
            for (name, (kind, _, _)), instrument in zip(
                MEASURES.items(), instruments.values(), strict=True
            )
        }
        self._measures = Measures()
        self._spans: dict[str | AssetRef, Span] = {}

    def __call__(self, event: DownloadEvent | PaceChanged) -> None:
        """Take in one event; called in the event loop, and it does not block."""
        now = self._clock.time()
        for sample in self._measures.receive(event, now):
            self._tell[sample.name](sample.value)
        self._trace(event, int(now * _NANO))

    def close(self) -> None:
        """End the spans that are open; safe to call twice."""
        now = int(self._clock.time() * _NANO)
        while self._spans:
            self._spans.popitem()[1].end(now)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _trace(self, event: DownloadEvent | PaceChanged, now: int) -> None:
        match event:
            case TransferStarted(asset=asset):
                self._begin("iceye.transfer", asset, now, _of(asset))
            case TransferRetrying(asset=asset, error=error):
                self._note(asset, "retry", now, {"error.type": type(error).__name__})
            case LinkRenewed(asset=asset):
                self._note(asset, "renewal", now, {})
            case TransferFinished(record=record):
                self._end(record.asset, now, {"iceye.size": record.size or 0})
            case TransferFailed(record=record):
                self._fail(record.asset, now, record.error)
            case WatchFinished(task_id=task_id, delivered=delivered):
                self._end(task_id, now, {"iceye.delivered": delivered})
            case WatchFailed(task_id=task_id, error=error):
                self._fail(task_id, now, error)
            case PaceChanged() | TransferProgressed():
                pass
            case _:
                self._begin("iceye.watch", event.task_id, now, {"iceye.task_id": event.task_id})

    def _begin(self, name: str, of: str | AssetRef, now: int, attributes: dict[str, str]) -> None:
        if of not in self._spans:
            self._spans[of] = self._tracer.start_span(name, start_time=now, attributes=attributes)

    def _note(self, of: AssetRef, what: str, now: int, attributes: dict[str, str]) -> None:
        if of in self._spans:
            self._spans[of].add_event(what, attributes, now)

    def _fail(self, of: str | AssetRef, now: int, error: BaseException | None) -> None:
        if of in self._spans:
            self._spans[of].set_status(self._error)  # without a text: that might quote somebody
        self._end(of, now, {"error.type": type(error).__name__})

    def _end(self, of: str | AssetRef, now: int, attributes: dict[str, str | int]) -> None:
        span = self._spans.pop(of, None)
        if span is not None:
            span.set_attributes(attributes)
            span.end(now)


def _of(asset: AssetRef) -> dict[str, str]:
    return {
        "iceye.task_id": asset.task_id,
        "iceye.derivative_id": asset.derivative_id,
        "iceye.product_type": asset.product_type,
        "iceye.asset_type": asset.asset_type,
    }
