"""A plain client for the simulator: aiohttp and nothing of the library, to ask it as others do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import aiohttp
from attrs import frozen
from yarl import URL

from iceye_derivatives.simulator import Contract, Simulator, VirtualClock

BOTH = "application/json, application/problem+json"
TASKS = "/api/tasking/v2/tasks"


@frozen
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Caller:
    """Speaks to one simulator with a good token, unless told otherwise."""

    def __init__(self, sim: Simulator, session: aiohttp.ClientSession) -> None:
        assert isinstance(sim.clock, VirtualClock)
        self.sim = sim
        self.clock = sim.clock
        self._session = session

    async def send(self, method: str, url: str, **options: Any) -> Reply:
        # `encoded`: a signed link must leave as it came.
        async with self._session.request(method, URL(url, encoded=True), **options) as response:
            return Reply(response.status, response.headers, await response.read())

    async def api(self, method: str, path: str, *, accept: str = BOTH, **options: Any) -> Reply:
        token = self.sim.tokens.issue(now=self.sim.clock.time())
        headers = {"Accept": accept, "Authorization": f"Bearer {token}"}
        return await self.send(method, self.sim.api_base_url + path, headers=headers, **options)

    async def derivatives(self, task_id: str) -> Reply:
        return await self.api("GET", f"{TASKS}/{task_id}/derivatives")

    async def links(self, task_id: str) -> dict[str, str]:
        """Give the first link of each derivative that has one, by its type."""
        data = (await self.derivatives(task_id)).json["data"]
        return {
            each["derivativeProductType"]: each["assets"][0]["href"]
            for each in data
            if each["assets"]
        }

    def a_whole_task(self) -> str:
        """Give a new task whose derivatives are all there."""
        task_id = self.sim.add_task()
        self.clock.set(max(self.sim.world.ready_times(task_id).values()))
        return task_id

    async def a_link(self) -> str:
        """Give a fresh link of a new task whose derivatives are all there."""
        return (await self.links(self.a_whole_task()))["DC_VESSELS"]

    async def what_comes(self, url: str, *, headers: Mapping[str, str] | None = None) -> bytes:
        """Give as much of a body as comes before it breaks off."""
        came = b""
        async with self._session.get(URL(url, encoded=True), headers=headers) as response:
            with suppress(aiohttp.ClientError):
                async for piece in response.content.iter_any():
                    came += piece
        return came

    async def bytes_of(self, url: str, *, headers: Mapping[str, str] | None = None) -> bytes:
        """Ask past all libraries, and give what came until the connection ended, to a byte."""
        _, _, rest = url.partition("://")
        origin, _, target = rest.partition("/")
        host, _, port = origin.partition(":")
        more = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            writer.write(f"GET /{target} HTTP/1.1\r\nHost: {origin}\r\n{more}\r\n".encode())
            return await reader.read(-1)
        finally:
            writer.close()


def order(now: float, **changes: Any) -> dict[str, Any]:
    """Give a createTask body that is good at `now`; a change to None leaves the field out."""
    body = {
        "contractID": Contract().id,
        "pointOfInterest": {"lat": 60.17, "lon": 24.94},
        "acquisitionWindow": {"start": iso(now + 13 * 3600), "end": iso(now + 61 * 3600)},
        "imagingMode": "SPOTLIGHT_FINE",
        "productTypes": ["GRD"],
        "derivativeProductTypes": ["DC_AIRCRAFT", "DC_VESSELS", "DC_VEHICLES"],
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


def iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat()
