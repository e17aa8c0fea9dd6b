"""How do derivatives become files: a worker only while there is something to download?"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, NoReturn

from airflow.sdk import BaseOperator

from iceye_derivatives import Backoff
from iceye_derivatives._clock import SystemClock
from iceye_derivatives._core.download_settings import CONCURRENCY
from iceye_derivatives.airflow._fetching import fetch
from iceye_derivatives.airflow._waiting import (
    Story,
    backoff_arguments,
    checked_ids,
    raise_for,
    wait_in_trigger,
)
from iceye_derivatives.airflow.hook import IceyeHook
from iceye_derivatives.airflow.payload import Failure, News
from iceye_derivatives.airflow.triggers import MIN_WAIT, SAVE_EVERY, WaitFor
from iceye_derivatives.sinks import sink_for

if TYPE_CHECKING:
    from airflow.sdk import Context

__all__ = ["DownloadDerivativesOperator"]

FILES: Final = "files"
"""The key of XCom under which the files so far are."""


class DownloadDerivativesOperator(BaseOperator):
    """Downloads the derivatives of ICEYE tasks, and holds no worker while it waits for them.

    It defers at once.  Whenever something becomes ready, a worker downloads it (checked, hashed,
    under its final name only when whole) and the operator defers again, until all tasks have ended.
    Run again (a retry, a cleared task), it keeps the files that are whole.  A task or a file that
    fails does not stop the others: the operator fails in the end, with our message for each.

    Args:
        task_ids: One id of an ICEYE task or many (templated); a thousand cost one poller.
        destination: A folder that all workers see, or ``s3://bucket/prefix`` and its like, which
            needs the extra ``cloud`` (templated).
        iceye_conn_id: The connection, see `hook.IceyeHook` (templated).
        wait_for: ``any`` downloads each derivative soon after it is ready; ``all`` wakes a worker
            when all tasks have ended.
        settle: With ``any``, seconds in which more news are gathered before a worker is woken.
        timeout: Patience in all, in seconds, from the first deferral on; None waits for ever.
        save_every: Seconds after which a worker is woken for a moment to write down where the
            watches stand, see `triggers.IceyeDerivativesTrigger`; what is ready is downloaded then.
        min_wait: Seconds between a deferral and the next worker at least, see there.
        backoff: The rhythm of looking.
        max_failures: Failed looks at one task in a row before it is given up.
        concurrency: Links that are open at a time.
        overwrite: Fetch files again that are there already.
        cancel_on_kill: Cancel the ICEYE tasks when the waiting task is marked as failed or cleared;
            from Airflow 3.3 on.

    Returns:
        To XCom, one object a file: ``task_id``, ``derivative_id``, ``product_type``,
        ``asset_type``, ``path``, ``size`` (bytes) and ``sha256``.  Under the key ``files`` are
        those that are there so far, also while it waits, and where it fails.

    Example::

        DownloadDerivativesOperator(
            task_id="vessels",
            task_ids="{{ params.task_id }}",
            destination="s3://detections/{{ ds }}",
            timeout=5 * 86_400,
        )
    """

    template_fields: Sequence[str] = ("task_ids", "destination", "iceye_conn_id")

    def __init__(
        self,
        *,
        task_ids: str | Iterable[str],
        destination: str,
        iceye_conn_id: str = IceyeHook.default_conn_name,
        wait_for: WaitFor = "any",
        settle: float = 5.0,
        timeout: float | None = None,
        save_every: float | None = SAVE_EVERY,
        min_wait: float = MIN_WAIT,
        backoff: Backoff | None = None,
        max_failures: int = 60,
        concurrency: int = CONCURRENCY,
        overwrite: bool = False,
        cancel_on_kill: bool = False,
        **kwargs: Any,  # noqa: ANN401 - Airflow's own
    ) -> None:
        super().__init__(**kwargs)
        self.task_ids = task_ids
        self.destination = destination
        self.iceye_conn_id = iceye_conn_id
        self.wait_for: WaitFor = wait_for
        self.settle = settle
        self.timeout = timeout
        self.save_every = save_every
        self.min_wait = min_wait
        self.backoff = backoff_arguments(backoff)
        self.max_failures = max_failures
        self.concurrency = concurrency
        self.overwrite = overwrite
        self.cancel_on_kill = cancel_on_kill

    def execute(self, context: Context) -> NoReturn:
        """Leave the worker; `resume` comes back to one when something is ready."""
        task_ids = checked_ids(self.task_ids)
        sink_for(self.destination)  # a slip in it is told now, and not in days
        deadline = None if self.timeout is None else SystemClock().time() + self.timeout
        self._wait(Story(of=len(task_ids), deadline=deadline), task_ids=task_ids)

    def resume(self, context: Context, event: dict[str, Any]) -> list[dict[str, Any]]:
        """Download what is ready, then wait for the rest, or end."""
        news, story = News.from_payload(event), Story.from_carry(event["carry"])
        came, failures = self._download(news)
        files = self._noted(context, came)
        story = story.on(news, failures)
        if news.error is None and news.waiting:
            self._wait(story, state=news.state)
        raise_for(story.failed, of=story.of)
        return files

    def _wait(
        self, story: Story, *, task_ids: Sequence[str] = (), state: str | None = None
    ) -> NoReturn:
        wait_in_trigger(
            self,
            story,
            task_ids=task_ids,
            state=state,
            wait_for=self.wait_for,
            settle=self.settle,
            cancel_on_kill=self.cancel_on_kill,
        )

    def _download(self, news: News) -> tuple[list[dict[str, Any]], list[Failure]]:
        if not news.ready:
            return [], []
        return asyncio.run(
            fetch(
                news.ready,
                IceyeHook(self.iceye_conn_id).get_client(),
                sink_for(self.destination),
                concurrency=self.concurrency,
                overwrite=self.overwrite,
            )
        )

    def _noted(self, context: Context, came: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """All files so far, which XCom keeps: the trigger's arguments shall not grow with them."""
        instance = context["ti"]
        before = instance.xcom_pull(task_ids=self.task_id, key=FILES) or []
        files = list({each["path"]: each for each in [*before, *came]}.values())
        if came:
            instance.xcom_push(key=FILES, value=files)
        return files
