"""Is an order judged as createTask's pages say?"""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from sim_caller import iso, order

from iceye_derivatives.simulator import Contract, World
from iceye_derivatives.simulator.problems import ProblemError

NOW = 1_800_000_000.0
HOUR = 3600.0

D_AND_C_MODES = [
    "SPOTLIGHT_EXTENDED_DWELL",
    "SPOTLIGHT_EXTENDED_DWELL_FINE",
    "SPOTLIGHT_FINE_1L",
    "SPOTLIGHT",
    "SPOTLIGHT_FINE",
]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


def refusal(body: Any, *, world: World | None = None) -> ProblemError:
    with pytest.raises(ProblemError) as caught:
        (world or World()).create_task(body, now=NOW)
    assert caught.value.status == 400
    return caught.value


def window(start: float, end: float) -> dict[str, str]:
    return {"start": iso(NOW + start), "end": iso(NOW + end)}


@pytest.mark.parametrize("mode", D_AND_C_MODES)
def test_derivatives_can_be_had_in_the_five_modes(mode: str) -> None:
    task = World().create_task(order(NOW, imagingMode=mode), now=NOW)
    assert task["status"] == "RECEIVED"
    assert task["derivativeProductTypes"] == ["DC_AIRCRAFT", "DC_VESSELS", "DC_VEHICLES"]


@pytest.mark.parametrize("mode", ["STRIPMAP", "SCAN", "SCAN_WIDE", "SPOTLIGHT_HIGH_1L", "NEW_ONE"])
def test_other_modes_are_refused_with_the_documented_code(mode: str) -> None:
    """Quotes the page: "(e.g., STRIPMAP, SCAN) will result in a 400 Bad Request error"."""
    problem = refusal(order(NOW, imagingMode=mode))
    assert problem.code == "INCOMPATIBLE_IMAGING_MODE_FOR_DERIVATIVES"


@pytest.mark.parametrize("products", [None, [], ["SLC"], ["GRD-COG"]])
def test_derivatives_need_an_explicit_grd(products: list[str] | None) -> None:
    """Quotes the page: "you must explicitly include GRD in the productTypes parameter"."""
    assert "GRD" in refusal(order(NOW, productTypes=products)).details


def test_the_contract_must_allow_grd_for_the_mode() -> None:
    contract = Contract(modes={"SPOTLIGHT_FINE": ("SLC", "GRD-COG")})
    problem = refusal(order(NOW), world=World(contract=contract))
    assert "productTypes" in problem.details


def test_a_mode_without_derivatives_needs_no_grd() -> None:
    body = order(NOW, imagingMode="STRIPMAP", productTypes=None, derivativeProductTypes=None)
    task = World().create_task(body, now=NOW)
    assert "derivativeProductTypes" not in task


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        (window(11.9 * HOUR, 60 * HOUR), "12 hours ahead"),
        (window(13 * HOUR, 13 * HOUR + 23 * HOUR), "24 hours wide"),
        (window(13 * HOUR, 14 * 24 * HOUR + 1), "within 14 days"),
        (window(60 * HOUR, 13 * HOUR), "24 hours wide"),
        ({"start": "tomorrow", "end": iso(NOW + 60 * HOUR)}, "RFC 3339"),
        ({"start": "2027-01-16T09:00:00", "end": iso(NOW + 60 * HOUR)}, "RFC 3339"),
        ({"start": iso(NOW + 13 * HOUR)}, "missing"),
    ],
)
def test_a_window_that_breaks_a_rule(given: Any, rule: str) -> None:
    assert rule in refusal(order(NOW, acquisitionWindow=given)).details


def test_a_window_may_touch_every_limit() -> None:
    for limits in (window(12 * HOUR, 36 * HOUR), window(12 * HOUR, 14 * 24 * HOUR)):
        assert World().create_task(order(NOW, acquisitionWindow=limits), now=NOW)


def test_background_tasks_need_a_day_of_notice() -> None:
    early, late = window(23 * HOUR, 60 * HOUR), window(24 * HOUR, 60 * HOUR)
    body = order(NOW, priority="BACKGROUND", acquisitionWindow=early)
    assert "24 hours ahead" in refusal(body).details
    task = World().create_task({**body, "acquisitionWindow": late}, now=NOW)
    assert task["sla"] == "SLA_24H"


def test_windows_come_in_any_offset_and_leave_in_utc() -> None:
    given = {"start": "2027-01-16T02:00:00+02:00", "end": "2027-01-18t00:00:00z"}
    task = World().create_task(order(NOW, acquisitionWindow=given), now=NOW)
    assert task["acquisitionWindow"] == {
        "start": "2027-01-16T00:00:00.000000Z",
        "end": "2027-01-18T00:00:00.000000Z",
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"contractID": None},
        {"contractID": "another"},
        {"pointOfInterest": None},
        {"pointOfInterest": {"lat": 91, "lon": 0}},
        {"pointOfInterest": {"lat": 0, "lon": -180.5}},
        {"pointOfInterest": {"lat": True, "lon": 0}},
        {"pointOfInterest": {"lat": 0, "lon": 0, "height": 1}},
        {"imagingMode": None},
        {"imagingMode": 7},
        {"productTypes": ["GRD", "PNG"]},
        {"derivativeProductTypes": []},
        {"derivativeProductTypes": ["DC_SUBMARINES"]},
        {"derivativeProductTypes": "DC_VESSELS"},
        {"exclusivity": "SECRET"},
        {"priority": "URGENT"},
        {"sla": "SLA_1H"},
        {"eula": "NONE"},
        {"incidenceAngle": {"min": 9, "max": 40}},
        {"incidenceAngle": {"min": 20, "max": 46}},
        {"incidenceAngle": {"min": 40, "max": 20}},
        {"incidenceAngle": {"min": 20.5, "max": 40}},
        {"incidenceAngle": {"min": 20}},
        {"lookSide": "UP"},
        {"passDirection": "SIDEWAYS"},
        {"reference": "x" * 257},
        {"imagingDuration": 0},
        {"imagingDuration": 181},
        {"deliveries": [{}]},
        {"notifications": {"webhook": {}}},
        {"surprise": 1},
    ],
    ids=str,
)
def test_each_field_is_checked(changes: dict[str, Any]) -> None:
    problem = refusal(order(NOW, **changes))
    assert next(iter(changes)) in problem.details
    assert problem.code == "bad_request"


def test_what_was_left_out_takes_the_contracts_defaults() -> None:
    task = World().create_task(order(NOW), now=NOW)
    assert task["priority"] == "COMMERCIAL"
    assert task["sla"] == "SLA_8H"
    assert task["exclusivity"] == "PRIVATE"
    assert task["eula"] == "STANDARD"
    assert task["lookSide"] == task["passDirection"] == "ANY"


def test_a_price_above_the_funds_is_refused_until_a_task_ends() -> None:
    world = World(contract=evolve(Contract(), spend_limit=2 * Contract().price))
    first = world.create_task(order(NOW), now=NOW)
    world.create_task(order(NOW), now=NOW)
    assert refusal(order(NOW), world=world).code == "ERR_INSUFFICIENT_FUNDS"
    world.cancel_task(first["id"], {"status": "CANCELED"}, now=NOW)
    assert world.create_task(order(NOW), now=NOW)


@given(json_values)
def test_nothing_but_an_order_is_an_order(body: Any) -> None:
    """Whatever JSON comes, it is a 400 and no crash."""
    refusal(body)


@given(st.sampled_from(sorted(order(NOW))), json_values)
def test_a_field_of_any_shape_is_judged_and_never_crashes(name: str, value: Any) -> None:
    try:
        task = World().create_task({**order(NOW), name: value}, now=NOW)
    except ProblemError as problem:
        assert problem.status == 400  # noqa: PT017 (either outcome is good)
    else:
        assert task["status"] == "RECEIVED"
