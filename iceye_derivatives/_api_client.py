"""How does a program make single calls: order, ask, list, cancel?"""

from __future__ import annotations

import os
import random
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Self, Unpack

import anyio

from iceye_derivatives._auth import ClientCredentials, StaticToken, TokenKeeper
from iceye_derivatives._calls import Calls
from iceye_derivatives._client_settings import ClientSettings
from iceye_derivatives._clock import SystemClock
from iceye_derivatives._core.delays import Delays
from iceye_derivatives._core.environment import DEFAULT_BASE_URL, read_environment
from iceye_derivatives._core.limits import Limits
from iceye_derivatives._core.nudges import Nudges
from iceye_derivatives._core.pace import Pacer, PacerState, Urgency
from iceye_derivatives._core.requests import normalise_base_url
from iceye_derivatives._core.retry import RetryPolicy
from iceye_derivatives._core.seconds import check_seconds
from iceye_derivatives._core.task_check import check_task_request
from iceye_derivatives._lapse import clock_from
from iceye_derivatives._ordering import order_once
from iceye_derivatives._persistent import PersistentCalls
from iceye_derivatives._transport import ApiTransport, FileTransport
from iceye_derivatives.errors import ConfigurationError, InvalidTaskRequestError
from iceye_derivatives.events import PaceChanged
from iceye_derivatives.models import Scene, SignedUrl, Snapshot, Task, TaskRequest
from iceye_derivatives.protocols import Clock, LinkResponse, TokenSource

if TYPE_CHECKING:
    import ssl

    import aiohttp

__all__ = ["ApiClient"]

REMEMBERED_ORDERS = 10_000


class ApiClient:
    """Both sessions, the token and the one rate limit; what `DerivativesClient` is built upon.

    Everything here is one call each: nothing waits for anything but an answer.
    """

    def __init__(
        self,
        *,
        auth: TokenSource,
        base_url: str = DEFAULT_BASE_URL,
        rate: float = 5.0,
        burst: int = 10,
        retry: RetryPolicy | None = None,
        connect_timeout: float = 30.0,
        answer_timeout: float = 120.0,
        read_timeout: float = 60.0,
        allow_http: bool = False,
        allowed_hosts: Iterable[str] | None = None,
        trust_env: bool = True,
        ssl_context: ssl.SSLContext | None = None,
        api_session: aiohttp.ClientSession | None = None,
        file_session: aiohttp.ClientSession | None = None,
        limits: Limits | None = None,
        delays: Delays | None = None,
        clock: Clock | None = None,
        jitter: Callable[[], float] = random.random,
        on_event: Callable[[PaceChanged], None] | None = None,
    ) -> None:
        if not isinstance(auth, TokenSource):
            raise ConfigurationError(
                f"auth={type(auth).__name__} gives no tokens: pass ClientCredentials(...), "
                "StaticToken(...) or an object with an async fetch_token() method"
            )
        check_seconds(
            connect_timeout=connect_timeout,
            answer_timeout=answer_timeout,
            read_timeout=read_timeout,
        )
        self.base_url = normalise_base_url(base_url)
        self._auth = auth
        self._clock: Clock = SystemClock() if clock is None else clock
        self._jitter = jitter
        self._limits = Limits() if limits is None else limits
        self.delays = Delays() if delays is None else delays
        """What its watches have learned of how long things take; `Delays.to_json()` saves it."""
        self._retry = RetryPolicy() if retry is None else retry
        self._rate = rate
        self._pacer = Pacer(rate=rate, burst=burst)
        self._api = ApiTransport(
            self.base_url,
            TokenKeeper(auth, self._clock),
            pacer=self._pacer,
            clock=self._clock,
            jitter=jitter,
            session=api_session,
            connect_timeout=connect_timeout,
            read_timeout=answer_timeout,
            trust_env=trust_env,
            ssl_context=ssl_context,
            limits=self._limits,
            on_pace=on_event,
        )
        self._files = FileTransport(
            session=file_session,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            allow_http=allow_http,
            allowed_hosts=() if allowed_hosts is None else allowed_hosts,
            neighbourhood=self._api.neighbourhood,
            trust_env=trust_env,
            ssl_context=ssl_context,
            limits=self._limits,
        )
        self._calls = self._calls_of(Urgency.CALL)
        self._polls = self._calls_of(Urgency.POLL)
        self._renewals = self._calls_of(Urgency.RENEWAL)
        self._persistent = PersistentCalls(
            self._calls, retry=self._retry, clock=self._clock, jitter=jitter
        )
        self._nudges = Nudges()
        self._ordered: dict[str, tuple[str, ...]] = {}

    @classmethod
    def from_env(
        cls, environ: Mapping[str, str] | None = None, **settings: Unpack[ClientSettings]
    ) -> Self:
        """A client from ``ICEYE_API_BASE_URL`` (optional) and credentials.

        Credentials are ``ICEYE_TOKEN_URL``, ``ICEYE_CLIENT_ID`` and ``ICEYE_CLIENT_SECRET``, or a
        ready ``ICEYE_ACCESS_TOKEN``, which wins.  `settings` go to the constructor.

        Where ``iceye-derivatives simulate`` has set ``ICEYE_SIMULATED_CLOCK`` and the API is on
        this machine, the client waits in the simulator's time, unless a `clock` is given.

        Raises:
            ConfigurationError: names all variables that are missing; or a simulator's clock is set
                and the API is no simulator's.
        """
        environ = os.environ if environ is None else environ
        found = read_environment(environ)
        if settings.get("clock") is None:
            settings["clock"] = clock_from(environ)
        auth: TokenSource = (
            StaticToken(found.access_token)
            if found.access_token is not None
            else ClientCredentials(
                found.token_url,
                found.client_id,
                found.client_secret,
                ssl_context=settings.get("ssl_context"),
                trust_env=settings.get("trust_env", True),
                clock=settings.get("clock"),
                limits=settings.get("limits") or Limits(),
            )
        )
        return cls(base_url=found.base_url, auth=auth, **settings)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the sessions that this client opened; safe to call twice and when cancelled."""
        with anyio.CancelScope(shield=True):
            await self._api.aclose()
            await self._files.aclose()

    @property
    def pace(self) -> PacerState:
        """How fast this client may go at this moment, which is its set rate unless a 429 came."""
        return self._pacer.state(self._clock.time())

    def __repr__(self) -> str:
        return f"DerivativesClient(base_url={self.base_url!r}, auth={type(self._auth).__name__})"

    # -- tasks -------------------------------------------------------------------------------------

    async def create_task(self, request: TaskRequest, *, check: bool = True) -> Task:
        """Order a task; it is sent once, and never resent where it may have been carried out.

        Cancelled while the answer is awaited, the task may have been ordered all the same, and is
        billed then: look among `list_tasks()` for its ``reference``.

        Args:
            request: What to order.  Give it a ``reference`` of its own: when the answer is lost,
                the task is looked up by it instead of being ordered again.
            check: Check ICEYE's documented rules first.  The server has the last word either way;
                switch the check off where your contract differs.

        Raises:
            InvalidTaskRequestError: the request breaks documented rules; nothing was sent.
            TaskCreationUncertainError: the answer was lost and the task was not found (yet).
            ApiError: the API refused, e.g. ``ERR_INSUFFICIENT_FUNDS`` as ``.code``.
            NetworkError: the API could not be reached; nothing was ordered.

        Example::

            task = await client.create_task(
                TaskRequest(
                    contract_id=contract_id,
                    point_of_interest=PointOfInterest(lat=51.95, lon=4.05),
                    acquisition_window=AcquisitionWindow(start=start, end=start + two_days),
                    imaging_mode=ImagingMode.SPOTLIGHT_FINE,
                    product_types=("GRD",),
                    derivative_product_types=(DerivativeProductType.VESSELS,),
                    reference=f"harbour-{uuid4()}",
                )
            )
            await client.download_task(task.id, "detections")
        """
        if check:
            faults = check_task_request(request, datetime.fromtimestamp(self._clock.time(), UTC))
            if faults:
                raise InvalidTaskRequestError(faults)
        task = await order_once(
            self._calls,
            request,
            list_tasks=self.list_tasks,
            known=self._ordered.keys(),
            retry=self._retry,
            clock=self._clock,
            jitter=self._jitter,
        )
        self._remember(task, request)
        return task

    async def get_task(self, task_id: str) -> Task:
        """The task as it is now; it only reads, so cancelling it does no harm.

        Raises:
            TaskNotFoundError: the API does not know it.
            ApiError: any other refusal.
            NetworkError: no answer, after the retries.

        Example::

            task = await client.get_task(task_id)
            print(task.status, task.acquisition_window)
        """
        return await self._persistent.get_task(task_id)

    async def get_scene(self, task_id: str) -> Scene:
        """When and how the image is planned to be taken, or was.

        There is a scene while the task is ACTIVE, FULFILLED or DONE; its values move until the
        image is taken, and are fixed then.  It only reads, so cancelling it does no harm.

        Raises:
            TaskNotFoundError: there is no scene (yet), or no such task.
            ApiError: any other refusal.
            NetworkError: no answer, after the retries.

        Example::

            scene = await client.get_scene(task_id)
            print(scene.imaging_time.start.isoformat())
        """
        return await self._persistent.get_scene(task_id)

    def list_tasks(
        self,
        *,
        contract_id: str | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
    ) -> AsyncGenerator[Task, None]:
        """All tasks, page after page; holds nothing open between them.

        It only reads, and may be left or cancelled at any task; leave it by `aclosing`.

        Args:
            contract_id: Of this contract alone.
            created_after: Created after this moment; with a UTC offset.
            created_before: Created before this one.

        Raises:
            UnexpectedResponseError: a cursor that repeats, which would never end.
            ApiError: any refusal.
            NetworkError: no answer, after the retries.

        Example::

            async with aclosing(client.list_tasks(created_after=yesterday)) as tasks:
                async for task in tasks:
                    if task.reference == reference:
                        break
        """
        return self._persistent.list_tasks(
            contract_id=contract_id, created_after=created_after, created_before=created_before
        )

    async def cancel_task(self, task_id: str) -> Task:
        """Cancel a task that is RECEIVED or ACTIVE; ICEYE bills by its cancellation policy.

        Where this call is cancelled itself, the task may be, too: `get_task()` tells.

        Raises:
            ApiError: e.g. the task is past cancelling.
            NetworkError: no answer, after the retries.

        Example::

            task = await client.cancel_task(task_id)
            assert task.status == TaskStatus.CANCELED
        """
        return await self._persistent.cancel_task(task_id)

    # -- derivatives -------------------------------------------------------------------------------

    async def get_derivatives(self, task_id: str) -> Snapshot:
        """One look: 404, 206 and 200 are values (`Availability`), not errors.

        It only reads, so cancelling it does no harm.  The links in it die within the hour.  What
        cannot be read of the listing is named in `Snapshot.unreadable`, beside what can.

        Raises:
            UnexpectedResponseError: among others, a 404 of a gateway's, which tells of no task.
            ApiError: any other refusal, after the retries where they make sense.
            NetworkError: no answer, after the retries.

        Example::

            snapshot = await client.get_derivatives(task_id)
            if snapshot.availability is Availability.COMPLETE:
                print([derivative.id for derivative in snapshot.derivatives])
        """
        return await self._persistent.get_derivatives(task_id)

    # -- what watcher and downloader know of a client ----------------------------------------------

    async def look_at_derivatives(self, task_id: str) -> Snapshot:
        """`get_derivatives` without a second try: for those who keep a budget of their own.

        It goes before calls and polls that wait for their turn, as downloads renew links by it.
        """
        return await self._renewals.look_at_derivatives(task_id)

    async def look_at_task(self, task_id: str) -> Task:
        """`get_task` without a second try."""
        return await self._calls.look_at_task(task_id)

    async def look_at_scene(self, task_id: str) -> Scene:
        """`get_scene` without a second try."""
        return await self._calls.look_at_scene(task_id)

    def open_link(
        self, url: SignedUrl, *, headers: Mapping[str, str]
    ) -> AbstractAsyncContextManager[LinkResponse]:
        """Open a signed link byte for byte, without the token."""
        return self._files.open_link(url, headers=headers)

    def _calls_of(self, urgency: Urgency) -> Calls:
        return Calls(self._api, self._clock, limits=self._limits, urgency=urgency)

    def _remember(self, task: Task, request: TaskRequest) -> None:
        self._ordered[task.id] = request.derivative_product_types or ()
        if len(self._ordered) > REMEMBERED_ORDERS:
            del self._ordered[next(iter(self._ordered))]
