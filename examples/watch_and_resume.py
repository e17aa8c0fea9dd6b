"""Watch a task over restarts: the state is a small JSON file, and it holds no link."""

import asyncio
import sys
from contextlib import aclosing
from pathlib import Path

from iceye_derivatives import DerivativesClient, Watch


async def main(task_id: str, state: Path) -> None:
    watch = Watch.from_json(state.read_text()) if state.exists() else Watch(task_id)
    async with (
        DerivativesClient.from_env() as client,
        aclosing(client.watch_task(task_id, watch=watch)) as derivatives,
    ):
        async for derivative in derivatives:
            print(derivative.product_type, derivative.id)
            # Saved after the item has been dealt with, so that a crash repeats it at worst; and
            # replaced in one step, so that a crash in the middle leaves the old state.
            fresh = state.with_suffix(".new")
            fresh.write_text(watch.to_json())
            fresh.replace(state)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
