"""Who gets a living link, and when is a task listed anew for it?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import anyio
from attrs import define, field

from iceye_derivatives._core.download_settings import DownloadSettings
from iceye_derivatives._core.lease import Lease, LeaseBook
from iceye_derivatives._core.transfer_terms import LinkFacts
from iceye_derivatives._core.unread import spell
from iceye_derivatives.errors import ApiError, IceyeError, LinkUnavailableError
from iceye_derivatives.models import AssetRef, SignedUrl, Unreadable
from iceye_derivatives.protocols import Clock, SnapshotSource

__all__ = ["Grant", "Leases"]


@define(kw_only=True, eq=False)
class Grant:
    """A link to use at once."""

    lease: Lease
    renewed: bool
    """Whether another link than the one at hand had to be got for it."""
    _book: LeaseBook = field(repr=False)
    _taken_at: float

    @property
    def facts(self) -> LinkFacts:
        """Its age when it was taken, and the store's clock as far as it is known by now.

        Asked for only where the store refuses it.
        """
        return self._book.facts(self.lease, self._taken_at)


@define
class _Task:
    """One task's book, and the one renewal that may be in flight for it."""

    book: LeaseBook
    renewing: anyio.Lock = field(factory=anyio.Lock)
    refusal: tuple[IceyeError, float] | None = None
    """The API's last refusal to list the task that will not pass by itself, and when it came."""


class Leases:
    """Hands out links that live, renewing them by listing their task: one listing for all assets.

    Nothing here runs by itself: a renewal happens inside the `take()` that needs it, and is
    cancelled with it; whoever waited for it then makes their own.
    """

    def __init__(
        self,
        source: SnapshotSource,
        *,
        clock: Clock,
        jitter: Callable[[], float],
        settings: DownloadSettings,
    ) -> None:
        self._source = source
        self._clock = clock
        self._jitter = jitter
        self._settings = settings
        self._tasks: dict[str, _Task] = {}

    def note(self, ref: AssetRef, url: SignedUrl) -> None:
        """An asset, with its first link, whose link will be asked for until `forget()`."""
        task = self._tasks.get(ref.task_id)
        if task is None:
            task = self._tasks[ref.task_id] = _Task(LeaseBook(ref.task_id, self._settings))
        task.book.note(ref, url)

    def update(self, ref: AssetRef, url: SignedUrl) -> None:
        """A newer link of an asset; it is ignored where none is needed any more."""
        task = self._tasks.get(ref.task_id)
        if task is not None and task.book.get(ref) is not None:
            task.book.note(ref, url)

    def forget(self, ref: AssetRef) -> None:
        """This asset's link is not needed any more."""
        task = self._tasks.get(ref.task_id)
        if task is not None:
            task.book.forget(ref)
            if not task.book:
                del self._tasks[ref.task_id]

    def at_hand(self, ref: AssetRef) -> Grant | None:
        """A living link that is known already, as it mostly is; else None."""
        task = self._tasks[ref.task_id]
        now = self._clock.time()
        lease = task.book.usable(ref, now)
        if lease is None:
            return None
        return Grant(lease=lease, renewed=False, book=task.book, taken_at=now)

    async def take(self, ref: AssetRef, *, refused: Lease | None = None) -> Grant:
        """A link that lives, renewed if need be; never the `refused` one again.

        Raises:
            LinkUnavailableError: the API does not list the asset, or cannot be asked; its
                ``__cause__`` is what the API said.
        """
        grant = self.at_hand(ref)
        if grant is not None and grant.lease is not refused:
            return grant
        task = self._tasks[ref.task_id]
        lease = await self._renew(task, ref, refused)
        return Grant(lease=lease, renewed=True, book=task.book, taken_at=self._clock.time())

    async def _renew(self, task: _Task, ref: AssetRef, refused: Lease | None) -> Lease:
        tries = 0
        while True:
            tries += 1
            try:
                return await self._renew_once(task, ref, refused)
            except LinkUnavailableError as error:
                cause = error.__cause__
                if tries >= self._settings.listings or not getattr(cause, "retryable", True):
                    raise
                asked = cause.retry_after if isinstance(cause, ApiError) else None
            pause = self._settings.backoff.delay(tries - 1, self._jitter())
            await self._clock.sleep(max(pause, min(asked or 0, self._settings.longest_pause)))

    async def _renew_once(self, task: _Task, ref: AssetRef, refused: Lease | None) -> Lease:
        # The pauses between tries are outside of the lock: an asset that the API does not list at
        # the moment must not keep its siblings waiting.
        async with task.renewing:
            now = self._clock.time()
            lease = task.book.usable(ref, now)
            if lease is not None and lease is not refused:
                return lease  # somebody else's renewal brought it while we waited for the lock
            before = task.book.get(ref)
            unreadable = await self._list(task, ref, now)
            lease = task.book.get(ref)
        if lease is None or lease is before:
            raise _unlisted(ref, unreadable)
        return lease

    async def _list(self, task: _Task, ref: AssetRef, now: float) -> tuple[Unreadable, ...]:
        """List the task, and say what of it cannot be read.

        A refusal that will not pass is remembered for the other assets of the task.
        """
        if task.refusal is not None and abs(now - task.refusal[1]) <= self._settings.fresh:
            raise _unavailable(ref, task.refusal[0]) from task.refusal[0]
        try:
            snapshot = await self._source.look_at_derivatives(task.book.task_id)
        except IceyeError as error:
            if not error.retryable:
                task.refusal = (error, self._clock.time())
            raise _unavailable(ref, error) from error
        task.book.learn(snapshot, self._clock.time())
        return snapshot.unreadable


def _unlisted(ref: AssetRef, unreadable: Sequence[Unreadable]) -> LinkUnavailableError:
    # That of another derivative is no reason; one whose id cannot be read may be this one.
    ours = [fault for fault in unreadable if fault.derivative_id in {None, ref.derivative_id}]
    how = f"lists what cannot be read ({spell(ours)})" if ours else "does not list the asset"
    return LinkUnavailableError(
        f"The link of a {ref.asset_type} of derivative {ref.derivative_id} is dead and the API "
        f"{how} at the moment: watch task {ref.task_id} again later",
        asset=ref,
    )


def _unavailable(ref: AssetRef, error: IceyeError) -> LinkUnavailableError:
    return LinkUnavailableError(
        f"The link of a {ref.asset_type} of derivative {ref.derivative_id} is dead and could not "
        f"be renewed ({type(error).__name__}): see the cause, then download task {ref.task_id} "
        "again",
        asset=ref,
    )
