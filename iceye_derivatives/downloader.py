"""How do many assets become whole files?"""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from anyio.abc import ObjectReceiveStream

from iceye_derivatives.events import DownloadReport, TransferEvent
from iceye_derivatives.models import Derivative
from iceye_derivatives.protocols import Clock, LinkOpener, Sink, SnapshotSource

__all__ = ["DownloadSource", "Downloader"]


class DownloadSource(SnapshotSource, LinkOpener, Protocol):
    """Who lists derivatives and opens links: a `DerivativesClient`, or a fake."""


class Downloader:
    """Brings assets home."""

    def __init__(
        self,
        client: DownloadSource,
        sink: Sink,
        *,
        concurrency: int = 16,
        overwrite: bool = False,
        clock: Clock | None = None,
        jitter: Callable[[], float] | None = None,
    ) -> None:
        raise NotImplementedError

    async def download(
        self, derivatives: Iterable[Derivative] | AsyncIterable[Derivative]
    ) -> DownloadReport:
        raise NotImplementedError

    def transfers(
        self, derivatives: Iterable[Derivative] | AsyncIterable[Derivative]
    ) -> AbstractAsyncContextManager[ObjectReceiveStream[TransferEvent]]:
        raise NotImplementedError
