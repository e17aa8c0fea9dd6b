"""Do listTasks, getTask, cancelTask and the scene answer as documented?"""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sim_caller import iso, order

from iceye_derivatives.simulator import TaskPlan, World
from iceye_derivatives.simulator.notation import parse_rfc3339, rfc3339
from iceye_derivatives.simulator.problems import ProblemError

NOW = 1_800_000_000.0
HOUR = 3600.0


def refused(status: int) -> Any:
    return pytest.raises(ProblemError, match=rf"^\({status}, ")


def pages(world: World, **parameters: str) -> list[list[str]]:
    """Follow the cursor to the end; each page as its ids."""
    found, cursor = [], "first"
    while cursor:
        more = {} if cursor == "first" else {"cursor": cursor}
        page = world.list_tasks({**parameters, **more}, now=NOW)
        found.append([task["id"] for task in page["data"]])
        cursor = page.get("cursor", "")
    return found


@given(st.integers(0, 25), st.integers(1, 12))
def test_paging_shows_every_task_once_newest_first(count: int, limit: int) -> None:
    world = World()
    ids = [world.add_task(now=NOW + number) for number in range(count)]
    found = pages(world, limit=str(limit))
    assert [each for page in found for each in page] == ids[::-1]
    assert len(found) == max(1, math.ceil(count / limit))


def test_a_page_holds_ten_tasks_unless_asked_otherwise() -> None:
    world = World()
    for _ in range(11):
        world.add_task(now=NOW)
    assert [len(page) for page in pages(world)] == [10, 1]


def test_a_task_ordered_while_paging_neither_repeats_nor_hides_others() -> None:
    world = World()
    ids = [world.add_task(now=NOW) for _ in range(4)]
    first = world.list_tasks({"limit": "2"}, now=NOW)
    world.add_task(now=NOW)
    second = world.list_tasks({"limit": "2", "cursor": first["cursor"]}, now=NOW)
    assert [task["id"] for task in first["data"] + second["data"]] == ids[::-1]


def test_the_last_page_has_no_cursor_or_an_empty_one() -> None:
    """The paging page says that there is no `cursor`; the products page shows `"cursor": ""`."""
    world = World()
    seen = {world.list_tasks({}, now=NOW).get("cursor", "missing") for _ in range(2)}
    assert seen == {"", "missing"}


def test_tasks_are_found_by_contract_and_creation() -> None:
    world = World()
    ids = [world.add_task(now=NOW + hour * HOUR) for hour in range(3)]
    after = world.list_tasks({"createdAfter": iso(NOW + HOUR)}, now=NOW)["data"]
    before = world.list_tasks({"createdBefore": iso(NOW + HOUR)}, now=NOW)["data"]
    assert [task["id"] for task in after] == ids[:0:-1]
    assert [task["id"] for task in before] == ids[:1]
    assert world.list_tasks({"contractID": "another"}, now=NOW)["data"] == []


@pytest.mark.parametrize(
    "parameters",
    [
        {"limit": "-1"},
        {"limit": "10001"},
        {"limit": "ten"},
        {"cursor": "nonsense"},
        {"cursor": "YWZ0ZXI6eA=="},
        {"createdAfter": "yesterday"},
        {"status": "DONE"},
    ],
    ids=str,
)
def test_a_query_that_is_none_is_refused(parameters: dict[str, str]) -> None:
    with refused(400):
        World().list_tasks(parameters, now=NOW)


def test_lists_leave_notifications_and_deliveries_out() -> None:
    world = World()
    body = order(NOW, notifications={"webhook": {"id": "w"}}, deliveries=[])
    task = world.create_task(body, now=NOW)
    assert "notifications" in task
    assert "deliveries" in task
    listed = world.list_tasks({}, now=NOW)["data"][0]
    assert set(task) - set(listed) == {"notifications", "deliveries"}


@pytest.mark.parametrize("moment", [0.0, 121.0])
def test_a_task_can_be_canceled_while_received_or_active(moment: float) -> None:
    world = World()
    task_id = world.add_task(now=NOW)
    task = world.cancel_task(task_id, {"status": "CANCELED"}, now=NOW + moment)
    assert task["status"] == "CANCELED"
    assert world.get_task(task_id, now=NOW + 1e7)["status"] == "CANCELED"
    with refused(404):
        world.derivatives(task_id, now=NOW + 1e7)


@pytest.mark.parametrize(
    ("plan", "moment"),
    [
        (TaskPlan(imaged_after=200), 801.0),
        (TaskPlan(imaged_after=200), 5_000.0),
        (TaskPlan(outcome="REJECTED"), 121.0),
    ],
)
def test_a_task_that_is_further_cannot_be_canceled(plan: TaskPlan, moment: float) -> None:
    world = World(plan=plan)
    task_id = world.add_task(now=NOW)
    with refused(409):
        world.cancel_task(task_id, {"status": "CANCELED"}, now=NOW + moment)


@pytest.mark.parametrize("body", [{}, {"status": "CANCELLED"}, [], None])
def test_canceling_takes_one_body_only(body: object) -> None:
    world = World()
    task_id = world.add_task(now=NOW)
    with refused(400):
        world.cancel_task(task_id, body, now=NOW)


def test_a_task_tells_when_it_was_fulfilled_once_it_is() -> None:
    world = World(plan=TaskPlan(imaged_after=200))
    task_id = world.add_task(now=NOW)
    assert "fulfilledAt" not in world.get_task(task_id, now=NOW + 799)
    task = world.get_task(task_id, now=NOW + 800)
    assert task["status"] == "FULFILLED"
    assert task["fulfilledAt"] == task["updatedAt"] == "2027-01-15T08:13:20.000000Z"


def test_a_plan_may_hide_which_derivatives_were_ordered() -> None:
    world = World(plan=TaskPlan(echo_types=False))
    task_id = world.add_task(now=NOW)
    assert "derivativeProductTypes" not in world.get_task(task_id, now=NOW)


def test_there_is_a_scene_from_active_to_done_only() -> None:
    world = World()
    task_id = world.add_task(now=NOW)
    with refused(404):
        world.scene(task_id, now=NOW)
    scene = world.scene(task_id, now=NOW + 121)
    assert set(scene["imagingTime"]) == {"start", "end"}
    assert scene["duration"] == 10
    assert isinstance(scene["incidenceAngle"], str)
    world.cancel_task(task_id, {"status": "CANCELED"}, now=NOW + 122)
    with refused(404):
        world.scene(task_id, now=NOW + 123)


def test_a_scenes_values_move_until_it_is_taken_and_are_fixed_then() -> None:
    """ "Values move until the scene is taken, then fixed"; a plan lies in the task's window."""
    day = 86_400.0
    plan = TaskPlan(imaged_after=day, scene_moves=((50_000.0, 3600.0), (7200.0, -60.0)))
    world = World(plan=plan)
    window = {"start": rfc3339(NOW + day / 2), "end": rfc3339(NOW + day + 1800)}
    task_id = world.add_task(now=NOW, acquisitionWindow=window)

    def off(now: float) -> float:
        start = world.scene(task_id, now=now)["imagingTime"]["start"]
        return parse_rfc3339(start) - (NOW + day)

    assert [off(NOW + at) for at in (200, day - 7201, day - 7200, day - 1, day, 2 * day)] == [
        1800.0,
        1800.0,
        -60.0,
        -60.0,
        0.0,
        0.0,
    ]


def test_a_plan_may_promise_products() -> None:
    world = World(plan=TaskPlan(promises=28_800))
    task_id = world.add_task(now=NOW)
    assert world.get_task(task_id, now=NOW)["productsAvailableInSeconds"] == 28_800
    (listed,) = world.list_tasks({}, now=NOW)["data"]
    assert listed["productsAvailableInSeconds"] == 28_800


def test_two_worlds_with_one_seed_are_the_same() -> None:
    def story(seed: int) -> object:
        world = World(seed)
        task_id = world.add_task(now=NOW)
        ready = world.ready_times(task_id)
        paths = [asset.path for d in world._tasks[task_id].derivatives for asset in d.assets]
        files = [world.file(path, now=NOW + 1e7) for path in paths]
        return world.get_task(task_id, now=NOW), ready, files

    assert story(1) == story(1)
    assert story(1) != story(2)
