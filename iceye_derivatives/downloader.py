"""How does a program download many assets, and what does it hear of them?"""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Protocol

import anyio
from anyio.abc import ObjectReceiveStream

from iceye_derivatives._audience import Listener, Teller
from iceye_derivatives._clock import SystemClock
from iceye_derivatives._core.download_settings import CONCURRENCY, DownloadSettings
from iceye_derivatives._core.limits import Limits
from iceye_derivatives._core.lone_error import lone_error
from iceye_derivatives._core.watch import Watch
from iceye_derivatives._journal import Journals
from iceye_derivatives._room import Room
from iceye_derivatives._run import Run, link_slots, under_way
from iceye_derivatives._surroundings import Surroundings
from iceye_derivatives._transport import MeteredSource
from iceye_derivatives.errors import ConfigurationError
from iceye_derivatives.events import DownloadReport, TransferEvent
from iceye_derivatives.leases import Leases
from iceye_derivatives.models import Derivative
from iceye_derivatives.protocols import Clock, LinkOpener, Sink, SnapshotSource
from iceye_derivatives.sharing import ReadySink, SharedSink

if TYPE_CHECKING:
    from iceye_derivatives._catalogue import Catalogue

__all__ = ["DownloadSettings", "DownloadSource", "Downloader"]


class DownloadSource(SnapshotSource, LinkOpener, Protocol):
    """Who lists derivatives and opens links: a `DerivativesClient`, or a fake."""


class Downloader:
    """Brings assets home: checked, hashed, whole or not at all.

    At most `concurrency` links are open at a time.  A slot is held until its body is closed and,
    above 64 KiB, its file stored.  Smaller files are stored without one, and more transfers are
    under way than there are slots, by a quarter, so that no slot is idle meanwhile.  No URL waits
    in a queue: the asset waits, and its link is taken, or renewed by listing its task again, when a
    slot is free.  A downloader holds nothing between two runs.

    Args:
        client: Who lists derivatives and opens links; it is not closed here.
        sink: Where files go, e.g. ``DirectorySink("detections")``.
        concurrency: Links that are open at a time.
        overwrite: Fetch files again that the sink holds already.  Otherwise they are kept: hashed
            (unless the journal beside them knows them), but neither requested nor parsed again,
            since sinks hold only whole, checked files under final names (an empty one is the
            exception, it is fetched anew).
        repair: Hash all files that are there, and fetch those again that are not what the journal
            says they were.
        stac: Describe each task's files as a STAC Item beside them (``item.json``), and all tasks
            as a Collection above (``collection.json``).
        clock: Now and sleeping.
        jitter: Draws from [0, 1).
        settings: The numbers behind it, see `DownloadSettings`.
        limits: Ceilings; ``bytes_per_run`` is counted over all files of one `transfers()`.

    Raises:
        ConfigurationError: `concurrency` is not at least 1, or the sink cannot hold a catalogue.

    Example::

        downloader = Downloader(client, DirectorySink("detections"))
        snapshot = await client.get_derivatives(task_id)
        report = await downloader.download(snapshot.derivatives)
        report.raise_for_failures()
    """

    def __init__(
        self,
        client: DownloadSource,
        sink: Sink,
        *,
        concurrency: int = CONCURRENCY,
        overwrite: bool = False,
        repair: bool = False,
        stac: bool = False,
        clock: Clock | None = None,
        jitter: Callable[[], float] | None = None,
        settings: DownloadSettings | None = None,
        limits: Limits | None = None,
    ) -> None:
        if concurrency < 1:
            raise ConfigurationError(f"concurrency={concurrency} moves nothing: give at least 1")
        self._client = client
        self._sink = sink
        self._concurrency = concurrency
        self._overwrite = overwrite
        self._repair = repair
        self._stac = stac
        self._catalogue()  # a sink that cannot hold one is told of now
        self._clock: Clock = SystemClock() if clock is None else clock
        self._jitter = random.random if jitter is None else jitter
        self._settings = DownloadSettings() if settings is None else settings
        self._limits = Limits() if limits is None else limits

    async def make_ready(self) -> None:
        """Try the sink, where it can be tried: call it before you wait for days.

        `DerivativesClient.download_task()` does.

        Raises:
            OSError: no file could be stored, e.g. since the folder cannot be made.
        """
        if isinstance(self._sink, ReadySink):
            await self._sink.make_ready()

    async def download(
        self, derivatives: Iterable[Derivative] | AsyncIterable[Derivative]
    ) -> DownloadReport:
        """Download all assets of all derivatives.

        Cancelled at any await, it leaves no task, socket or file handle, and under each final name
        the whole file or nothing.

        Returns:
            One record per asset, in the order in which they ended.  One failed file does not stop
            the others; see `DownloadReport.raise_for_failures()`.

        Raises:
            Exception: whatever `derivatives` itself raises, after the transfers that it had given
                rise to have ended.
        """
        listener = Listener()
        async with self._running(derivatives, None, listener, listener.end):
            await listener.ended.wait()
        return DownloadReport(files=tuple(listener.records))

    def transfers(
        self,
        derivatives: Iterable[Derivative] | AsyncIterable[Derivative],
        *,
        watch: Watch | None = None,
    ) -> AbstractAsyncContextManager[ObjectReceiveStream[TransferEvent]]:
        """The same as a stream of events, which ends when the last transfer has.

        Transfers run as long as the context is open.  No event is lost: a slow reader holds the
        transfers back.  Leaving early cancels them cleanly.  Each asset is fetched once per run,
        however often its derivative is handed in (as an update, say).  If `derivatives` raises, the
        transfers that it had given rise to end first; then the context's end raises the error.  An
        async generator is closed when the context is left.

        Args:
            derivatives: What to download.
            watch: Where they come from; its state is written into the journal beside the files.

        Example::

            async with downloader.transfers(client.watch_task(task_id)) as events:
                async for event in events:
                    print(event)
        """
        return self._transfers(derivatives, watch)

    @asynccontextmanager
    async def _transfers(
        self,
        derivatives: Iterable[Derivative] | AsyncIterable[Derivative],
        watch: Watch | None,
    ) -> AsyncGenerator[ObjectReceiveStream[TransferEvent], None]:
        send, receive = anyio.create_memory_object_stream[TransferEvent](0)
        async with self._running(derivatives, watch, Teller(send), send.close), receive:
            yield receive

    @asynccontextmanager
    async def _running(
        self,
        derivatives: Iterable[Derivative] | AsyncIterable[Derivative],
        watch: Watch | None,
        emit: Callable[[TransferEvent], Awaitable[None]],
        on_end: Callable[[], object],
    ) -> AsyncGenerator[None, None]:
        """All transfers, as long as the context is open; `on_end` when they have ended."""
        journals = Journals(self._sink, self._clock, watch, self._catalogue())
        run = Run(self._surroundings(emit, journals), on_end, under_way(self._concurrency))
        error: BaseException | None
        try:
            async with anyio.create_task_group() as tasks:
                run.start(tasks, derivatives)
                yield
                # Not in a `finally`: where the body raises, the task group cancels by itself.
                tasks.cancel_scope.cancel()
            error = run.error
        except BaseExceptionGroup as group:
            error = lone_error(group)  # the user's own, or ours
            if error is None:
                raise
        finally:
            run.close()
            with anyio.CancelScope(shield=True):
                await journals.close()
        if error is not None:
            raise error

    def _catalogue(self) -> Catalogue | None:
        if not self._stac:
            return None
        # Only who wants one pays for its import.
        from iceye_derivatives._catalogue import Catalogue  # noqa: PLC0415

        return Catalogue(self._sink, self._client)

    def _surroundings(
        self, emit: Callable[[TransferEvent], Awaitable[None]], journals: Journals
    ) -> Surroundings:
        return Surroundings(
            opener=MeteredSource(self._client, self._limits),
            leases=Leases(
                self._client, clock=self._clock, jitter=self._jitter, settings=self._settings
            ),
            sink=self._sink,
            shared=self._sink if isinstance(self._sink, SharedSink) else None,
            clock=self._clock,
            jitter=self._jitter,
            settings=self._settings,
            journals=journals,
            room=Room(self._sink, self._clock, self._settings),
            slots=link_slots(self._concurrency),
            overwrite=self._overwrite,
            repair=self._repair,
            emit=emit,
            progress=isinstance(emit, Teller),
        )
