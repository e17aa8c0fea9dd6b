"""Which tasks are the newest, where nobody says in which order the API lists them?

They are asked for by windows that go back in time, each longer than the one after it: what was
ordered today is known when today has been read, and not only after the pages of a whole month.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from iceye_derivatives.models import Task

__all__ = ["newest_first", "windows"]

Window = tuple[datetime, datetime | None]

_FIRST: Final = timedelta(days=1)
_GROWTH: Final = 7
"""A day, a week, seven weeks: a month costs few tasks no more than three requests."""
_OVERLAP: Final = timedelta(seconds=1)
"""Whether a bound itself belongs to what is listed is not documented."""
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
"""Where the API does not tell when a task was ordered."""


class Lister(Protocol):
    """Who lists tasks, in any order (`DerivativesClient`)."""

    def list_tasks(
        self,
        *,
        contract_id: str | None,
        created_after: datetime | None,
        created_before: datetime | None,
    ) -> AsyncGenerator[Task, None]:
        """All of a window."""
        ...


def windows(now: datetime, back: timedelta) -> Iterator[Window]:
    """From when on and until when to ask, the latest first.

    The first has no end: the API's clock may be ahead of this one.
    """
    oldest, since, before, width = now - back, now, None, _FIRST
    while since > oldest:
        since -= min(width, since - oldest)
        yield since, before
        before, width = since + _OVERLAP, width * _GROWTH


async def newest_first(
    client: Lister,
    now: datetime,
    back: timedelta,
    *,
    contract_id: str | None = None,
    reference: str | None = None,
    on_read: Callable[[], object] = lambda: None,
) -> AsyncGenerator[Task, None]:
    """Each task that was ordered in the time before `now`, once.

    Args:
        client: Whom to ask.
        now: Until when, by this machine's clock; later ones are not left out.
        back: How long before it.
        contract_id: Of this contract alone.
        reference: With this one alone; the API finds none by it.
        on_read: Called for each task that is listed, long before it is yielded.
    """
    told: set[str] = set()
    for since, before in windows(now, back):
        found: dict[str, Task] = {}
        listing = client.list_tasks(
            contract_id=contract_id, created_after=since, created_before=before
        )
        async with aclosing(listing) as listed:
            async for task in listed:
                on_read()
                if task.id not in told and reference in {None, task.reference}:
                    found[task.id] = task
        told |= found.keys()
        for task in sorted(found.values(), key=_moment, reverse=True):
            yield task


def _moment(task: Task) -> datetime:
    return task.created_at or _LONG_AGO
