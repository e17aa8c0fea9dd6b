"""Are ICEYE's documented rules kept, and all breaches told at once?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives._core.task_check import check_task_request
from iceye_derivatives.models import (
    AcquisitionWindow,
    Delivery,
    DeliveryLocation,
    ImagingMode,
    IncidenceAngle,
    PointOfInterest,
    TaskRequest,
)

NOW = datetime(2030, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def window(start: timedelta, end: timedelta) -> AcquisitionWindow:
    return AcquisitionWindow(start=NOW + start, end=NOW + end)


GOOD = TaskRequest(
    contract_id="1a2b3c4d-0000-4000-8000-000000000000",
    point_of_interest=PointOfInterest(lat=60.15, lon=24.95),
    acquisition_window=window(24 * HOUR, 48 * HOUR),
    imaging_mode="SPOTLIGHT",
    product_types=("GRD",),
    derivative_product_types=("DC_VESSELS",),
    priority="BACKGROUND",
    incidence_angle=IncidenceAngle(min=10, max=45),
    look_side="ANY",
    pass_direction="DESCENDING",
    exclusivity="PRIVATE",
    eula="MULTI",
    reference="r" * 256,
    imaging_duration=180,
    webhook_id="w",
    deliveries=(Delivery(locations=(DeliveryLocation(config_id="c", path="p"),)),),
)
BARE = TaskRequest(
    contract_id="c",
    point_of_interest=PointOfInterest(lat=-90, lon=180),
    acquisition_window=window(timedelta(microseconds=1), timedelta(days=14)),
    imaging_mode="STRIPMAP",
)


def faults(request: TaskRequest = GOOD, **changes: Any) -> list[str]:
    return [fault.path for fault in check_task_request(evolve(request, **changes), NOW)]


@pytest.mark.parametrize("request_", [GOOD, BARE])
def test_a_request_on_the_very_edge_of_every_rule_is_good(request_: TaskRequest) -> None:
    """24 h notice and width, 14 days, 10 and 45 degrees, 180 s, 256 characters."""
    assert check_task_request(request_, NOW) == ()


@given(st.sampled_from(ImagingMode), st.text(min_size=1).filter(str.strip))
def test_each_of_the_five_modes_and_any_type_allow_derivatives(mode: str, kind: str) -> None:
    """The list of types is open: an unknown one is the server's to judge."""
    assert faults(imaging_mode=mode, derivative_product_types=(kind,)) == []


def test_another_mode_carries_the_code_of_the_api() -> None:
    """The page: "a 400 Bad Request error with code INCOMPATIBLE_IMAGING_MODE_FOR_DERIVATIVES"."""
    (fault,) = check_task_request(evolve(GOOD, imaging_mode="STRIPMAP"), NOW)

    assert (fault.path, fault.code) == ("imagingMode", "INCOMPATIBLE_IMAGING_MODE_FOR_DERIVATIVES")
    assert "SPOTLIGHT_EXTENDED_DWELL, " in fault.message


@pytest.mark.parametrize("products", [None, ("SLC",), ("GRD-COG",)])
def test_derivatives_need_an_explicit_grd(products: tuple[str, ...] | None) -> None:
    """The page: "you must explicitly include GRD in the productTypes parameter"."""
    assert faults(product_types=products) == ["productTypes"]


def test_neither_mode_nor_grd_matters_without_derivatives() -> None:
    """The rules are those of derivatives."""
    assert faults(imaging_mode="SCAN", product_types=None, derivative_product_types=None) == []


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"contract_id": " "}, "contractID"),
        ({"webhook_id": ""}, "notifications.webhook.id"),
        ({"imaging_mode": "", "derivative_product_types": None}, "imagingMode"),
        ({"reference": "r" * 257}, "reference"),
        ({"point_of_interest": PointOfInterest(lat=90.1, lon=0)}, "pointOfInterest.lat"),
        ({"point_of_interest": PointOfInterest(lat=0, lon=-180.1)}, "pointOfInterest.lon"),
        ({"point_of_interest": PointOfInterest(lat=float("nan"), lon=0)}, "pointOfInterest.lat"),
        ({"acquisition_window": window(24 * HOUR, 47.9 * HOUR)}, "acquisitionWindow"),
        ({"acquisition_window": window(72 * HOUR, 48 * HOUR)}, "acquisitionWindow"),
        ({"acquisition_window": window(24 * HOUR, 336.1 * HOUR)}, "acquisitionWindow.end"),
        ({"acquisition_window": window(23.9 * HOUR, 48 * HOUR)}, "acquisitionWindow.start"),
        (
            {"acquisition_window": window(11.9 * HOUR, 48 * HOUR), "priority": "COMMERCIAL"},
            "acquisitionWindow.start",
        ),
        (
            {"acquisition_window": window(0 * HOUR, 48 * HOUR), "priority": None},
            "acquisitionWindow.start",
        ),
        ({"product_types": ("GRD", "")}, "productTypes"),
        ({"product_types": (), "derivative_product_types": None}, "productTypes"),
        ({"derivative_product_types": ()}, "derivativeProductTypes"),
        ({"exclusivity": "private"}, "exclusivity"),
        ({"eula": "NONE"}, "eula"),
        ({"look_side": "UP"}, "lookSide"),
        ({"pass_direction": "BOTH"}, "passDirection"),
        ({"priority": "URGENT"}, "priority"),
        ({"imaging_duration": 0}, "imagingDuration"),
        ({"imaging_duration": 181}, "imagingDuration"),
        ({"imaging_duration": 2.5}, "imagingDuration"),
        ({"incidence_angle": IncidenceAngle(min=9, max=45)}, "incidenceAngle.min"),
        ({"incidence_angle": IncidenceAngle(min=10, max=46)}, "incidenceAngle.max"),
        ({"incidence_angle": IncidenceAngle(min=30, max=20)}, "incidenceAngle"),
        ({"deliveries": ()}, "deliveries"),
        ({"deliveries": (Delivery(locations=()),)}, "deliveries[0].locations"),
        (
            {"deliveries": (Delivery(locations=(DeliveryLocation(config_id="", path="p"),)),)},
            "deliveries[0].locations[0].configID",
        ),
        (
            {"deliveries": (Delivery(locations=(DeliveryLocation(config_id="c", path=""),)),)},
            "deliveries[0].locations[0].path",
        ),
    ],
)
def test_each_rule_is_told_by_the_name_of_its_field(changes: dict[str, Any], path: str) -> None:
    """One breach, one fault."""
    assert faults(**changes) == [path]


def test_notice_of_an_unknown_or_missing_priority_is_only_the_future() -> None:
    """The contract's default holds, and it is not known here."""
    soon = window(HOUR, 48 * HOUR)

    assert faults(priority=None, acquisition_window=soon) == []
    assert faults(priority="URGENT", acquisition_window=soon) == ["priority"]


def test_moments_without_offset_are_told_and_not_compared() -> None:
    """Comparing them would be a TypeError."""
    naive = AcquisitionWindow(start=datetime(2030, 1, 2), end=NOW + 99 * 24 * HOUR)  # noqa: DTZ001 - the point

    assert faults(acquisition_window=naive) == ["acquisitionWindow.start", "acquisitionWindow.end"]


def test_all_faults_come_at_once() -> None:
    """A person mends them in one go."""
    assert faults(
        contract_id="",
        imaging_mode="SCAN",
        product_types=(),
        look_side="UP",
        acquisition_window=window(HOUR, 2 * HOUR),
        deliveries=(),
    ) == [
        "contractID",
        "acquisitionWindow.start",
        "acquisitionWindow",
        "productTypes",
        "imagingMode",
        "productTypes",
        "lookSide",
        "deliveries",
    ]
