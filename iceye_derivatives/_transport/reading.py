"""What do all lanes of a session share: a buffer for heads, a parser, and a timer?"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

from aiohttp.client_proto import ResponseHandler
from aiohttp.http import HttpResponseParser
from attrs import define, field

if TYPE_CHECKING:
    from iceye_derivatives._transport.watchdog import Watchdog

__all__ = ["SCRATCH", "Reading"]

SCRATCH: Final = 64 * 1024
"""Bytes of a head, and of the body behind it, that come at a time at most."""
_MOMENT: Final = 0.05
"""Seconds after which bytes are handed out though they are few: a line may be slow."""


class Lingerer(Protocol):
    """A lane, with a few bytes that nobody got yet."""

    def hand_out(self) -> None:
        """Give whoever waits for them what is there."""
        ...


@define(kw_only=True, eq=False)
class Reading:
    """What each lane reads with."""

    watchdog: Watchdog
    ahead: int
    """Bytes that wait in aiohttp's own reader, twice at most."""
    header_bytes: int
    """Of one header, and of the status line."""
    loop: asyncio.AbstractEventLoop = field(init=False, factory=asyncio.get_running_loop)
    room: bytearray = field(init=False, factory=lambda: bytearray(SCRATCH))
    """Where heads are received.  One serves all lanes of a loop, as each head is copied out of it
    before the loop reads anything else; several loops would read at the same time."""
    scratch: memoryview = field(init=False)
    """A view of that buffer."""
    _lingering: set[Lingerer] = field(init=False, factory=set)
    """Lanes with a few bytes, which wait for more of them."""
    _timer: asyncio.TimerHandle | None = field(init=False, default=None)

    @scratch.default
    def _view(self) -> memoryview:
        return memoryview(self.room)

    def linger(self, lane: Lingerer) -> None:
        """The lane has a few bytes; in a moment it is told to hand out what it has."""
        self._lingering.add(lane)
        if self._timer is None:
            self._timer = self.loop.call_later(_MOMENT, self._hand_out)

    def _hand_out(self) -> None:
        self._timer = None
        lanes, self._lingering = self._lingering, set()
        for lane in lanes:
            lane.hand_out()

    def parser(self, protocol: ResponseHandler) -> HttpResponseParser:
        """Aiohttp's own, for one head: what follows is none of its business."""
        return HttpResponseParser(
            protocol,
            self.loop,
            self.ahead,
            max_line_size=self.header_bytes,
            max_field_size=self.header_bytes,
            response_with_body=False,
            auto_decompress=False,
        )
