"""How is a body cut off where it is above a ceiling: before it is read any further?"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Protocol

from iceye_derivatives._core.limits import Limits
from iceye_derivatives._core.metering import RunMeter
from iceye_derivatives.models import SignedUrl, Snapshot
from iceye_derivatives.protocols import LinkOpener, LinkResponse, SnapshotSource

__all__ = ["MeteredResponse", "MeteredSource"]


class Meter(Protocol):
    """`FileMeter` or `RunMeter`."""

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """The head has come."""
        ...

    def take(self, size: int) -> None:
        """Bytes have come."""
        ...


class MeteredResponse:
    """A `LinkResponse` whose body passes a meter.

    Made of a head that has come: `TooManyBytes` at once where that says that it is above a ceiling,
    before anybody makes room for the file.
    """

    def __init__(self, response: LinkResponse, meter: Meter) -> None:
        self._response = response
        self._meter = meter
        meter.begin(response.status, response.headers)

    @property
    def status(self) -> int:
        return self._response.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._response.headers

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives; `TooManyBytes` as soon as it is known to be above a ceiling."""
        async for chunk in self._response.chunks():
            self._meter.take(len(chunk))
            yield chunk


class Source(SnapshotSource, LinkOpener, Protocol):
    """Who lists derivatives and opens links."""


class MeteredSource:
    """The same source for one run: all files that it opens are counted together."""

    def __init__(self, source: Source, limits: Limits) -> None:
        self._source = source
        self._meter = RunMeter(limits)

    async def look_at_derivatives(self, task_id: str) -> Snapshot:
        """One look, as the source takes it."""
        return await self._source.look_at_derivatives(task_id)

    @asynccontextmanager
    async def open_link(
        self, url: SignedUrl, *, headers: Mapping[str, str]
    ) -> AsyncGenerator[LinkResponse, None]:
        """One GET, as the source makes it; its body counts."""
        async with self._source.open_link(url, headers=headers) as response:
            yield MeteredResponse(response, self._meter)
