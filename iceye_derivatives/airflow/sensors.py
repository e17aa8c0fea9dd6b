"""How does a DAG wait until derivatives are there, when something else is to fetch them?"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import BaseSensorOperator, PokeReturnValue
from airflow.sdk.exceptions import AirflowSensorTimeout, AirflowSkipException
from attrs import asdict

from iceye_derivatives import (
    Availability,
    Backoff,
    DerivativeReady,
    PollFailed,
    SnapshotReceived,
    TaskStatusReceived,
    Waiting,
    WatchFailed,
)
from iceye_derivatives._clock import SystemClock
from iceye_derivatives.airflow._waiting import (
    Story,
    backoff_arguments,
    checked_ids,
    raise_for,
    wait_in_trigger,
)
from iceye_derivatives.airflow.hook import IceyeHook
from iceye_derivatives.airflow.payload import Failure, News, Ready
from iceye_derivatives.airflow.triggers import MIN_WAIT, SAVE_EVERY

if TYPE_CHECKING:
    from airflow.sdk import Context

    from iceye_derivatives import DerivativesClient

__all__ = ["IceyeDerivativesSensor"]


class IceyeDerivativesSensor(BaseSensorOperator):
    """Succeeds when all derivatives of all given ICEYE tasks are ready.

    It waits in the triggerer, with the rhythm of `DerivativesClient.watch_tasks`.  With
    ``deferrable=False`` it pokes as other sensors do, at Airflow's ``poke_interval``, with one look
    at each task.  Either way a task that fails fails it with our message.

    A poke knows nothing of those before it.  So a task that the API does not know is looked at for
    two minutes, as it may be very fresh, and fails the sensor then; but looks that fail, however
    many, are left to the next poke: only ``timeout`` ends them.

    Args:
        task_ids: One id of an ICEYE task or many (templated).
        iceye_conn_id: The connection, see `hook.IceyeHook` (templated).
        backoff: The rhythm of looking, when deferrable.
        max_failures: Failed looks at one task in a row before it is given up, when deferrable.
        save_every: As of `operators.DownloadDerivativesOperator`, when deferrable.
        min_wait: As there.
        deferrable: Whether to wait in the triggerer.
        kwargs: Airflow's own; ``timeout`` is patience in all, in seconds.

    Returns:
        To XCom, one object a derivative: ``task_id``, ``derivative_id``, ``product_type``,
        ``asset_types``, ``is_update``.  Links die within an hour, so there is none: list the task
        again.

    Example::

        IceyeDerivativesSensor(task_id="ready", task_ids="{{ params.task_id }}", timeout=5 * 86_400)
    """

    template_fields: Sequence[str] = ("task_ids", "iceye_conn_id")

    def __init__(
        self,
        *,
        task_ids: str | Iterable[str],
        iceye_conn_id: str = IceyeHook.default_conn_name,
        backoff: Backoff | None = None,
        max_failures: int = 60,
        save_every: float | None = SAVE_EVERY,
        min_wait: float = MIN_WAIT,
        deferrable: bool = True,
        **kwargs: Any,  # noqa: ANN401 - Airflow's own
    ) -> None:
        super().__init__(**kwargs)
        self.task_ids = task_ids
        self.iceye_conn_id = iceye_conn_id
        self.backoff = backoff_arguments(backoff)
        self.max_failures = max_failures
        self.save_every = save_every
        self.min_wait = min_wait
        self.deferrable = deferrable

    def execute(self, context: Context) -> Any:  # noqa: ANN401 - as Airflow's sensors
        """Leave the worker, or poke."""
        if not self.deferrable:
            return super().execute(context)
        task_ids = checked_ids(self.task_ids)
        deadline = SystemClock().time() + self.timeout
        return self._wait(Story(of=len(task_ids), deadline=deadline), task_ids=task_ids)

    def resume(self, context: Context, event: dict[str, Any]) -> list[dict[str, Any]]:
        """The wait has ended, or its state was to be saved."""
        news, story = News.from_payload(event), Story.from_carry(event["carry"])
        ready = [*event["carry"]["ready"], *(_described(each) for each in news.ready)]
        if news.error is None and news.waiting:
            self._wait(story.on(news), state=news.state, ready=ready)
        if news.error is not None and news.error.kind == "WatchTimeoutError":
            if self.soft_fail:
                raise AirflowSkipException(news.error.message)
            raise AirflowSensorTimeout(news.error.message)
        raise_for(story.on(news).failed, of=story.of)
        return ready

    def _wait(
        self,
        story: Story,
        *,
        task_ids: Sequence[str] = (),
        state: str | None = None,
        ready: Sequence[dict[str, Any]] = (),
    ) -> NoReturn:
        carry = {"ready": [*ready]}
        wait_in_trigger(self, story, task_ids=task_ids, state=state, carry=carry, wait_for="all")

    def poke(self, context: Context) -> PokeReturnValue:
        """One look at each task."""
        task_ids = checked_ids(self.task_ids)
        client = IceyeHook(self.iceye_conn_id).get_client()
        ready, failed, waiting = asyncio.run(_look(client, task_ids))
        raise_for(failed, of=len(task_ids))
        done = not waiting
        return PokeReturnValue(done, [_described(each) for each in ready] if done else None)


async def _look(
    client: DerivativesClient, task_ids: list[str]
) -> tuple[list[Ready], list[Failure], int]:
    """What is ready, what has failed, and how many are neither; closes the client."""
    ready: list[Ready] = []
    failed: list[Failure] = []
    waiting = 0
    heard: set[str] = set()
    async with client, client.watch_tasks(task_ids, heartbeats=True, bulk=False) as fleet:
        async for event in fleet:
            match event:
                case DerivativeReady(derivative=derivative):
                    ready.append(Ready.of(derivative))
                case WatchFailed(task_id=task_id, error=error):
                    failed.append(Failure.of(task_id, error))
                case TaskStatusReceived(task_id=task_id) | PollFailed(task_id=task_id):
                    heard.add(task_id)
                case SnapshotReceived(task_id=task_id, availability=availability):
                    if availability is not Availability.NONE:
                        heard.add(task_id)
                case Waiting(task_id=task_id) if task_id in heard:
                    # It has been looked at, and waits for the next: that is the next poke's.  One
                    # of which nothing was heard is unknown to the API, which only a grace can tell
                    # from very fresh, and that would begin anew with each poke.
                    waiting += await fleet.remove([task_id])
                case _:
                    pass
    return ready, failed, waiting


def _described(ready: Ready) -> dict[str, Any]:
    return {**asdict(ready), "asset_types": [*ready.asset_types]}
