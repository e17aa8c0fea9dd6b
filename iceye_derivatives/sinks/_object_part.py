"""How does a body become an object while it still arrives, and nothing if it never ends?"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from hashlib import sha256
from typing import Any, Final

from anyio.to_thread import run_sync

from iceye_derivatives.sharing import PartMark
from iceye_derivatives.sinks._object_client import ObjectClient
from iceye_derivatives.sinks._object_errors import another_there, telling
from iceye_derivatives.sinks._settle import settle

__all__ = ["ObjectPart"]

logger = logging.getLogger("iceye_derivatives")

PIECE: Final = 5 * 1024 * 1024
"""Bytes of one part of an upload: the least that S3 takes (of each but the last), as a slow line
has 30 seconds for it.  10,000 of them make 50 GB.  Two are on their way at a time, so a file takes
15 MiB of memory, however long it is."""
_AT_ONCE: Final = 2


class ObjectPart:
    """An object in the making; implements `iceye_derivatives.sharing.ResumablePart`.

    Up to `PIECE` bytes are kept in memory and put in one request.  More become a multipart upload,
    whose parts go up as they come: invisible until it is completed, and aborted otherwise.
    """

    def __init__(
        self, client: ObjectClient, name: str, *, replace: bool, on_stored: Callable[[str], None]
    ) -> None:
        self.url = client.url
        self._client = client
        self._name = name
        self._replace = replace
        self._on_stored = on_stored
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._waiting: list[bytes] = []
        self._waiting_size = 0
        self._digest = sha256()
        self._writer: Any = None

    async def read(self) -> AsyncIterator[bytes]:
        """Nothing: an upload is bound to the process that began it."""
        nothing: tuple[bytes, ...] = ()
        for block in nothing:
            yield block

    async def set_mark(self, mark: PartMark) -> None:
        """Not kept, for the same reason."""

    @telling
    async def write(self, data: bytes) -> None:
        """Append; returns when no more than two parts are on their way."""
        if not self._replace:
            # To tell, at the end, whether another process has stored the same.
            await run_sync(self._digest.update, data)
        self._waiting.append(data)
        self._waiting_size += len(data)
        if self._writer is None and self._waiting_size < PIECE:
            return
        if self._writer is None:
            self._writer = self._client.open_writer(self._name, piece=PIECE, at_once=_AT_ONCE)
        body, self._waiting, self._waiting_size = b"".join(self._waiting), [], 0
        await settle(lambda: self._writer.write(body))

    async def restart(self) -> None:
        """Forget all bytes."""
        await self.close()
        self._begin_anew()

    async def commit(self) -> str:
        """Publish the whole."""
        if self._writer is None:
            body, self._waiting = b"".join(self._waiting), []
            stamp = await self._client.put(self._name, body, replace=self._replace)
        else:
            stamp = await self._complete()
        self._on_stored(stamp)
        return self._client.locate(self._name)

    @telling
    async def _complete(self) -> str:
        """Complete the upload, unless another process was faster.

        No condition can be put on that: who looks just before the other completes replaces the
        other's object by the same bytes.
        """
        there = None if self._replace else await self._client.look(self._name)
        if there is not None and there.size:
            if await self._client.digest(there) != self._digest.hexdigest():
                raise another_there(self._client.locate(self._name))
            await self.close()
            return there.stamp
        writer, self._writer = self._writer, None
        # Where a part or the completion fails, obstore aborts the upload by itself.
        await settle(writer.close)
        stored = await self._client.look(self._name)
        return "" if stored is None else stored.stamp

    async def close(self) -> None:
        """Abort what was begun and not completed."""
        writer, self._writer = self._writer, None
        self._waiting = []
        if writer is None:
            return
        try:
            await settle(lambda: _abort(writer))
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not hide why we are here
            logger.debug("An upload to %s was not aborted: %s", self.url, type(error).__name__)


def _abort(writer: Any) -> Coroutine[Any, Any, None]:  # noqa: ANN401 - obstore's own
    """Its writer tells an end from a failure by what its context is left with."""
    error = RuntimeError("the upload was left")
    return writer.__aexit__(type(error), error, None)  # type: ignore[no-any-return]
