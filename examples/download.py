"""Watch a task and download its detections while later ones are still being made."""

import asyncio
import sys

from iceye_derivatives import DerivativesClient, TransferFinished, Waiting
from iceye_derivatives.events import DownloadEvent


def tell(event: DownloadEvent) -> None:
    match event:
        case Waiting(reason=reason, seconds=seconds):
            print(f"{reason}; next look in {seconds:.0f} s")
        case TransferFinished(record=record):
            print(f"{record.path}: {record.size} bytes, sha256 {record.sha256}")


async def main(task_id: str, folder: str) -> None:
    async with DerivativesClient.from_env() as client:
        report = await client.download_task(task_id, folder, on_event=tell)
    report.raise_for_failures()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
