"""How does a sink that knows neither claims nor marks serve as one that does?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from iceye_derivatives.protocols import PartialFile, Sink
from iceye_derivatives.sharing import PartMark

__all__ = ["PlainPlace"]


class PlainPlace:
    """A name in any `Sink`; implements `iceye_derivatives.sharing.Place`.

    A file begins anew in each process, and nothing keeps a second process from making it, too.
    """

    mark: PartMark | None = None
    stamp: str | None = None

    def __init__(self, sink: Sink, name: str) -> None:
        self._sink = sink
        self._name = name

    async def put(self, body: bytes, check: Callable[[bytes], str]) -> tuple[str, str]:
        """As the sink does it."""
        return await self._sink.put(self._name, body, check)

    @asynccontextmanager
    async def stream(self) -> AsyncIterator[_PlainPart]:
        """A file to stream into; left without `commit()`, nothing is left of it."""
        async with AsyncExitStack() as opened:
            yield _PlainPart(self._sink, self._name, opened)


class _PlainPart:
    def __init__(self, sink: Sink, name: str, opened: AsyncExitStack) -> None:
        self._sink = sink
        self._name = name
        self._open = opened
        self._part: PartialFile | None = None

    async def read(self) -> AsyncIterator[bytes]:
        """Nothing: no mark outlives a process here."""
        nothing: tuple[bytes, ...] = ()
        for block in nothing:
            yield block

    async def write(self, data: bytes) -> None:
        """Append."""
        await (await self._begun()).write(data)

    async def set_mark(self, mark: PartMark) -> None:
        """Not kept: this sink has no place for it."""

    async def restart(self) -> None:
        """Leave the part that was begun, and begin another one with the next byte."""
        self._part = None
        await self._open.aclose()

    async def commit(self) -> str:
        """As the sink does it."""
        return await (await self._begun()).commit()

    async def _begun(self) -> PartialFile:
        if self._part is None:
            self._part = await self._open.enter_async_context(self._sink.create(self._name))
        return self._part
