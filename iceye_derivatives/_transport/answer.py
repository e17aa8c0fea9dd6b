"""What can be asked of an answer whose body is still to come?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from iceye_derivatives._transport.headers import lower_headers

if TYPE_CHECKING:
    import aiohttp

__all__ = ["Answer", "SessionAnswer"]


class Answer(Protocol):
    """What a lane or a session gives; it raises what aiohttp raises."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""

    @property
    def is_over(self) -> bool:
        """Whether the body has been read to its end."""
        ...

    async def read(self) -> bytes:
        """The next bytes, some at a time, and none at the end."""
        ...

    def release(self) -> None:
        """It is needed no more: its connection is used again, if the body is over."""
        ...

    def close(self) -> None:
        """Close its connection, unless that is used again already."""
        ...


class SessionAnswer:
    """What a session gave.

    It also keeps aiohttp's response out of the frames of others: its `repr` is the whole URL.
    """

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers: Mapping[str, str] = lower_headers(response.headers)

    @property
    def is_over(self) -> bool:
        return self._response.content.at_eof()

    async def read(self) -> bytes:
        return await self._response.content.readany()

    def release(self) -> None:
        self._response.release()

    def close(self) -> None:
        self._response.close()
