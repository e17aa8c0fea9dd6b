"""Where are the bytes of a file between the line and the sink: in memory while they are few?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from errno import EDQUOT, ENOSPC
from functools import partial
from types import TracebackType
from typing import Self

from anyio.to_thread import run_sync

from iceye_derivatives._core.content import ContentChecker, check_body
from iceye_derivatives._core.download_settings import DownloadSettings
from iceye_derivatives.errors import DiskFullError, StorageError
from iceye_derivatives.models import AssetRef
from iceye_derivatives.protocols import FoundFile, PartialFile, Sink

__all__ = ["Body"]


class Body:
    """The bytes of one file on their way.

    A small body (nearly all detections) is held in memory and handed to the sink whole, which costs
    one hop to a thread.  A longer one is checked, hashed and written batch by batch, with bounded
    memory.  Used as an async context manager: what was not stored leaves no trace.

    The sink's `OSError`s become `DiskFullError` and `StorageError` here and nowhere else.
    """

    def __init__(self, ref: AssetRef, name: str, sink: Sink, settings: DownloadSettings) -> None:
        self._ref = ref
        self._name = name
        self._sink = sink
        self._settings = settings
        self._open = AsyncExitStack()
        self._part: PartialFile | None = None
        self._checker = ContentChecker(ref)
        self._waiting: list[bytes] = []
        self._waiting_size = 0
        self.size = 0
        """Bytes so far."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # An error's traceback would keep the bytes alive for as long as somebody keeps the record.
        self._waiting = []
        with self._storing():
            await self._open.__aexit__(exc_type, exc, traceback)

    async def find(self) -> FoundFile | None:
        """What the sink has under the final name."""
        with self._storing():
            return await self._sink.find(self._name)

    async def write(self, data: bytes) -> None:
        """Append; raises `ContentFault` as soon as a streamed body shows that it is no file."""
        self._waiting.append(data)
        self._waiting_size += len(data)
        self.size += len(data)
        limit = self._settings.small if self._part is None else self._settings.batch
        if self._waiting_size > limit:
            await self._flush()

    async def restart(self) -> None:
        """Forget all bytes: the file is sent from its start again."""
        self._waiting, self._waiting_size, self.size = [], 0, 0
        self._checker = ContentChecker(self._ref)
        self._part = None
        with self._storing():
            await self._open.aclose()

    async def store(self) -> tuple[str, str]:
        """Check the whole and store it durably: ``(path, sha256)``; raises `ContentFault`."""
        if self._part is None:
            body, self._waiting = b"".join(self._waiting), []
            with self._storing():
                return await self._sink.put(self._name, body, partial(check_body, self._ref))
        await self._flush()
        sha256 = await run_sync(self._checker.finish)
        with self._storing():
            return await self._part.commit(), sha256

    async def _flush(self) -> None:
        data, self._waiting, self._waiting_size = b"".join(self._waiting), [], 0
        if self._part is None:
            with self._storing():
                self._part = await self._open.enter_async_context(self._sink.create(self._name))
        for batch in _batches(data, self._settings.batch):
            # Checked first: a page of HTML does not even get into a part.
            await run_sync(self._checker.feed, batch)
            with self._storing():
                await self._part.write(batch)

    @contextmanager
    def _storing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._storage_error(error) from error

    def _storage_error(self, error: OSError) -> DiskFullError | StorageError:
        reason = error.strerror or type(error).__name__
        if error.errno in (ENOSPC, EDQUOT):
            return DiskFullError(
                f"No room was left for {self._name} ({reason}): what is there is whole, so make "
                "room and download again",
                asset=self._ref,
            )
        return StorageError(
            f"{self._name} could not be stored ({reason}): see the cause, then download again",
            asset=self._ref,
        )


def _batches(data: bytes, size: int) -> Iterator[bytes]:
    """In pieces, without a copy where one piece is enough."""
    if len(data) <= size:
        yield data
    else:
        for start in range(0, len(data), size):
            yield data[start : start + size]
