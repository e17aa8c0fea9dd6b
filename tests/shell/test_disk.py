"""Do jobs for the disk that gather in one line end as if each had been alone, in any order?"""

from __future__ import annotations

import asyncio
import errno
import threading
from collections.abc import Sequence
from functools import partial
from queue import SimpleQueue

import anyio
import pytest
from attrs import define, field, frozen
from cancelling import begun
from hypothesis import given, settings
from hypothesis import strategies as st

from iceye_derivatives.sinks import _steps, _worker
from iceye_derivatives.sinks._disk import BRIEF, Disk, Steps

pytestmark = pytest.mark.anyio


class Broken(Exception):  # noqa: N818 - what a job of these tests raises
    """A step failed by itself."""


@frozen
class Plan:
    """One job of a test: its steps, what goes wrong with it, and when somebody loses patience."""

    steps: int
    fails_at: int | None
    unsynced_at: int | None
    cancelled_after: int | None
    """Turns of the loop."""
    by_scope: bool
    surely: bool
    long: bool
    later: int
    """Turns of the loop before it is handed in."""


few = st.integers(0, 4)
plans = st.builds(
    Plan,
    steps=few,
    fails_at=st.none() | few,
    unsynced_at=st.none() | few,
    cancelled_after=st.none() | few,
    by_scope=st.booleans(),
    surely=st.booleans(),
    long=st.booleans(),
    later=few,
)


@define
class Trial:
    """What the jobs did, as the thread and the loop saw it."""

    plans: list[Plan]
    begun: set[int] = field(factory=set)
    ended: set[int] = field(factory=set)
    synced: set[tuple[int, int]] = field(factory=set)
    answers: dict[int, list[object]] = field(factory=dict)
    threads: set[int] = field(factory=set)

    def job(self, number: int) -> Steps[int]:
        """One handle a step; each must have been synced before the next."""
        plan = self.plans[number]
        self.begun.add(number)
        self.threads.add(threading.get_ident())
        try:
            for step in range(plan.steps):
                if plan.fails_at == step:
                    raise Broken
                yield self.handle(number, step)
                assert (number, step) in self.synced
            return number
        finally:
            self.ended.add(number)

    def handle(self, number: int, step: int) -> int:
        return number * 100 + step

    def sync_all(self, handles: Sequence[int]) -> list[BaseException | None]:
        failures: list[BaseException | None] = []
        for handle in handles:
            number, step = divmod(handle, 100)
            if self.plans[number].unsynced_at == step:
                failures.append(OSError(errno.EIO, "bad sector"))
            else:
                self.synced.add((number, step))
                failures.append(None)
        return failures

    async def hand_in(self, disk: Disk, number: int) -> None:
        """Note how it was answered; whoever is told so, the job must not run any more."""
        plan = self.plans[number]
        for _ in range(plan.later):
            await asyncio.sleep(0)
        try:
            answer: object = await disk.go_through(
                self.job(number), surely=plan.surely, size=BRIEF + plan.long
            )
        except (Broken, OSError) as error:
            answer = type(error)
        except asyncio.CancelledError:
            self.note(number, asyncio.CancelledError)
            raise
        self.note(number, answer)

    def note(self, number: int, answer: object) -> None:
        assert (number in self.begun) == (number in self.ended)
        self.answers.setdefault(number, []).append(answer)

    async def impatiently(self, disk: Disk, number: int) -> None:
        """Hand it in, and cancel that in the plan's own way."""
        plan = self.plans[number]
        task, cancel = begun(partial(self.hand_in, disk, number), plainly=not plan.by_scope)
        if plan.cancelled_after is not None:
            for _ in range(plan.later + plan.cancelled_after):
                await asyncio.sleep(0)
            cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()

    def expected(self, plan: Plan, number: int) -> object:
        """How it would end alone."""
        for step in range(plan.steps):
            if plan.fails_at == step:
                return Broken
            if plan.unsynced_at == step:
                return OSError
        return number


@settings(max_examples=200)
@given(st.lists(plans, min_size=1, max_size=12), st.sampled_from([0.0, 0.001]), st.booleans())
def test_each_job_is_answered_once_as_if_it_were_alone_and_none_runs_on_unseen(
    jobs: list[Plan], turn: float, late: bool
) -> None:
    """Also where each turn of the thread ends behind one job, or the loop's patience before it."""
    trial = Trial(jobs)

    def late_or_not(bell: SimpleQueue[float], bound: float) -> float:
        return bell.get(timeout=1e-6 if late else bound)

    async def main() -> None:
        disk = Disk()
        with anyio.fail_after(20):
            async with anyio.create_task_group() as tasks:
                for number in range(len(jobs)):
                    tasks.start_soon(trial.impatiently, disk, number)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_steps, "sync_all", trial.sync_all)
        patched.setattr(_worker, "TURN", turn)
        patched.setattr(_worker, "_REST", 30.0)  # nobody needs that way out here
        patched.setattr(_worker, "_listen", late_or_not)
        anyio.run(main)

    assert trial.begun == trial.ended
    for number, plan in enumerate(jobs):
        answers = trial.answers.get(number, [])
        if plan.cancelled_after is None:
            assert answers[-1:] == [trial.expected(plan, number)]
        elif answers and answers[-1] is not asyncio.CancelledError:
            assert answers[-1] == trial.expected(plan, number)
        if plan.surely and answers:
            assert number in trial.begun
    assert threading.get_ident() not in trial.threads


async def test_a_sync_that_fails_as_a_whole_fails_its_jobs_and_not_the_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def sync_all(handles: Sequence[int]) -> list[BaseException | None]:
        raise MemoryError

    def job() -> Steps[str]:
        yield 1
        return "whole"

    disk = Disk()
    with anyio.fail_after(10), monkeypatch.context() as patched:
        patched.setattr(_steps, "sync_all", sync_all)
        with pytest.raises(OSError, match="MemoryError"):
            await disk.go_through(job())
    with anyio.fail_after(10):
        assert await disk.do(lambda: "next") == "next"


async def test_where_no_thread_can_be_had_jobs_are_told_so_and_later_ones_try_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    disk = Disk()
    with anyio.fail_after(10), monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        with pytest.raises(OSError, match="can't start new thread"):
            await disk.do(lambda: "never")
    with anyio.fail_after(10):
        assert await disk.do(lambda: "later") == "later"


def test_one_disk_serves_one_loop_after_the_other() -> None:
    disk = Disk()
    assert [asyncio.run(disk.do(partial(str, number))) for number in (1, 2)] == ["1", "2"]
