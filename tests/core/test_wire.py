"""Do tasks and requests turn into JSON and back without loss, and are all faults named?"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st
from wire_values import JSON, MOMENTS, TEXTS, faults_of

from iceye_derivatives._core.wire import (
    WireError,
    parse_scene,
    parse_task,
    parse_task_request,
    parse_tasks,
    render_task_request,
)
from iceye_derivatives.errors import InvalidTaskRequestError
from iceye_derivatives.models import (
    AcquisitionWindow,
    Delivery,
    DeliveryLocation,
    DerivativeProductType,
    ImagingMode,
    IncidenceAngle,
    PointOfInterest,
    TaskRequest,
)

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
NAMES = st.sampled_from([*DerivativeProductType, "DC_SHIPS", "GRD", ""])
LOCATIONS = st.builds(DeliveryLocation, config_id=TEXTS, path=TEXTS, sub_path=st.none() | TEXTS)
REQUESTS = st.builds(
    TaskRequest,
    contract_id=TEXTS,
    point_of_interest=st.builds(PointOfInterest, lat=NUMBERS, lon=NUMBERS),
    acquisition_window=st.builds(AcquisitionWindow, start=MOMENTS, end=MOMENTS),
    imaging_mode=st.sampled_from([*ImagingMode, "STRIPMAP"]),
    product_types=st.none() | st.lists(NAMES).map(tuple),
    derivative_product_types=st.none() | st.lists(NAMES).map(tuple),
    exclusivity=st.none() | TEXTS,
    priority=st.none() | TEXTS,
    sla=st.none() | TEXTS,
    eula=st.none() | TEXTS,
    incidence_angle=st.none()
    | st.builds(IncidenceAngle, min=st.integers(), max=st.integers(10, 45)),
    look_side=st.none() | TEXTS,
    pass_direction=st.none() | TEXTS,
    reference=st.none() | TEXTS,
    imaging_duration=st.none() | st.integers(),
    webhook_id=st.none() | TEXTS,
    deliveries=st.none()
    | st.lists(
        st.builds(Delivery, locations=st.lists(LOCATIONS, max_size=2).map(tuple)), max_size=2
    ).map(tuple),
)
WINDOW_START = datetime(2030, 1, 1, tzinfo=timezone(timedelta(hours=2)))
REQUEST = TaskRequest(
    contract_id="c-1",
    point_of_interest=PointOfInterest(lat=60.15, lon=24.95),
    acquisition_window=AcquisitionWindow(start=WINDOW_START, end=WINDOW_START + timedelta(days=2)),
    imaging_mode=ImagingMode.SPOTLIGHT_FINE,
    product_types=("GRD",),
    derivative_product_types=(DerivativeProductType.VESSELS,),
    incidence_angle=IncidenceAngle(min=20, max=35),
    imaging_duration=10,
    webhook_id="w-1",
    deliveries=(Delivery(locations=(DeliveryLocation(config_id="s3", path="in"),)),),
)


@given(REQUESTS)
@example(REQUEST)
def test_what_is_rendered_is_read_back(request_: TaskRequest) -> None:
    """The law: ``parse(render(x)) == x``, through real JSON."""
    assert parse_task_request(json.loads(json.dumps(render_task_request(request_)))) == request_


def test_a_request_is_written_in_the_names_of_the_api() -> None:
    """All spellings, moments in UTC, and no field that was not set."""
    assert render_task_request(REQUEST) == {
        "contractID": "c-1",
        "pointOfInterest": {"lat": 60.15, "lon": 24.95},
        "acquisitionWindow": {"start": "2029-12-31T22:00:00Z", "end": "2030-01-02T22:00:00Z"},
        "imagingMode": "SPOTLIGHT_FINE",
        "productTypes": ["GRD"],
        "derivativeProductTypes": ["DC_VESSELS"],
        "incidenceAngle": {"min": 20, "max": 35},
        "imagingDuration": 10,
        "notifications": {"webhook": {"id": "w-1"}},
        "deliveries": [{"locations": [{"configID": "s3", "path": "in"}]}],
    }


def test_a_moment_without_offset_is_not_written() -> None:
    """Nobody can say when it is: all such moments are named at once."""
    naive = AcquisitionWindow(start=datetime(2030, 1, 1), end=datetime(2030, 1, 3))  # noqa: DTZ001 - the point

    with pytest.raises(InvalidTaskRequestError) as caught:
        render_task_request(evolve(REQUEST, acquisition_window=naive))

    assert [fault.path for fault in caught.value.faults] == [
        "acquisitionWindow.start",
        "acquisitionWindow.end",
    ]


def test_all_faults_of_a_request_are_named_at_once() -> None:
    """Each by the JSON path that a person would look at, unknown fields too."""
    body = render_task_request(REQUEST) | {
        "imagingMode": 7,
        "deliveries": [{"locations": [{"configID": 3}, "x"]}],
        "productTypes": "GRD",
        "notifications": {"webhook": {}},
        "colour": "blue",
    }
    del body["contractID"]

    with pytest.raises(WireError) as caught:
        parse_task_request(body)

    assert faults_of(caught.value) == {
        "contractID": "is missing",
        "imagingMode": "is not a string",
        "deliveries[0].locations[0].configID": "is not a string",
        "deliveries[0].locations[0].path": "is missing",
        "deliveries[0].locations[1]": "is not an object",
        "productTypes": "is not a list",
        "notifications": 'is not {"webhook": {"id": "…"}}',
        "colour": "is not a field that the API takes here",
    }


def test_a_task_needs_no_more_than_id_and_status() -> None:
    """And the cancel example of the docs shows hardly more; null is the same as absent."""
    task = parse_task({"id": "t", "status": "SOMETHING_NEW", "eula": None, "productTypes": None})

    assert (task.id, task.status, task.eula, task.product_types) == (
        "t",
        "SOMETHING_NEW",
        None,
        None,
    )


def test_what_a_task_holds_beyond_our_fields_is_kept() -> None:
    """Also a field that happens to be called ``extra``."""
    task = parse_task({"id": "t", "status": "DONE", "extra": 1, "deliveries": [{"id": ""}]})

    assert task.extra == {"extra": 1, "deliveries": [{"id": ""}]}


def test_a_whole_number_may_be_written_with_a_point() -> None:
    """JSON has one kind of number."""
    task = parse_task({"id": "t", "status": "DONE", "incidenceAngle": {"min": 20.0, "max": 30}})

    assert task.incidence_angle == IncidenceAngle(min=20, max=30)


@pytest.mark.parametrize(
    ("field", "value"), [("id", 5), ("id", ""), ("status", None), ("status", ["DONE"])]
)
def test_a_task_of_another_shape_is_refused(field: str, value: Any) -> None:
    """Types are strict: nothing is turned into a string to make it fit."""
    odd = {"id": "t", "status": "DONE", "createdAt": 5, field: value}
    with pytest.raises(WireError) as caught:
        parse_tasks([{"id": "t", "status": "DONE"}, odd])

    assert f"data[1].{field}" in faults_of(caught.value)


ODD = [
    ("createdAt", "yesterday", "created_at"),
    ("createdAt", 5, "created_at"),
    ("pointOfInterest", {"lat": True, "lon": 1}, "point_of_interest"),
    ("pointOfInterest", {"lat": 10**400, "lon": 1}, "point_of_interest"),
    ("pointOfInterest", {"lon": 1}, "point_of_interest"),
    ("incidenceAngle", {"min": 20.5, "max": 30}, "incidence_angle"),
    ("derivativeProductTypes", ["DC_VESSELS", 3], "derivative_product_types"),
    ("derivativeProductTypes", {"DC_VESSELS": 1}, "derivative_product_types"),
    ("notifications", [], "webhook_id"),
    ("reference", 5, "reference"),
]


@pytest.mark.parametrize(("field", "value", "attribute"), ODD)
def test_what_can_be_done_without_is_none_and_kept_as_it_came(
    field: str, value: Any, attribute: str
) -> None:
    """An order is answered with a task: its id must not be lost over the form of an angle."""
    raw = {"id": "t", "status": "DONE", "priority": "BACKGROUND", field: value}
    _, task = parse_tasks([raw, raw])

    assert (task.id, task.status, task.priority) == ("t", "DONE", "BACKGROUND")
    assert getattr(task, attribute, None) is None
    assert task.extra == {field: value}


@given(st.lists(st.sampled_from(ODD), unique_by=lambda odd: odd[0]))
def test_several_are_left_out_together(odds: list[tuple[str, Any, str]]) -> None:
    values = {field: value for field, value, _ in odds}

    assert parse_task({"id": "t", "status": "DONE", **values}).extra == values


def test_a_scene_needs_its_imaging_time_alone() -> None:
    time = {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T00:00:10Z"}
    scene = parse_scene({"imagingTime": time, "duration": "long", "lookSide": 5})

    assert (scene.duration, scene.look_side) == (None, None)
    assert scene.extra == {"duration": "long", "lookSide": 5}
    with pytest.raises(WireError):
        parse_scene({"imagingTime": {**time, "end": 5}})


@given(JSON)
def test_no_json_breaks_the_readers(raw: Any) -> None:
    """Whatever comes, it is a value or a `WireError`."""
    for read in (parse_task, parse_tasks, parse_task_request):
        with suppress(WireError):
            read(raw)
