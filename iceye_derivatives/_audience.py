"""Who hears of the transfers of a run?"""

from __future__ import annotations

from typing import Final

import anyio
from anyio.streams.memory import MemoryObjectSendStream
from attrs import define, field

from iceye_derivatives.events import FileRecord, TransferEvent, TransferFailed, TransferFinished

__all__ = ["Listener", "ReaderLeft", "Teller"]

_ENDS: Final = (TransferFinished, TransferFailed)
"""A tuple, since `isinstance` with a union would build that anew for each event."""


class ReaderLeft(Exception):  # noqa: N818 - no error: somebody has heard enough
    """Nobody reads events any more."""


@define
class Listener:
    """Keeps the records of a run whose events nobody reads."""

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
    """Sends events to a stream; raises `ReaderLeft` where nobody reads it any more."""

    _send: MemoryObjectSendStream[TransferEvent]

    async def __call__(self, event: TransferEvent) -> None:
        try:
            await self._send.send(event)
        except anyio.BrokenResourceError:
            raise ReaderLeft from None
