"""Who hears of the transfers of a run?"""

from __future__ import annotations

from typing import Final

import anyio
from anyio.streams.memory import MemoryObjectSendStream
from attrs import define, field

from iceye_derivatives.events import FileRecord, TransferEvent, TransferFailed, TransferFinished

__all__ = ["Listener", "ReaderLeft", "Teller"]

_ENDS: Final = (TransferFinished, TransferFailed)
"""Not as a union, which is made anew each time that it is asked for."""


class ReaderLeft(Exception):  # noqa: N818 - no error: somebody has heard enough
    """Nobody reads events any more."""


@define
class Listener:
    """Hears of all events where nobody reads a stream, and keeps the records."""

    records: list[FileRecord] = field(init=False, factory=list)
    ended: anyio.Event = field(init=False, factory=anyio.Event)

    async def __call__(self, event: TransferEvent) -> None:
        if isinstance(event, _ENDS):
            self.records.append(event.record)

    def end(self) -> None:
        """No more will come."""
        self.ended.set()


@define
class Teller:
    """Sends events, and tells a reader who left from all other broken streams."""

    _send: MemoryObjectSendStream[TransferEvent]

    async def __call__(self, event: TransferEvent) -> None:
        try:
            await self._send.send(event)
        except anyio.BrokenResourceError:
            raise ReaderLeft from None
