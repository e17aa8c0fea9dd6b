"""Does the API say the wrong things of tasks, derivatives and tokens that each fault promises?"""

from __future__ import annotations

import json
from base64 import b64encode
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from sim_caller import TASKS, Caller, order

from iceye_derivatives.simulator.fault_kit.names import HOSTILE

pytestmark = pytest.mark.anyio


async def listing(caller: Caller, name: str, **settings: Any) -> Any:
    """Give the list of derivatives of a task that has all three, with a fault on."""
    task_id = caller.a_whole_task()
    caller.sim.faults.add(name, **settings)
    reply = await caller.derivatives(task_id)
    assert reply.status == 200
    return reply.json


async def grant(caller: Caller) -> Any:
    client = f"{caller.sim.client_id}:{caller.sim.client_secret}".encode()
    headers = {"Authorization": f"Basic {b64encode(client).decode()}"}
    form = {"grant_type": "client_credentials"}
    return (await caller.send("POST", caller.sim.token_url, headers=headers, data=form)).json


async def test_absurd_retry_after_of_each_value(caller: Caller) -> None:
    now, found = int(caller.clock.time()), {}
    for value in ("huge", "negative", "garbage", "past", "fraction", "empty", "far_date"):
        caller.sim.faults.add("absurd_retry_after", value=value, status=503)
        reply = await caller.api("GET", TASKS)
        assert reply.status == 503
        found[value] = reply.headers["Retry-After"]
    assert parsedate_to_datetime(found.pop("past")).timestamp() == now - 86_400
    assert parsedate_to_datetime(found.pop("far_date")).year > 2100
    assert found == {
        "huge": "1000000000",
        "negative": "-30",
        "garbage": "soon",
        "fraction": "0.5",
        "empty": "",
    }


async def test_throttled_counts_the_simulators_seconds(caller: Caller) -> None:
    """Complaint 11 (boto/botocore #1563).

    Constant polling by many waiters throttled a whole account.
    """
    caller.sim.faults.add("throttled", times=None, requests=2, seconds=10)
    statuses = []
    for wait in (0, 4, 0, 5.9, 0.1, 0):
        caller.clock.advance(wait)
        statuses.append((await caller.api("GET", TASKS)).status)
    assert statuses == [200, 200, 429, 429, 200, 429]


async def test_vanished_type_is_gone_without_a_word(caller: Caller) -> None:
    before = [each["id"] for each in (await listing(caller, "vanished_type", skip=1))["data"]]
    task_id = caller.sim.requests[-1].path.split("/")[-2]
    after = [each["id"] for each in (await caller.derivatives(task_id)).json["data"]]
    assert after == before[1:]


async def test_duplicates_of_each_kind(caller: Caller) -> None:
    whole = (await listing(caller, "duplicates"))["data"]
    assert whole[0] == whole[1]
    assert len(whole) == 4
    ids = (await listing(caller, "duplicates", what="id"))["data"]
    assert len({each["id"] for each in ids}) == 1
    assert len({each["derivativeProductType"] for each in ids}) == 3
    assets = (await listing(caller, "duplicates", what="asset"))["data"]
    assert [[asset["type"] for asset in each["assets"]] for each in assets] == [["geojson"] * 2] * 3


async def test_paged_derivatives_come_with_a_cursor(caller: Caller) -> None:
    first = await listing(caller, "paged_derivatives", times=None)
    path = caller.sim.requests[-1].path
    second = (await caller.api("GET", f"{path}?cursor={first['cursor']}")).json
    assert [len(page["data"]) for page in (first, second)] == [1, 2]
    assert "cursor" not in second
    assert len({each["id"] for page in (first, second) for each in page["data"]}) == 3


async def test_too_many_derivatives_and_assets(caller: Caller) -> None:
    many = (await listing(caller, "too_many_derivatives", count=50))["data"]
    assert len({each["id"] for each in many}) == 53
    for each in (await listing(caller, "too_many_assets", count=50))["data"]:
        assert len({asset["type"] for asset in each["assets"]}) == 51


async def test_huge_listing_is_the_true_one_and_more(caller: Caller) -> None:
    huge = await listing(caller, "huge_listing", size=100_000)
    assert (len(huge["data"]), len(huge["padding"])) == (3, 100_000)


async def test_odd_listing_of_each_shape(caller: Caller) -> None:
    def shape(value: Any) -> Any:
        return (
            type(value) if not isinstance(value, dict) else {k: type(v) for k, v in value.items()}
        )

    found = {}
    for name in ("list", "null", "string", "number", "data_null", "data_object", "no_data"):
        found[name] = shape(await listing(caller, "odd_listing", shape=name))
    assert found == {
        "list": list,
        "null": type(None),
        "string": str,
        "number": int,
        "data_null": {"data": type(None)},
        "data_object": {"data": dict},
        "no_data": {},
    }
    assert (await listing(caller, "odd_listing", shape="items"))["data"] == [1, None, "x", []]


@pytest.mark.parametrize("field", ["id", "derivativeProductType", "assets", "href", "type"])
async def test_missing_field_lacks_one_and_only_one(caller: Caller, field: str) -> None:
    poorer, *others = (await listing(caller, "missing_field", field=field))["data"]
    assert f'"{field}"' not in json.dumps(poorer)
    assert all(f'"{field}"' in json.dumps(other) for other in others)


WRAPPED: dict[str, Any] = {
    "href": ([str], [list]),
    "type": ([str], [list]),
    "asset": ([dict], [list]),
    "assets": (list, dict),
    "id": (str, list),
    "derivativeProductType": (str, list),
    "derivative": (dict, list),
}


@pytest.mark.parametrize("field", WRAPPED)
async def test_an_unreadable_derivative_is_alone_in_it(caller: Caller, field: str) -> None:
    task_id = caller.a_whole_task()
    true = (await caller.derivatives(task_id)).json["data"]
    kind = true[1]["derivativeProductType"]
    caller.sim.faults.add("unreadable_derivative", field=field, product_type=kind)
    false = (await caller.derivatives(task_id)).json["data"]

    def shape(each: Any) -> Any:
        if field == "derivative":
            return type(each)
        if field in {"href", "type"}:
            return [type(asset[field]) for asset in each["assets"]]
        return [type(asset) for asset in each["assets"]] if field == "asset" else type(each[field])

    assert (shape(true[1]), shape(false[1])) == WRAPPED[field]
    assert [each["id"] for each in (false[0], false[2])] == [true[0]["id"], true[2]["id"]]


async def test_a_derivative_that_is_not_listed_cannot_be_unreadable(caller: Caller) -> None:
    caller.sim.faults.add("unreadable_derivative", product_type="DC_BUILDINGS")
    task_id = caller.a_whole_task()
    assert len((await caller.derivatives(task_id)).json["data"]) == 3
    assert [armed.fault.name for armed in caller.sim.faults] == ["unreadable_derivative"]


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("hostile_id", "id"),
        ("hostile_type", "derivativeProductType"),
        ("hostile_image_reference", "imageReference"),
    ],
)
@pytest.mark.parametrize("kind", ["traversal", "device", "bidi", "long", "surrogate", "nul"])
async def test_hostile_names(caller: Caller, name: str, field: str, kind: str) -> None:
    data = (await listing(caller, name, kind=kind))["data"]
    assert data[0][field] == HOSTILE[kind]
    assert len(data) == 3


async def test_hostile_asset_types(caller: Caller) -> None:
    data = (await listing(caller, "hostile_asset_type", kind="absolute"))["data"]
    assert {asset["type"] for each in data for asset in each["assets"]} == {"/escaped"}


async def test_hostile_task_id(caller: Caller) -> None:
    caller.sim.faults.add("hostile_task_id", kind="dots")
    reply = await caller.api("POST", TASKS, json=order(caller.clock.time()))
    assert (reply.status, reply.json["id"]) == (201, "..")


@pytest.mark.parametrize("kind", ["case", "sharp_s", "composed", "dotted_i"])
async def test_twin_ids_differ_and_look_the_same(caller: Caller, kind: str) -> None:
    first, second, *others = (await listing(caller, "twin_ids", kind=kind))["data"]
    assert first["id"] != second["id"]
    assert first["derivativeProductType"] == second["derivativeProductType"]
    assert len(others) == 2


async def test_fresh_404_ends_with_its_seconds(caller: Caller) -> None:
    """Complaint 13 (hashicorp/go-azure-sdk #740).

    "Not found" just after creation stops the poller.
    """
    caller.sim.faults.add("fresh_404", times=None, seconds=30)
    created = await caller.api("POST", TASKS, json=order(caller.clock.time()))
    assert created.status == 201
    path = f"{TASKS}/{created.json['id']}"
    statuses = []
    for wait in (0, 29, 1):
        caller.clock.advance(wait)
        statuses.append((await caller.api("GET", path)).status)
    assert statuses == [404, 404, 200]


async def test_forgotten_task_is_listed_all_the_same(caller: Caller) -> None:
    """In ICEYE's own words, for the task and all that belongs to it."""
    caller.sim.faults.add("forgotten_task", times=None)
    task_id = caller.sim.add_task()
    for path in (task_id, f"{task_id}/derivatives", f"{task_id}/scene"):
        reply = await caller.api("GET", f"{TASKS}/{path}")
        assert (reply.status, reply.json["code"]) == (404, "not_found")
    assert [task["id"] for task in (await caller.api("GET", TASKS)).json["data"]] == [task_id]


async def test_late_listing_shows_a_task_after_its_seconds(caller: Caller) -> None:
    caller.sim.faults.add("late_listing", times=None, seconds=60)
    task_id = caller.sim.add_task()
    assert (await caller.api("GET", TASKS)).json["data"] == []
    caller.clock.advance(60)
    assert [each["id"] for each in (await caller.api("GET", TASKS)).json["data"]] == [task_id]


async def test_repeated_cursor_never_gets_further(caller: Caller) -> None:
    for _ in range(3):
        caller.sim.add_task()
    caller.sim.faults.add("repeated_cursor", times=None)
    first = (await caller.api("GET", f"{TASKS}?limit=2")).json
    again = (await caller.api("GET", f"{TASKS}?limit=2&cursor={first['cursor']}")).json
    assert again == first
    assert len(first["data"]) == 2


async def test_other_status_and_other_task(caller: Caller) -> None:
    """Trap (up42, end states).

    A wait without limit, and PLACEMENT_FAILED is none of its end states.
    """
    task_id = caller.sim.add_task()
    caller.sim.faults.add("other_status")
    caller.sim.faults.add("other_task")
    path = f"{TASKS}/{task_id}"
    assert (await caller.api("GET", path)).json["status"] == "PLACEMENT_FAILED"
    assert (await caller.api("GET", path)).json["id"] != task_id
    assert (await caller.api("GET", path)).json["id"] == task_id


async def test_odd_moments_are_at_the_edge_of_the_calendar(caller: Caller) -> None:
    caller.sim.faults.add("odd_moments")
    task = (await caller.api("GET", f"{TASKS}/{caller.sim.add_task()}")).json
    assert task["createdAt"] == task["acquisitionWindow"]["start"] == "0001-01-01T00:00:00+14:00"


async def test_token_without_expiry_and_brief_token(caller: Caller) -> None:
    caller.sim.faults.add("token_without_expiry", side="token")
    caller.sim.faults.add("brief_token")
    assert "expires_in" not in await grant(caller)
    assert (await grant(caller))["expires_in"] == 1
    assert (await grant(caller))["expires_in"] == 3600


@pytest.mark.parametrize(
    ("kind", "member", "value"),
    [
        ("expires_in_text", "expires_in", "3600"),
        ("expires_in_null", "expires_in", None),
        ("token_newline", "access_token", "simulated\r\nX-Injected: 1"),
        ("type_mac", "token_type", "mac"),
    ],
)
async def test_odd_token(caller: Caller, kind: str, member: str, value: object) -> None:
    caller.sim.faults.add("odd_token", kind=kind)
    assert (await grant(caller))[member] == value


async def test_odd_token_without_a_token(caller: Caller) -> None:
    caller.sim.faults.add("odd_token", kind="token_missing")
    assert "access_token" not in await grant(caller)


async def test_a_useless_token_opens_nothing(caller: Caller) -> None:
    caller.sim.faults.add("useless_token")
    token = (await grant(caller))["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    reply = await caller.send("GET", f"{caller.sim.api_base_url}{TASKS}", headers=headers)
    assert reply.status == 401
