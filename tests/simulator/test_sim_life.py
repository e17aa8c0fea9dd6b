"""Does a task live as ICEYE's life cycle allows, whatever its plan?"""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives.simulator import Status, TaskPlan, World
from iceye_derivatives.simulator.plan import Life

# The table of getTask's page: what each status goes to.
GOES_TO = {
    Status.RECEIVED: {Status.ACTIVE, Status.REJECTED, Status.CANCELED},
    Status.ACTIVE: {Status.FULFILLED, Status.DONE, Status.CANCELED, Status.FAILED},
    Status.FULFILLED: {Status.DONE},
    Status.DONE: set(),
    Status.REJECTED: set(),
    Status.FAILED: set(),
    Status.CANCELED: set(),
}

moments = st.floats(0, 2_000_000)
plans = st.builds(
    TaskPlan,
    accepted_after=st.floats(0, 2_000),
    imaged_after=st.sampled_from([None, 0.0]) | st.floats(0, 1_000_000),
    fulfilled_after=st.just(0.0) | st.floats(0, 10_000),
    done_after=st.sampled_from([0.0, 300.0]) | st.floats(0, 10_000),
    outcome=st.sampled_from(["DONE", "REJECTED", "FAILED"]),
    failed_after=st.none() | st.floats(0, 1_000_000),
)


@given(plans, st.lists(moments, min_size=2))
def test_a_task_only_goes_where_the_table_lets_it(plan: TaskPlan, times: list[float]) -> None:
    life = Life.planned(plan, created_at=0.0, window_start=50_000.0)
    seen = list(dict.fromkeys(life.status(now) for now in sorted(times)))
    for earlier, later in pairwise(seen):
        assert _reachable(earlier, later)


@given(plans)
def test_every_step_of_a_life_is_in_the_table(plan: TaskPlan) -> None:
    life = Life.planned(plan, created_at=0.0, window_start=50_000.0)
    for (before, earlier), (after, later) in pairwise(life.stages):
        assert before <= after
        assert later in GOES_TO[earlier]
    assert life.stages[0] == (0.0, Status.RECEIVED)
    assert not GOES_TO[life.stages[-1][1]]


@given(plans, moments, moments)
def test_a_canceled_task_stays_canceled(plan: TaskPlan, at: float, later: float) -> None:
    life = Life.planned(plan, created_at=0.0, window_start=50_000.0)
    if {Status.CANCELED} <= GOES_TO[life.status(at)]:
        ended = life.canceled(at)
        assert ended.status(at + later) is Status.CANCELED
        assert ended.stages[:-1] == tuple(each for each in life.stages if each[0] <= at)
        assert ended.fulfilled_at is None


@given(plans, st.lists(moments, min_size=1))
def test_derivatives_are_never_withdrawn(plan: TaskPlan, times: list[float]) -> None:
    world = World(plan=plan)
    task_id = world.add_task(now=0.0)
    listed: set[str] = set()
    for now in sorted(times):
        task = world._tasks[task_id]
        ready = {asset.path for each in task.derivatives for asset in each.ready_assets(now)}
        assert listed <= ready
        listed = ready


def test_a_plan_may_go_straight_to_done() -> None:
    """`ACTIVE` may jump straight to `DONE` when there are no non-SLA products."""
    life = Life.planned(TaskPlan(done_after=0), created_at=0.0, window_start=0.0)
    assert [status for _, status in life.stages] == ["RECEIVED", "ACTIVE", "DONE"]
    assert life.fulfilled_at == life.stages[-1][0]


def test_the_default_plan_takes_the_image_an_hour_into_the_window() -> None:
    life = Life.planned(TaskPlan(), created_at=0.0, window_start=50_000.0)
    assert life.fulfilled_at == 50_000 + 3_600 + 600


def test_the_quick_plan_takes_the_image_as_the_window_opens() -> None:
    life = Life.planned(TaskPlan.quick(), created_at=0.0, window_start=50_000.0)
    assert life.fulfilled_at == 50_000 + 60


def test_a_delay_without_end_never_comes() -> None:
    world = World(plan=TaskPlan(derivative_delays={"DC_VESSELS": math.inf, "DC_AIRCRAFT": 0.0}))
    task_id = world.add_task(now=0.0, derivative_product_types=("DC_VESSELS", "DC_AIRCRAFT"))
    vessels, aircraft = world.derivatives(task_id, now=1e12)
    assert not vessels.ready_assets(1e12)
    assert aircraft.ready_assets(1e12)


@pytest.mark.parametrize("outcome", ["REJECTED", "FAILED"])
def test_a_task_that_ends_badly_has_no_derivatives(outcome: str) -> None:
    world = World(plan=TaskPlan(outcome=outcome))  # type: ignore[arg-type]
    task_id = world.add_task(now=0.0)
    assert world.ready_times(task_id) == {}
    assert world.get_task(task_id, now=1e7)["status"] == outcome


def _reachable(start: Status, end: Status) -> bool:
    return end in GOES_TO[start] or any(_reachable(step, end) for step in GOES_TO[start])
