"""Does each task come once and the newest first, in whatever order the API lists them?"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import anyio
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st
from strategies import task

from iceye_derivatives import Task, TaskStatus
from iceye_derivatives.cli.newest_first import newest_first, windows

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@frozen
class Listed:
    """An API that lists in an order of its own, and counts a bound to a window or does not."""

    tasks: list[Task]
    bounds: bool

    async def list_tasks(
        self,
        *,
        contract_id: str | None,
        created_after: datetime | None,
        created_before: datetime | None,
    ) -> AsyncGenerator[Task, None]:
        assert created_after is not None
        for each in self.tasks:
            moment = each.created_at
            if moment is None or self._holds(moment, created_after, created_before):
                yield each

    def _holds(self, moment: datetime, after: datetime, before: datetime | None) -> bool:
        inside = after < moment and (before is None or moment < before)
        return inside or (self.bounds and moment in {after, before})


@given(
    ages=st.lists(st.none() | st.sampled_from([0, 1, 8, 29]) | st.floats(-0.1, 29.9), max_size=20),
    bounds=st.booleans(),
)
def test_each_task_comes_once_and_the_newest_first(ages: list[float | None], bounds: bool) -> None:
    """Also one that lies on a bound, that is newer than this machine's now, or has no time."""
    moments = [None if age is None else NOW - age * DAY for age in ages]
    tasks = [
        task(TaskStatus.DONE, id=str(number), created_at=moment)
        for number, moment in enumerate(moments)
    ]

    async def read() -> list[Task]:
        return [each async for each in newest_first(Listed(tasks, bounds), NOW, 30 * DAY)]

    found = anyio.run(read)

    assert sorted(int(each.id) for each in found) == list(range(len(tasks)))
    told = [each.created_at for each in found if each.created_at is not None]
    assert told == sorted(told, reverse=True)
    if None in moments:
        after = found[[each.created_at for each in found].index(None) :]
        assert all(each.created_at is None or each.created_at <= NOW - DAY for each in after)


@given(
    days=st.floats(1e-6, 36_500),
    year=st.integers(2020, 2200),
)
def test_the_windows_hang_together_and_go_back_as_far_as_asked(days: float, year: int) -> None:
    """So that no moment is left out, whether bounds belong to a window or not."""
    now = NOW.replace(year=year)
    oldest = now - timedelta(days=days)
    found = list(windows(now, now - oldest))

    assert found[0] == (max(oldest, now - DAY), None)
    assert found[-1:] == [window for window in found if window[0] == oldest]
    for (since, _), (earlier, before) in pairwise(found):
        assert before is not None
        assert earlier < since < before
    assert len(found) <= 7
