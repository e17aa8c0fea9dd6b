"""How is a body read in part, and closed, whatever kind of iterator it is?"""

from __future__ import annotations

from collections.abc import AsyncIterator

from iceye_derivatives.errors import NetworkError
from iceye_derivatives.protocols import LinkResponse

__all__ = ["Rejoined", "beginning", "close"]

_ERROR_BODY = 2048


async def beginning(response: LinkResponse) -> bytes:
    """How an error's body begins: enough for the store's code.  A broken one raises nothing."""
    begins, chunks = b"", response.chunks()
    try:
        async for chunk in chunks:
            begins += chunk[: _ERROR_BODY - len(begins)]
            if len(begins) >= _ERROR_BODY:
                break
    except NetworkError:
        pass
    finally:
        await close(chunks)
    return begins


async def close(chunks: AsyncIterator[bytes]) -> None:
    """Close a body that may not have been read to its end; generators need that."""
    ends = getattr(chunks, "aclose", None)
    if ends is not None:
        await ends()


class Rejoined:
    """A body whose first piece has been read already, as a whole again."""

    __slots__ = ("_chunks", "_first")

    def __init__(self, first: bytes, chunks: AsyncIterator[bytes]) -> None:
        self._first = first
        self._chunks = chunks

    def __aiter__(self) -> Rejoined:
        return self

    async def __anext__(self) -> bytes:
        first, self._first = self._first, b""
        return first or await anext(self._chunks)

    async def aclose(self) -> None:
        """Close the rest."""
        await close(self._chunks)
