"""What do we use of aiohttp's connections, and does the one at hand have it?"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp.client_proto import ResponseHandler
from attrs import field, frozen

if TYPE_CHECKING:
    from aiohttp.connector import Connection

__all__ = ["Channel", "is_known"]

# By names that have no underscore and have not changed since aiohttp 3.12.  uvloop's transports are
# not of asyncio's classes.
_OF_TRANSPORTS = (
    *("set_protocol", "get_protocol", "write", "pause_reading", "resume_reading"),
    *("is_closing", "close"),
)
_OF_PROTOCOLS = ("set_response_params", "data_received", "read", "connection_lost", "exception")


@frozen
class Channel:
    """One of aiohttp's connections while it is ours, and its parts, which cost calls to look up."""

    connection: Connection = field(repr=False)
    protocol: ResponseHandler = field(repr=False)
    transport: asyncio.Transport = field(repr=False)

    def give_back(self) -> None:
        """To aiohttp's pool."""
        self.transport.set_protocol(self.protocol)
        self.connection.release()


def is_known(connection: Connection) -> bool:
    """Whether a connection has all that we use."""
    protocol, transport = connection.protocol, connection.transport
    return (
        transport is not None
        and all(callable(getattr(transport, name, None)) for name in _OF_TRANSPORTS)
        and all(callable(getattr(protocol, name, None)) for name in _OF_PROTOCOLS)
        and transport.get_protocol() is protocol
    )
