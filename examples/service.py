"""A web service: a request orders a task, a watcher delivers its files, a restart goes on.

Stopped (SIGINT or SIGTERM), it has saved what it waits for and what is not home yet; started again,
it goes on there.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator
from datetime import datetime
from pathlib import Path
from typing import Any

from aiohttp import web

from iceye_derivatives import (
    AcquisitionWindow,
    AssetRef,
    Derivative,
    DerivativeProductType,
    DerivativesClient,
    DirectorySink,
    Downloader,
    Fleet,
    FleetState,
    ImagingMode,
    InvalidTaskRequestError,
    PointOfInterest,
    TaskRequest,
    TransferFinished,
    WatchEvent,
    WatchFailed,
)


def tell(event: WatchEvent) -> None:
    if isinstance(event, WatchFailed):
        print(f"given up: {event.task_id}: {event.error}", flush=True)


class Deliveries:
    """What is waited for, what has come, and the file that remembers both."""

    def __init__(self, client: DerivativesClient, fleet: Fleet, state: Path) -> None:
        self.client = client
        self.fleet = fleet
        self.state = state
        self.saving = asyncio.Lock()
        # What the fleet has handed out and the folder does not hold yet.
        self.unsettled: dict[AssetRef, Derivative] = {}

    async def save(self) -> None:
        """Replace the state in one step."""
        async with self.saving:  # an older state must not replace a newer one
            fresh = self.state.with_suffix(".new")
            fresh.write_text(await self.fleet.to_json(unsettled=self.unsettled.values()))
            fresh.replace(self.state)

    async def order(self, request: TaskRequest) -> str:
        """Order a task, watch it, and remember that."""
        task = await self.client.create_task(request)
        await self.fleet.add([task.id])
        await self.save()  # before anybody is told that the task is taken care of
        return task.id

    async def derivatives(self) -> AsyncGenerator[Derivative, None]:
        """What the fleet hands out, noted as under way."""
        async for derivative in self.fleet.derivatives(tell):
            self.unsettled.update(dict.fromkeys(derivative.asset_refs(), derivative))
            yield derivative

    async def deliver(self, folder: str) -> None:
        """Bring all files home; a file that fails is tried again after a restart."""
        downloader = Downloader(self.client, DirectorySink(folder))
        async with downloader.transfers(self.derivatives()) as events:
            async for event in events:
                if isinstance(event, TransferFinished):
                    print(event.record.path, flush=True)
                    self.unsettled.pop(event.record.asset, None)
                    await self.save()


def read_order(wanted: dict[str, Any]) -> TaskRequest:
    start, end = (datetime.fromisoformat(wanted[name]) for name in ("start", "end"))
    return TaskRequest(
        contract_id=wanted["contract_id"],
        point_of_interest=PointOfInterest(lat=wanted["lat"], lon=wanted["lon"]),
        acquisition_window=AcquisitionWindow(start=start, end=end),
        imaging_mode=ImagingMode.SPOTLIGHT_FINE,
        product_types=("GRD",),
        derivative_product_types=tuple(DerivativeProductType),
        # Killed after an order and before it is saved, one finds the task again by this.
        reference=wanted["reference"],
    )


DELIVERIES = web.AppKey("deliveries", Deliveries)


async def order(request: web.Request) -> web.Response:
    try:
        task_id = await request.app[DELIVERIES].order(read_order(await request.json()))
    except InvalidTaskRequestError as error:
        raise web.HTTPUnprocessableEntity(text=str(error)) from error
    except (KeyError, TypeError, ValueError) as error:
        raise web.HTTPBadRequest(text=f"That is no order: {error!r}") from error
    return web.json_response({"task_id": task_id}, status=202)


def application(folder: str, state: Path) -> web.Application:
    saved = FleetState.from_json(state.read_text()) if state.exists() else None

    async def lifespan(app: web.Application) -> AsyncGenerator[None, None]:
        async with (
            DerivativesClient.from_env() as client,
            client.watch_tasks(state=saved, keep_open=True) as fleet,
        ):
            app[DELIVERIES] = deliveries = Deliveries(client, fleet, state)
            async with asyncio.TaskGroup() as tasks:
                delivering = tasks.create_task(deliveries.deliver(folder))
                yield  # noqa: ASYNC101, ASYNC119 - aiohttp makes a context manager of it
                delivering.cancel()
            await deliveries.save()

    app = web.Application()
    app.router.add_post("/tasks", order)
    app.cleanup_ctx.append(lifespan)
    return app


if __name__ == "__main__":
    web.run_app(
        application(sys.argv[1], Path(sys.argv[2])), host="127.0.0.1", port=int(sys.argv[3])
    )
