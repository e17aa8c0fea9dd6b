"""How is a body cut off where it is above a ceiling: before it is read any further?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Protocol

from iceye_derivatives._chunks import close
from iceye_derivatives._core.limits import Limits
from iceye_derivatives._core.metering import RunMeter, announced
from iceye_derivatives.models import SignedUrl, Snapshot
from iceye_derivatives.protocols import LinkOpener, LinkResponse, SnapshotSource

__all__ = ["Countable", "MeteredSource"]


class Meter(Protocol):
    """`FileMeter` or `RunMeter`."""

    def begin(self, at: int, total: int | None) -> None:
        """The head has come, and says so much (`announced`)."""
        ...

    def take(self, size: int) -> None:
        """Bytes have come."""
        ...


class Countable:
    """A context manager that opens a link and counts its body by all its `meters` itself.

    That is two layers less for each file than a `_MeteredOpening`, which counts in the same way:
    from the head on.
    """

    __slots__ = ("meters",)

    meters: tuple[Meter, ...]


class MeteredResponse:
    """A `LinkResponse` whose body passes a meter."""

    def __init__(self, response: LinkResponse, meter: Meter) -> None:
        self._response = response
        self._meter = meter

    @property
    def status(self) -> int:
        return self._response.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._response.headers

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives; `TooManyBytes` as soon as it is known to be above a ceiling."""
        return _Counted(self._response.chunks(), self._meter)


class _Counted:
    """Pieces that pass a meter; no generator, as the loop has to register each of those."""

    __slots__ = ("_chunks", "_meter")

    def __init__(self, chunks: AsyncIterator[bytes], meter: Meter) -> None:
        self._chunks = chunks
        self._meter = meter

    def __aiter__(self) -> _Counted:
        return self

    async def __anext__(self) -> bytes:
        chunk = await anext(self._chunks)
        self._meter.take(len(chunk))
        return chunk

    async def aclose(self) -> None:
        """Close what is counted, where that can be closed."""
        await close(self._chunks)


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

    def open_link(
        self, url: SignedUrl, *, headers: Mapping[str, str]
    ) -> AbstractAsyncContextManager[LinkResponse]:
        """One GET, as the source makes it; its body counts."""
        opening = self._source.open_link(url, headers=headers)
        if isinstance(opening, Countable):
            opening.meters = (*opening.meters, self._meter)
            return opening
        return _MeteredOpening(opening, self._meter)


class _MeteredOpening:
    """What the source opens, and then its meter; a class, as in `_transport.files`."""

    __slots__ = ("_meter", "_opening")

    def __init__(self, opening: AbstractAsyncContextManager[LinkResponse], meter: RunMeter) -> None:
        self._opening = opening
        self._meter = meter

    async def __aenter__(self) -> LinkResponse:
        response = await self._opening.__aenter__()
        try:
            # At once, where the head says enough: before anybody makes room for the file.
            self._meter.begin(*announced(response.status, response.headers))
            return MeteredResponse(response, self._meter)
        except BaseException as error:
            await self._opening.__aexit__(type(error), error, error.__traceback__)
            raise

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        return await self._opening.__aexit__(exc_type, exc, traceback)
