"""What do all transfers of a run share?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from attrs import field, frozen

from iceye_derivatives._core.download_settings import DownloadSettings
from iceye_derivatives._journal import Journals
from iceye_derivatives._room import Room
from iceye_derivatives.events import TransferEvent
from iceye_derivatives.leases import Leases
from iceye_derivatives.protocols import Clock, LinkOpener, Sink
from iceye_derivatives.sharing import SharedSink

if TYPE_CHECKING:
    import asyncio  # importing the library must not import it: it is half of what that costs

__all__ = ["Surroundings"]


@frozen(kw_only=True)
class Surroundings:
    """Who opens links, where the files go, who hears of them, and how it is to be done."""

    opener: LinkOpener
    leases: Leases
    sink: Sink
    shared: SharedSink | None
    """The same sink, if others can share it."""
    clock: Clock
    jitter: Callable[[], float]
    settings: DownloadSettings
    journals: Journals
    room: Room
    overwrite: bool
    repair: bool
    emit: Callable[[TransferEvent], Awaitable[None]] = field(repr=False)
    slots: asyncio.Semaphore | None
    """See `_run.link_slots`."""
    progress: bool = True
    """Whether the progress of a transfer is told, and not only its end."""
