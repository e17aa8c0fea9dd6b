"""How does a file on this machine travel as if it came from far away?

Over loopback two megabytes are there before a bar is drawn.  The rehearsal shows what a transfer
looks like, so its client reads at the speed of an ordinary line.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import anyio

from iceye_derivatives.client import DerivativesClient
from iceye_derivatives.models import SignedUrl
from iceye_derivatives.protocols import LinkResponse

__all__ = ["SlowLineClient"]

PIECE = 16_384
BYTES_A_SECOND = 700_000


class SlowLineClient(DerivativesClient):
    """A client whose files arrive with 5.6 Mbit/s of real time."""

    def open_link(
        self, url: SignedUrl, *, headers: Mapping[str, str]
    ) -> AbstractAsyncContextManager[LinkResponse]:
        """As the client does it, but slowly."""
        return _slowly(super().open_link(url, headers=headers))


@asynccontextmanager
async def _slowly(
    opened: AbstractAsyncContextManager[LinkResponse],
) -> AsyncIterator[LinkResponse]:
    async with opened as response:
        yield _SlowResponse(response)


class _SlowResponse:
    def __init__(self, response: LinkResponse) -> None:
        self._response = response

    @property
    def status(self) -> int:
        return self._response.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._response.headers

    async def chunks(self) -> AsyncIterator[bytes]:
        async for chunk in self._response.chunks():
            for start in range(0, len(chunk), PIECE):
                piece = chunk[start : start + PIECE]
                await anyio.sleep(len(piece) / BYTES_A_SECOND)
                yield piece
