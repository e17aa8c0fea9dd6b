"""Download many tasks into one folder; a restart goes on where the fleet stood.

The ids are those of the first start: nothing is remembered of a task that has finished, so at a
later one they would all be new.  `fleet.add()` takes more while it runs.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

from iceye_derivatives import (
    AssetRef,
    Derivative,
    DerivativesClient,
    DirectorySink,
    Downloader,
    FleetState,
    TransferFinished,
    WatchEvent,
    WatchFailed,
)


def tell(event: WatchEvent) -> None:
    if isinstance(event, WatchFailed):
        print(f"given up: {event.task_id}: {event.error}")


async def main(folder: str, state: Path, task_ids: list[str]) -> None:
    saved = FleetState.from_json(state.read_text()) if state.exists() else None
    async with (
        DerivativesClient.from_env() as client,
        client.watch_tasks(task_ids if saved is None else [], state=saved) as fleet,
    ):
        # What the fleet has handed out and the folder does not hold yet.
        unsettled: dict[AssetRef, Derivative] = {}

        async def derivatives() -> AsyncGenerator[Derivative, None]:
            async for derivative in fleet.derivatives(tell):
                unsettled.update(dict.fromkeys(derivative.asset_refs(), derivative))
                yield derivative

        downloader = Downloader(client, DirectorySink(folder))
        async with downloader.transfers(derivatives()) as events:
            async for event in events:
                if isinstance(event, TransferFinished):
                    print(event.record.path)
                    unsettled.pop(event.record.asset, None)
                    fresh = state.with_suffix(".new")
                    fresh.write_text(await fleet.to_json(unsettled=unsettled.values()))
                    fresh.replace(state)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:]))
