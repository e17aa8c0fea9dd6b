"""How does a program talk to ICEYE: order, look, watch, download?"""

from __future__ import annotations

import os
from collections import ChainMap
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager

from iceye_derivatives._api_client import ApiClient
from iceye_derivatives._core.backoff import Backoff
from iceye_derivatives._core.decisions import Patience
from iceye_derivatives._core.download_settings import CONCURRENCY
from iceye_derivatives._core.fleet_state import FleetState
from iceye_derivatives._core.watch import Watch
from iceye_derivatives._fleet_opening import open_fleet
from iceye_derivatives._fleet_terms import FleetSettings
from iceye_derivatives._journal import resumed_watch
from iceye_derivatives._patient import PatientSource
from iceye_derivatives._pipeline import bring_home
from iceye_derivatives.downloader import Downloader
from iceye_derivatives.errors import ConfigurationError
from iceye_derivatives.events import DownloadEvent, DownloadReport, WatchEvent
from iceye_derivatives.fleet import Fleet
from iceye_derivatives.models import Derivative
from iceye_derivatives.protocols import Sink
from iceye_derivatives.sinks import sink_for
from iceye_derivatives.watcher import WatchSource, watch_derivatives

__all__ = ["DerivativesClient"]


class DerivativesClient(ApiClient):
    """A client of ICEYE's Tasking API and of the files that it links to.

    Use it as an async context manager, one for a whole program: all its calls and watches share
    one rate limit, one token and one pool of connections.  It holds two HTTP sessions: the API's,
    which alone has the token and follows no redirect, and the files', which cannot have it.  It
    belongs to the event loop of its first request, so each ``asyncio.run()`` needs its own.
    A client that was closed raises `RuntimeError`.

    Args:
        base_url: Scheme and host, with or without ``/api``; https, or http for loopback.
        auth: Where tokens come from: `ClientCredentials`, `StaticToken`, or your own `TokenSource`.
        rate: Requests a second at most over all calls and watches of this client; each 429 halves
            it, and it comes back within minutes.  Another client, in this process or elsewhere,
            knows nothing of it: share one, or give each its part.
        burst: How many may go at once after a quiet time.
        retry: How single calls are tried again; watches have budgets of their own.
        connect_timeout: Seconds until a connection stands.
        answer_timeout: Seconds of silence after which a call of the API counts as broken; ICEYE's
            own example code grants its listings that long.
        read_timeout: The same for the body of a file.
        allow_http: Also follow links to files that are not https (loopback always may be).
        allowed_hosts: Where links to files may lead, e.g. ``["*.cloudfront.net"]``; None for
            anywhere but from a public API to a private address (a host that is named exactly may
            be private).  Redirects are held to the same.
        trust_env: Honour the proxy variables of the environment.
        ssl_context: For a private certificate authority; default: the system's.
        api_session: A session of yours for the API; it is never closed here.
        file_session: The same for files; it must have no default ``Authorization`` header.  Names
            are looked up by its own rules: a public name may lead it to a private address.
        limits: Ceilings for what servers send; see `Limits`.
        delays: How long things take, as an earlier client has learned it; see `Delays`.
        clock: Now and sleeping; a simulator's clock lets days pass in milliseconds.
        jitter: Draws from [0, 1).
        on_event: Called when the API has asked the whole client to be slower, and once it may be as
            quick as before: `PaceChanged`.

    Raises:
        ConfigurationError: when a setting cannot be used.

    Example:
        >>> import asyncio
        >>> from iceye_derivatives import DerivativesClient
        >>> async def main(task_id: str) -> None:
        ...     async with DerivativesClient.from_env() as client:
        ...         report = await client.download_task(task_id, "detections")
        ...         report.raise_for_failures()
        >>> asyncio.run(main("7fb95g75-6828-5673-c4gd-3d074g77bgb7"))  # doctest: +SKIP
    """

    def watch_task(
        self,
        task_id: str,
        *,
        backoff: Backoff | None = None,
        timeout: float | None = None,
        watch: Watch | None = None,
        max_failures: int = 60,
        push: bool = False,
        on_event: Callable[[WatchEvent], None] | None = None,
    ) -> AsyncGenerator[Derivative, None]:
        """Yield each derivative as soon as a look shows its assets, until all are there.

        Each derivative comes once, in the order first seen; again, with ``is_update`` set, only
        when further assets of it appear.  It looks only while you iterate, so a slow body slows the
        looking.  Nothing is held open at the ``yield``: leave the loop as you like, but close the
        generator (`contextlib.aclosing`) when you break.  A cancelled iteration ends this
        generator; pass the same `watch` to a new one to go on.  The links of what is yielded live
        for an hour: hand the derivative, not its URL, to the `Downloader`.

        A derivative that cannot be read holds no other back: `DerivativesUnreadable` tells of it
        once, and it is yielded when a later look shows it as documented.

        Args:
            task_id: Which task.
            backoff: The rhythm of looking, in seconds; default ``Backoff()``.
            timeout: Patience in all, in seconds; at its end there is one last look.
            watch: Go on with this one; keep it to ask ``watch.finished`` or to save it.
            max_failures: Failed looks in a row before giving up (a budget apart from the wait), and
                looks in a row that show nothing missing but what cannot be read.
            push: Changes of the task's status are told by `nudge()`, e.g. from ICEYE's
                notifications: before the image there is only a look every half day, for the case
                that one was lost.
            on_event: Called with each `WatchEvent`; `Waiting` says what for and how long.

        Raises:
            WatchTimeoutError: the patience is used up; ``.watch`` goes on.
            TaskEndedError: REJECTED, FAILED or CANCELED, after what was ready has been yielded.
            NoDerivativesRequestedError: the task lists none, and nobody knows better.
            TaskNotFoundError: the API does not know the task, and a short grace has passed; or it
                has known it before, and says so until `max_failures` is used up.
            AuthenticationError: the token is refused twice.
            PermissionDeniedError: not ours to see.
            PollBudgetError: too many failed looks in a row.
            UnreadableDerivativesError: all else was yielded, and this stays as it is.

        Example::

            async with aclosing(client.watch_task(task_id)) as derivatives:
                async for derivative in derivatives:
                    print(derivative.product_type, derivative.id)
        """
        source: WatchSource = self._polls
        if timeout is not None:
            source = PatientSource(source, pacer=self._pacer, clock=self._clock, timeout=timeout)
        return watch_derivatives(
            source,
            self._watch_of(task_id, watch),
            patience=_patience(backoff, timeout, max_failures, push=push, client=self),
            clock=self._clock,
            jitter=self._jitter,
            on_event=_ignore if on_event is None else on_event,
            nudges=self._nudges,
        )

    def watch_tasks(
        self,
        task_ids: Iterable[str] = (),
        *,
        state: FleetState | None = None,
        requested: Mapping[str, Sequence[str]] | None = None,
        backoff: Backoff | None = None,
        timeout: float | None = None,
        max_failures: int = 60,
        push: bool = False,
        concurrency: int = 16,
        heartbeats: bool = False,
        keep_open: bool = False,
        bulk: bool = True,
    ) -> AbstractAsyncContextManager[Fleet]:
        """Watch many tasks at once, a hundred thousand if need be: a stream of their events.

        Each task is watched as by `watch_task`, and its events come in that order; one that fails
        is an event (`WatchFailed`) and disturbs no other.  The stream ends when no task is left.
        Waiting tasks cost memory alone, some 600 bytes each: no coroutine, timer or socket.  The
        task that has been due longest is looked at first, and first looks are spread as the rate
        of this client allows.  No look begins while an event waits to be read, so a slow reader
        holds the looks back.  Tasks may be added and taken away while it runs, see `Fleet`.

        Where many tasks wait for their image, pages of `list_tasks` are read instead of asking for
        each, as long as that saves requests; where the listing is refused, fails or does not hold
        the tasks, they are asked for one by one.

        Args:
            task_ids: Which tasks; more can come later.
            state: Go on with these, as `Fleet.state()` left them, at the times they had planned.
            requested: Which product types were ordered, by task, where the API may not tell: as
                `Watch(task_id, requested=...)` for one.  Those of `state` know theirs.
            backoff: As in `watch_task`, for each.
            timeout: Patience in all for each task, in seconds from when it was added, or from now
                for those of `state`.
            max_failures: As in `watch_task`, for each.
            push: As in `watch_task`, for each.
            concurrency: Looks at a time.
            heartbeats: Tell every event.  By default only news is told: `DerivativeReady`,
                `DerivativesUnreadable`, `WatchFinished`, `WatchFailed`, and `TaskStatusReceived`
                where the status has changed.
            keep_open: Let the stream go on when no task is left, for those that are added later.
            bulk: Whether to list tasks where that saves requests.

        Raises:
            AuthenticationError: the token is refused twice: no fault of any task, so the context
                ends with it, and `Fleet.state()` holds all of them.
            ConfigurationError: at once, when a setting cannot be used.

        Example::

            async with client.watch_tasks(task_ids) as fleet:
                async for event in fleet:
                    match event:
                        case DerivativeReady(derivative=derivative):
                            print(derivative.task_id, derivative.product_type)
                        case WatchFailed(task_id=task_id, error=error):
                            print(task_id, error)
        """
        told = {task_id: tuple(types) for task_id, types in (requested or {}).items()}
        return open_fleet(
            task_ids,
            FleetSettings(
                source=self._polls,
                pages=self._polls if bulk else None,
                clock=self._clock,
                jitter=self._jitter,
                patience=_patience(backoff, timeout, max_failures, push=push, client=self),
                limits=self._limits,
                # A view: what this client orders later is known as well.
                requested=ChainMap(told, self._ordered),
                interval=1 / self._rate,
                concurrency=concurrency,
                heartbeats=heartbeats,
                keep_open=keep_open,
                nudges=self._nudges,
            ),
            state=state,
        )

    def nudge(self, task_id: str) -> bool:
        """Wake the watches of a task: something may have happened to it, so they look now.

        Call it when you hear of the task in another way than by asking: from a callback of ICEYE's,
        a message queue, a person.  It is a hint and nothing else, so it may come twice, late, for
        nothing or in thousands: looks that it causes are a second apart, and the client's rate
        limit, ``Retry-After`` and the pauses after failures hold.  Call it on the event loop
        (``loop.call_soon_threadsafe(client.nudge, task_id)`` from elsewhere).

        Returns:
            Whether anybody here watches that task.

        Example::

            if not client.nudge(task_id):
                print("nobody waits for", task_id)
        """
        return self._nudges.nudge(task_id)

    async def download_task(
        self,
        task_id: str,
        destination: str | os.PathLike[str] | Sink,
        *,
        backoff: Backoff | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  the pure Watch decides it, no cancel scope
        watch: Watch | None = None,
        max_failures: int = 60,
        push: bool = False,
        concurrency: int = CONCURRENCY,
        overwrite: bool = False,
        repair: bool = False,
        stac: bool = False,
        on_event: Callable[[DownloadEvent], None] | None = None,
    ) -> DownloadReport:
        """Watch and download at once: files land while later derivatives are still being made.

        Run again, it keeps the files that are whole, goes on with those that were begun, and
        fetches what is missing; a journal beside the files saves it most looks.  Cancelled or
        killed at any moment, it leaves no task, socket or handle, and under each final name a whole
        file or nothing.  Several processes may do so in one folder at the same time.

        Args:
            task_id: Which task.
            destination: A folder (made if need be), a URL such as ``s3://bucket/prefix`` (see
                `ObjectStoreSink`), or a `Sink`.
            backoff: As in `watch_task`.
            timeout: Patience for the wait, in seconds; transfers that have begun are finished.
            watch: As in `watch_task`; None takes up what the journal knows of the task.
            max_failures: As in `watch_task`.
            push: As in `watch_task`.
            concurrency: Links that are open at a time.
            overwrite: Fetch files again that are there already.
            repair: Hash the files that are there, and fetch those again that have changed.
            stac: Describe the files as a STAC Item beside them, and all tasks of the destination as
                a Collection; this asks the API for the task once.
            on_event: Called with each watch and transfer event.

        Returns:
            One record per asset; a failed file does not stop the others, see
            `DownloadReport.raise_for_failures()`.

        Raises:
            ConfigurationError: the destination is a URL of no store that we know, or empty.
            OSError: nothing can be stored in the folder; it is tried before the first look.
            IceyeError: what `watch_task` raises; its ``.report`` holds what has come so far.
        """
        tell = _ignore if on_event is None else on_event
        sink = sink_for(destination)
        downloader = Downloader(
            self,
            sink,
            concurrency=concurrency,
            overwrite=overwrite,
            repair=repair,
            stac=stac,
            clock=self._clock,
            jitter=self._jitter,
            limits=self._limits,
        )
        await downloader.make_ready()
        if watch is None and task_id not in self._ordered:
            watch = await resumed_watch(sink, task_id)
        watch = self._watch_of(task_id, watch)
        derivatives = self.watch_task(
            task_id,
            backoff=backoff,
            timeout=timeout,
            watch=watch,
            max_failures=max_failures,
            push=push,
            on_event=tell,
        )
        return await bring_home(derivatives, downloader, watch=watch, on_event=tell)

    def _watch_of(self, task_id: str, watch: Watch | None) -> Watch:
        if watch is None:
            return Watch(task_id, requested=self._ordered.get(task_id))
        if watch.task_id != task_id:
            raise ConfigurationError(
                f"The watch is of task {watch.task_id}, not of {task_id}: pass the one that belongs"
            )
        return watch


def _patience(
    backoff: Backoff | None, timeout: float | None, failures: int, *, push: bool, client: ApiClient
) -> Patience:
    if timeout is not None and not timeout >= 0:
        raise ConfigurationError(f"timeout={timeout} cannot be waited: give seconds, or None")
    return Patience(
        backoff=Backoff() if backoff is None else backoff,
        timeout=timeout,
        failures=failures,
        push=push,
        delays=client.delays,
        lag=client.clock_lag,
    )


def _ignore(event: object) -> None:
    """Where nobody listens."""
