"""How do waiting and downloading run together, so that files land while others are being made?"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from attrs import Factory, define

from iceye_derivatives._core.watch import Watch
from iceye_derivatives.downloader import Downloader
from iceye_derivatives.errors import IceyeError
from iceye_derivatives.events import (
    DownloadEvent,
    DownloadReport,
    FileRecord,
    TransferFailed,
    TransferFinished,
)
from iceye_derivatives.models import AssetRef, Derivative

__all__ = ["bring_home"]


async def bring_home(
    derivatives: AsyncGenerator[Derivative, None],
    downloader: Downloader,
    *,
    watch: Watch,
    on_event: Callable[[DownloadEvent], None],
) -> DownloadReport:
    """Download what a watch yields, as it yields it.

    When the watch ends with an error, transfers that have begun are finished first, and the error
    carries the report of what has come.  However it ends, a derivative counts as handed out only
    if all its files are whole: the watch takes the others back, and hands them out when it goes on.
    """
    ledger = _Ledger()
    try:
        async with (
            aclosing(derivatives),
            aclosing(ledger.noting(derivatives)) as noted,
            downloader.transfers(noted, watch=watch) as events,
        ):
            async for event in events:
                if isinstance(event, TransferFinished | TransferFailed):
                    ledger.records.append(event.record)
                on_event(event)
    except IceyeError as error:
        error.report = ledger.report()
        raise
    finally:
        for derivative_id in ledger.not_home():
            watch.give_back(derivative_id)
    return ledger.report()


@define
class _Ledger:
    """What was taken from the watch, and what became of it."""

    taken: list[Derivative] = Factory(list)
    records: list[FileRecord] = Factory(list)

    async def noting(
        self, derivatives: AsyncGenerator[Derivative, None]
    ) -> AsyncGenerator[Derivative, None]:
        async for derivative in derivatives:
            self.taken.append(derivative)
            yield derivative

    def not_home(self) -> set[str]:
        home: set[AssetRef] = {record.asset for record in self.records if record.ok}
        return {each.id for each in self.taken if not home.issuperset(each.asset_refs())}

    def report(self) -> DownloadReport:
        return DownloadReport(files=tuple(self.records))
