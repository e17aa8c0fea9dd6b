"""How do waiting and downloading run as one: files land while later derivatives are being made?"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from iceye_derivatives.downloader import Downloader
from iceye_derivatives.errors import IceyeError
from iceye_derivatives.events import (
    DownloadEvent,
    DownloadReport,
    FileRecord,
    TransferFailed,
    TransferFinished,
)
from iceye_derivatives.models import Derivative

__all__ = ["bring_home"]


async def bring_home(
    derivatives: AsyncGenerator[Derivative, None],
    downloader: Downloader,
    on_event: Callable[[DownloadEvent], None],
) -> DownloadReport:
    """Download what a watch yields, as it yields it.

    When the watch ends with an error, transfers that have begun are finished first, and the error
    carries the report of what has come.
    """
    records: list[FileRecord] = []
    try:
        async with aclosing(derivatives), downloader.transfers(derivatives) as events:
            async for event in events:
                if isinstance(event, TransferFinished | TransferFailed):
                    records.append(event.record)
                on_event(event)
    except IceyeError as error:
        error.report = DownloadReport(files=tuple(records))
        raise
    return DownloadReport(files=tuple(records))
