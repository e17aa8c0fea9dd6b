"""Does the derivatives endpoint answer as ICEYE's page says, sentence by sentence?"""

from __future__ import annotations

import uuid

import pytest
from sim_caller import BOTH, TASKS, Caller, order

from iceye_derivatives.simulator import TaskPlan

pytestmark = pytest.mark.anyio

PLAN = TaskPlan(imaged_after=200.0)
FULFILLED = 800.0
READY = {"DC_VESSELS": 2_000.0, "DC_VEHICLES": 2_600.0, "DC_AIRCRAFT": 3_500.0}


@pytest.mark.parametrize(
    ("moment", "status", "listed"),
    [
        (0.0, 404, None),
        (FULFILLED, 404, None),
        (1_999.0, 404, None),
        (2_000.0, 206, {"DC_VESSELS"}),
        (2_600.0, 206, {"DC_VESSELS", "DC_VEHICLES"}),
        (3_500.0, 200, {"DC_VESSELS", "DC_VEHICLES", "DC_AIRCRAFT"}),
        (1e7, 200, {"DC_VESSELS", "DC_VEHICLES", "DC_AIRCRAFT"}),
    ],
)
async def test_the_status_tells_how_much_there_is(
    caller: Caller, moment: float, status: int, listed: set[str] | None
) -> None:
    """Quotes: 200 "All requested", 206 "Some, but not all", 404 "No derivative products"."""
    task_id = caller.sim.add_task(plan=PLAN)
    caller.clock.advance(moment)
    reply = await caller.derivatives(task_id)
    assert reply.status == status
    assert "Content-Range" not in reply.headers
    if listed is not None:
        data = reply.json["data"]
        assert {each["derivativeProductType"] for each in data} == set(READY)
        assert {each["derivativeProductType"] for each in data if each["assets"]} == listed


async def test_the_three_causes_of_a_404_cannot_be_told_apart(caller: Caller) -> None:
    """Quotes: "Task not found, no derivatives were requested [...], or no [...] available yet"."""
    without = caller.sim.add_task(derivative_product_types=())
    not_yet = caller.sim.add_task()
    replies = [await caller.derivatives(task) for task in ("unknown", without, not_yet)]
    assert [reply.status for reply in replies] == [404] * 3
    assert len({reply.body for reply in replies}) == 1
    assert replies[0].json["code"] == "not_found"
    task = (await caller.api("GET", f"{TASKS}/{without}")).json
    assert "derivativeProductTypes" not in task


async def test_a_listing_has_the_shape_of_the_first_example(caller: Caller) -> None:
    task_id = caller.sim.add_task(plan=PLAN)
    caller.clock.advance(4_000)
    body = (await caller.derivatives(task_id)).json
    assert set(body) == {"data"}
    for each in body["data"]:
        assert set(each) == {"id", "imageReference", "derivativeProductType", "assets"}
        uuid.UUID(each["imageReference"])
        (asset,) = each["assets"]
        assert set(asset) == {"type", "href"}
        assert asset["type"] == "geojson"
        assert asset["href"].startswith(caller.sim.cdn_base_url)
        path = asset["href"].partition("?")[0]
        assert path.endswith("-detections.geojson")


async def test_a_listing_may_have_the_shape_of_the_206_example(caller: Caller) -> None:
    """That example has no `imageReference`."""
    plan = TaskPlan(imaged_after=200.0, omit_image_reference=True)
    task_id = caller.sim.add_task(plan=plan)
    caller.clock.advance(2_100)
    reply = await caller.derivatives(task_id)
    assert reply.status == 206
    assert all(set(e) == {"id", "derivativeProductType", "assets"} for e in reply.json["data"])


async def test_an_image_id_is_there_if_the_plan_has_one(caller: Caller) -> None:
    task_id = caller.sim.add_task(plan=TaskPlan(imaged_after=200.0, image_id="ICEYE_X7_1"))
    caller.clock.advance(4_000)
    data = (await caller.derivatives(task_id)).json["data"]
    assert {each["imageId"] for each in data} == {"ICEYE_X7_1"}


@pytest.mark.parametrize("opaque", [True, False])
async def test_ids_are_uuids_or_only_look_like_them(caller: Caller, opaque: bool) -> None:
    """The page's "7fb95g75-6828-5673-c4gd-3d074g77bgb7" is no UUID."""
    plan = TaskPlan(imaged_after=200.0, opaque_ids=opaque)
    task_id = caller.sim.add_task(plan=plan)
    for derivative_id in caller.sim.world.ready_times(task_id):
        assert [len(part) for part in derivative_id.split("-")] == [8, 4, 4, 4, 12]
        assert ("g" in derivative_id) is opaque


async def test_ready_times_are_when_assets_become_listed(caller: Caller) -> None:
    task_id = caller.sim.add_task(plan=PLAN)
    start = caller.clock.time()
    ready = caller.sim.world.ready_times(task_id)
    assert sorted(ready.values()) == sorted(start + each for each in READY.values())
    for derivative_id, moment in sorted(ready.items(), key=lambda item: item[1]):
        caller.clock.set(moment)
        data = (await caller.derivatives(task_id)).json["data"]
        assert next(each for each in data if each["id"] == derivative_id)["assets"]


async def test_further_assets_come_later(caller: Caller) -> None:
    plan = TaskPlan(imaged_after=200.0, extra_assets={"DC_VESSELS": ("csv", 5_000.0)})
    task_id = caller.sim.add_task(plan=plan, derivative_product_types=["DC_VESSELS"])
    kinds: list[object] = []
    for _ in range(2):
        caller.clock.advance(2_000 if not kinds else 5_000)
        (vessels,) = (await caller.derivatives(task_id)).json["data"]
        kinds.append([asset["type"] for asset in vessels["assets"]])
    assert kinds == [["geojson"], ["geojson", "csv"]]
    reply = await caller.send("GET", vessels["assets"][1]["href"])
    assert reply.headers["Content-Type"] == "text/csv"
    assert reply.body.startswith(b"detection_id,class,confidence,")
    assert reply.body.count(b"\n") == 41


async def test_links_are_signed_anew_on_each_listing(caller: Caller) -> None:
    task_id = caller.sim.add_task(plan=PLAN)
    caller.clock.advance(4_000)
    first, second = await caller.links(task_id), await caller.links(task_id)
    assert first.keys() == second.keys()
    assert all(first[each] != second[each] for each in first)


async def test_a_task_ordered_through_the_api_lives_the_same_life(caller: Caller) -> None:
    reply = await caller.api("POST", TASKS, json=order(caller.clock.time()))
    assert reply.status == 201
    caller.clock.advance(14 * 3600 + 600 + 2700)
    assert (await caller.derivatives(reply.json["id"])).status == 200


@pytest.mark.parametrize("authorization", [None, "Bearer", "Bearer nonsense", "Basic eDp5"])
async def test_401_without_a_good_token(caller: Caller, authorization: str | None) -> None:
    """Quotes: "Missing or invalid authentication token"."""
    headers = {"Accept": BOTH} | ({"Authorization": authorization} if authorization else {})
    task_id = caller.sim.add_task(plan=PLAN)
    url = f"{caller.sim.api_base_url}{TASKS}/{task_id}/derivatives"
    problem = await caller.send("GET", url, headers=headers)
    plain = await caller.send("GET", url, headers={**headers, "Accept": "*/*"})
    assert problem.status == plain.status == 401
    assert set(problem.json) == {"title", "code", "details", "reference"}
    assert set(plain.json) == {"code", "message"}


async def test_a_token_dies_when_its_hour_is_over(caller: Caller) -> None:
    token = caller.sim.tokens.issue(now=caller.clock.time())
    url = caller.sim.api_base_url + TASKS
    statuses = []
    for seconds in (0, 3_599, 1):
        caller.clock.advance(seconds)
        reply = await caller.send("GET", url, headers={"Authorization": f"Bearer {token}"})
        statuses.append(reply.status)
    assert statuses == [200, 200, 401]


@pytest.mark.parametrize(
    ("accept", "media_type", "fields"),
    [
        (BOTH, "application/problem+json", {"title", "code", "details", "reference"}),
        ("application/problem+json", "application/problem+json", None),
        ("application/json", "application/json", {"code", "message"}),
        ("*/*", "application/json", {"code", "message"}),
    ],
)
async def test_accept_chooses_between_two_error_bodies(
    caller: Caller, accept: str, media_type: str, fields: set[str] | None
) -> None:
    body = order(caller.clock.time(), imagingMode="STRIPMAP")
    reply = await caller.api("POST", TASKS, accept=accept, json=body)
    assert reply.status == 400
    assert reply.headers["Content-Type"] == media_type
    assert reply.json["code"] == "INCOMPATIBLE_IMAGING_MODE_FOR_DERIVATIVES"
    assert fields is None or set(reply.json) == fields


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", TASKS, 200),
        ("GET", f"{TASKS}/unknown", 404),
        ("GET", f"{TASKS}/unknown/scene", 404),
        ("GET", f"{TASKS}/a/b/c", 404),
        ("DELETE", f"{TASKS}/unknown", 405),
        ("POST", TASKS, 400),
        ("PATCH", f"{TASKS}/unknown", 400),
        ("GET", "/api/company/v1/contracts", 200),
        ("GET", "/api/company/v1/contracts/unknown", 404),
        ("GET", "/", 404),
    ],
)
async def test_the_other_routes(caller: Caller, method: str, path: str, status: int) -> None:
    assert (await caller.api(method, path)).status == status


async def test_a_task_is_canceled_through_the_api(caller: Caller) -> None:
    task_id = caller.sim.add_task()
    for status in (200, 409):
        reply = await caller.api("PATCH", f"{TASKS}/{task_id}", json={"status": "CANCELED"})
        assert reply.status == status


async def test_the_contract_can_be_looked_up(caller: Caller) -> None:
    (contract,) = (await caller.api("GET", "/api/company/v1/contracts")).json["data"]
    assert contract["id"] == caller.sim.contract_id
    assert "SPOTLIGHT_FINE" in contract["imagingModes"]["allowed"]
    reply = await caller.api("GET", f"/api/company/v1/contracts/{caller.sim.contract_id}")
    assert reply.json == contract
