"""How does a GET go straight over one of aiohttp's connections, without all that a session does?

For each request a session looks after cookies, redirects, traces, timers and unpacking.  A signed
link has no use for any of that, and it was more than half of what a small file cost.  Here the
request is written as it is, and its answer is read by a `Lane`.

Connecting, the pool, its limits, TLS and proxies stay aiohttp's.  Where its release is not one that
is known here, the session is asked as usual.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from contextlib import suppress
from inspect import signature
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from iceye_derivatives._transport.connection import Channel, is_known
from iceye_derivatives._transport.headers import lower_headers
from iceye_derivatives._transport.lane import Lane, plain_length
from iceye_derivatives._transport.origin import Origin
from iceye_derivatives._transport.reading import Reading

if TYPE_CHECKING:
    from aiohttp.connector import Connection

__all__ = ["Lanes"]

_UNCLEAN: Final = 3
"""How many connections are closed because something came unasked, before that is a failure: a
server may do so on each that is made."""
_ORIGINS: Final = 32
"""How many origins are remembered: the links of a run lead to one, or two."""
_AT_HAND: Final = 1.0
"""Seconds for which an idle connection is kept out of aiohttp's pool, up to twice that."""
_PREFIX = re.compile(r"https?://[^/?#]+")


class _Seen(Exception):  # noqa: N818 - no error: the way out of a session that shall not send
    """The request that aiohttp would have sent was seen."""


class Lanes:
    """The GETs of one session of ours.

    A connection whose body is over is kept at hand for the next request, unless somebody waits for
    one in aiohttp's pool, and given back to that when there was none for a second or two.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        settings: Mapping[str, Any],
        reading: Reading,
    ) -> None:
        self._session = session
        self._connector = session.connector
        self._settings = settings
        self._reading = reading
        self._fits = _fits(self._connector, reading)
        """Whether aiohttp is as it is known here."""
        self._is_tried = False
        """Whether a connection was looked at: one is like the other."""
        self._origins: dict[tuple[str, str | None], Origin] = {}
        self._latest: Origin | None = None
        self._waiting = 0
        """How many requests wait for a connection of the pool."""
        self._keeps = True
        """Whether connections are kept at hand."""
        self._timer: asyncio.TimerHandle | None = None

    async def get(self, url: str, proxy: str | None, headers: Mapping[str, str]) -> Lane | None:
        """The answer, whose body is still on the line; None where the session must be asked.

        Raises whatever aiohttp does.
        """
        origin = self._latest
        if not (self._fits and origin and origin.has(url, proxy)):
            origin = self._latest = await self._origin_of(url, proxy)
        if origin is None:
            self.stop()  # the session waits in the pool as well, and nobody here hears of it
            return None
        try:
            return await self._exchange(origin, url, headers)
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
            # Once, as aiohttp does: a store may close a connection just when it is used again.
            return await self._exchange(origin, url, headers)

    async def _origin_of(self, url: str, proxy: str | None) -> Origin | None:
        found = _PREFIX.match(url)
        # A proxy that is asked without TLS is no tunnel: it wants the whole URL, and its password.
        tunnels = proxy is None or url.startswith("https:")
        if found is None or not tunnels or not self._fits:
            return None
        return self._origins.get((found[0], proxy)) or await self._see(found[0], proxy)

    async def _see(self, prefix: str, proxy: str | None) -> Origin:
        """Have the session make a request, and keep what does not depend on the link."""
        seen: list[aiohttp.ClientRequest] = []

        async def see(request: aiohttp.ClientRequest, _: object) -> aiohttp.ClientResponse:
            seen.append(request)
            raise _Seen

        with suppress(_Seen):
            await self._session.get(
                URL(f"{prefix}/", encoded=True), proxy=proxy, middlewares=(see,), **self._settings
            )
        if len(self._origins) >= _ORIGINS:
            for old in self._origins.values():
                old.retire()
            self._origins.clear()
        headers = {str(name): value for name, value in seen[0].headers.items()}
        origin = Origin(prefix, proxy, seen[0], headers, self._may_keep)
        return self._origins.setdefault((prefix, proxy), origin)

    async def _exchange(self, origin: Origin, url: str, headers: Mapping[str, str]) -> Lane | None:
        channel = origin.take() or await self._connect(origin)
        if channel is None:
            return None
        lane = Lane(channel, origin.keep, self._reading)
        try:
            lane.send(origin.ask(url, headers))
            await lane.begin()
        except BaseException:
            lane.close()
            raise
        return lane

    async def _connect(self, origin: Origin) -> Channel | None:
        """None where connections are not as they are known here."""
        assert self._connector is not None  # noqa: S101 - `_fits`
        timeout = self._settings["timeout"]
        failure: aiohttp.ClientError = aiohttp.ServerDisconnectedError()
        self._let_go(all_of_them=True)  # they count among those that aiohttp may have open
        self._waiting += 1
        try:
            for _ in range(_UNCLEAN):
                connection = await self._connector.connect(origin.request, [], timeout)
                protocol = connection.protocol
                if protocol is None or not protocol.should_close:
                    return self._channel_of(connection)
                connection.close()  # something came unasked, and could pass for the next answer
        except TimeoutError:
            failure = aiohttp.ConnectionTimeoutError("Connection timeout")
        finally:
            self._waiting -= 1
        raise failure

    def _channel_of(self, connection: Connection) -> Channel | None:
        if not self._is_tried:
            self._is_tried, self._fits = True, is_known(connection)
        if not self._fits:
            connection.release()
            return None
        assert connection.protocol is not None  # noqa: S101 - `is_known`
        assert connection.transport is not None  # noqa: S101 - the same
        return Channel(connection, connection.protocol, connection.transport)

    # -- connections at hand -----------------------------------------------------------------------

    def _may_keep(self) -> bool:
        if self._waiting or not self._keeps:
            return False
        if self._timer is None:
            self._timer = self._reading.loop.call_later(_AT_HAND, self._look)
        return True

    def _look(self) -> None:
        self._timer = None
        if self._let_go(all_of_them=False):
            self._timer = self._reading.loop.call_later(_AT_HAND, self._look)

    def _let_go(self, *, all_of_them: bool) -> bool:
        """Whether any connection is still at hand."""
        left = [origin.let_go(all_of_them=all_of_them) for origin in self._origins.values()]
        return any(left)

    def stop(self) -> None:
        """Keep no connection at hand any more."""
        self._keeps = False
        self._let_go(all_of_them=True)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _fits(connector: aiohttp.BaseConnector | None, reading: Reading) -> bool:
    """Whether aiohttp connects, and reads heads, as it is known here."""
    if connector is None or not hasattr(aiohttp, "ClientMiddlewareType"):
        return False
    # The loop of Windows reads first, and then wants room for all of it, though the line was
    # stopped for want of room in between.
    if isinstance(reading.loop, getattr(asyncio, "ProactorEventLoop", ())):
        return False
    try:
        signature(connector.connect).bind("request", traces=[], timeout="timeout")
        parser = reading.parser(ResponseHandler(reading.loop))
        [(message, _)], _, left = parser.feed_data(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n")
        length = plain_length(message.code, lower_headers(message.headers))
    except (AttributeError, TypeError, ValueError):
        return False
    return not left and length == 7  # noqa: PLR2004 - as it says above
