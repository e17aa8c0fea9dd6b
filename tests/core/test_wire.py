"""Do JSON and values turn into each other without loss, and are all faults named?"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import attrs
import pytest
from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st

from iceye_derivatives._core import wire_derivatives
from iceye_derivatives._core.ceilings import OverLimit
from iceye_derivatives._core.limits import DEFAULT_LIMITS
from iceye_derivatives._core.rfc3339 import parse_moment, render_moment
from iceye_derivatives._core.wire import (
    WireError,
    parse_derivatives,
    parse_task,
    parse_task_request,
    parse_tasks,
    render_task_request,
)
from iceye_derivatives._core.wire_derivatives import _read, _read_usual
from iceye_derivatives.errors import Fault, InvalidTaskRequestError
from iceye_derivatives.models import (
    AcquisitionWindow,
    Asset,
    Delivery,
    DeliveryLocation,
    Derivative,
    DerivativeProductType,
    ImagingMode,
    IncidenceAngle,
    PointOfInterest,
    TaskRequest,
)

OFFSETS = st.builds(
    lambda minutes: timezone(timedelta(minutes=minutes)), st.integers(-23 * 60 - 59, 23 * 60 + 59)
)
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=OFFSETS)  # noqa: DTZ001 - bounds must be naive
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = st.sampled_from([*DerivativeProductType, "DC_SHIPS", "GRD", ""])
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
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
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
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
# The page's own examples, its second id (no UUID) included.
PAGE = {
    "data": [
        {
            "id": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
            "imageReference": "c2ac555e-27ac-4c6a-bf87-717fa81539e3",
            "derivativeProductType": "DC_AIRCRAFT",
            "assets": [],
        },
        {
            "id": "7fb95g75-6828-5673-c4gd-3d074g77bgb7",
            "derivativeProductType": "DC_VESSELS",
            "assets": [
                {"type": "geojson", "href": "https://cdn.example/v.geojson?Expires=1234567890&S=x"}
            ],
        },
    ]
}


def faults_of(error: WireError) -> dict[str, str]:
    return {fault.path: fault.message for fault in error.faults}


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
    ("field", "value", "path"),
    [
        ("id", 5, "id"),
        ("id", "", "id"),
        ("status", None, "status"),
        ("createdAt", "yesterday", "createdAt"),
        ("createdAt", 5, "createdAt"),
        ("pointOfInterest", {"lat": True, "lon": 1}, "pointOfInterest.lat"),
        ("pointOfInterest", {"lat": 10**400, "lon": 1}, "pointOfInterest.lat"),
        ("pointOfInterest", {"lon": 1}, "pointOfInterest.lat"),
        ("incidenceAngle", {"min": 20.5, "max": 30}, "incidenceAngle.min"),
        ("derivativeProductTypes", ["DC_VESSELS", 3], "derivativeProductTypes[1]"),
        ("derivativeProductTypes", {"DC_VESSELS": 1}, "derivativeProductTypes"),
    ],
)
def test_a_task_of_another_shape_is_refused(field: str, value: Any, path: str) -> None:
    """Types are strict: nothing is turned into a string or a list to make it fit."""
    with pytest.raises(WireError) as caught:
        parse_tasks([{"id": "t", "status": "DONE"}, {"id": "t", "status": "DONE", field: value}])

    assert list(faults_of(caught.value)) == [f"data[1].{path}"]


def test_the_examples_of_the_page_are_read() -> None:
    """Ids are opaque, a derivative still in work has no assets, and may lack an image."""
    aircraft, vessels = parse_derivatives(PAGE["data"], "t")

    assert aircraft == Derivative(
        id="3fa85f64-5717-4562-b3fc-2c963f66afa6",
        task_id="t",
        product_type="DC_AIRCRAFT",
        image_reference="c2ac555e-27ac-4c6a-bf87-717fa81539e3",
    )
    assert (vessels.id, vessels.image_reference) == ("7fb95g75-6828-5673-c4gd-3d074g77bgb7", None)
    assert vessels.assets[0].url.reveal() == PAGE["data"][1]["assets"][0]["href"]  # type: ignore[index]
    assert vessels.assets[0].url.expires == 1_234_567_890


@pytest.mark.parametrize("changes", [{}, {"assets": None}, {"assets": []}])
def test_missing_null_and_empty_assets_are_alike(changes: dict[str, Any]) -> None:
    """All three say: still being processed."""
    item = {"id": "d", "derivativeProductType": "DC_NEW", "imageReference": None} | changes

    assert parse_derivatives([item], "t")[0].assets == ()


def test_null_is_an_empty_listing() -> None:
    """Go's encoder writes an empty slice so."""
    assert parse_derivatives(None, "t") == ()
    assert parse_tasks(None) == ()


def test_unknown_fields_of_a_derivative_are_kept_but_neither_shown_nor_pickled() -> None:
    """They may be signed links under a name that nobody can foresee."""
    item = {**PAGE["data"][1], "previewHref": "https://cdn.example/p?Signature=planted"}
    (derivative,) = parse_derivatives([item], "t")

    assert derivative.extra == {"previewHref": "https://cdn.example/p?Signature=planted"}
    assert "planted" not in repr(derivative)
    assert "planted" not in repr(derivative.extra)
    assert b"planted" not in pickle.dumps(derivative)
    assert pickle.loads(pickle.dumps(derivative.extra)) == {}  # noqa: S301 - our own


def test_all_faults_of_a_listing_are_named_at_once() -> None:
    """With the index of the derivative and of the asset, and never with the value."""
    listing = [
        {"id": 3, "assets": {}},
        PAGE["data"][1],
        {
            "id": "d",
            "derivativeProductType": "x",
            "imageReference": 5,
            "imageId": [],
            "assets": [{"type": "", "href": 7}, "https://cdn.example/?Signature=planted"],
        },
        "https://cdn.example/?Signature=planted",
    ]
    with pytest.raises(WireError) as caught:
        parse_derivatives(listing, "t")

    assert faults_of(caught.value) == {
        "data[0].id": "is not a string",
        "data[0].derivativeProductType": "is missing",
        "data[0].assets": "is not a list",
        "data[2].imageReference": "is not a string",
        "data[2].imageId": "is not a string",
        "data[2].assets[0].type": "is empty, or no valid Unicode",
        "data[2].assets[0].href": "is not a string",
        "data[2].assets[1]": "is not an object",
        "data[3]": "is not an object",
    }
    assert "planted" not in str(caught.value)
    assert str(caught.value).endswith("; and 4 more")


GOOD_ITEM: dict[str, Any] = {
    "id": "d",
    "derivativeProductType": "DC_VESSELS",
    "assets": [{"type": "geojson", "href": "https://cdn.example/a"}],
}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"id": 5}, "id"),
        ({"derivativeProductType": 5}, "derivativeProductType"),
        ({"derivativeProductType": ""}, "derivativeProductType"),
        ({"imageReference": 5}, "imageReference"),
        ({"imageId": 5}, "imageId"),
        ({"assets": 5}, "assets"),
        ({"assets": [5]}, "assets[0]"),
        ({"assets": [{"type": 5, "href": "x"}]}, "assets[0].type"),
        ({"assets": [{"type": "geojson", "href": 5}]}, "assets[0].href"),
        ({"assets": [{"type": "geojson"}]}, "assets[0].href"),
    ],
)
def test_one_fault_is_enough(changes: dict[str, Any], path: str) -> None:
    """The quick way lets none of them through by itself."""
    with pytest.raises(WireError) as caught:
        parse_derivatives([GOOD_ITEM, GOOD_ITEM | changes], "t")

    assert list(faults_of(caught.value)) == [f"data[1].{path}"]


def test_half_a_surrogate_pair_is_no_id() -> None:
    """JSON can spell it, but it could neither be sent nor be a file's name."""
    raw = json.loads('[{"id": "\\ud800", "derivativeProductType": "DC_VESSELS"}]')

    with pytest.raises(WireError, match=r"data\[0\]\.id"):
        parse_derivatives(raw, "t")


ITEMS = st.fixed_dictionaries(
    {},
    optional={
        "id": JSON | TEXTS,
        "derivativeProductType": JSON | TEXTS,
        "imageReference": JSON,
        "imageId": JSON,
        "assets": JSON
        | st.lists(
            st.fixed_dictionaries({}, optional={"type": JSON | TEXTS, "href": JSON | TEXTS}),
            max_size=3,
        ),
        "other": JSON,
    },
)


@given(st.lists(ITEMS | JSON, max_size=4))
def test_a_listing_is_read_or_its_faults_are_named(listing: list[Any]) -> None:
    """The law: the quick way and the explaining way agree on every item."""
    good = [item for item in listing if not _faults_in(item)]

    assert [found.id for found in parse_derivatives(good, "t")] == [item["id"] for item in good]
    if len(good) < len(listing):
        with pytest.raises(WireError):
            parse_derivatives(listing, "t")


PAGES_OWN = {
    "id": "3fa85f64",
    "imageReference": "c2ac555e",
    "derivativeProductType": "DC_VESSELS",
    "assets": [{"type": "geojson", "href": "https://cdn.example/a?Expires=2000000000&Signature=s"}],
}
HREFS = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["https://cdn.example/a", "https://cdn.example/é", "a#b", ""]),
    st.sampled_from(
        ["?Expires=", "", "?expires=", "#?Expires=", "?a=b&Expires=", "?Expires=?Expires="]
    ),
    st.sampled_from(
        ["2000000000", "200000000", "20000000000", "٢000000000", "x", "2e9", "-100000000"]
    ),
    st.sampled_from(["&Signature=s", "", "&", "#x", "&Signature=#"]),
)
NEARLY = st.builds(
    lambda changes, gone: {k: v for k, v in {**PAGES_OWN, **changes}.items() if k not in gone},
    st.fixed_dictionaries(
        {},
        optional={
            "id": TEXTS | JSON | st.just("x" * 2000),
            "imageReference": TEXTS | st.none() | JSON,
            "imageId": TEXTS | st.none() | JSON,
            "derivativeProductType": TEXTS | JSON | st.just("\ud800"),
            "assets": JSON
            | st.lists(
                st.fixed_dictionaries(
                    {"type": st.just("geojson") | TEXTS, "href": HREFS | JSON},
                    optional={"size": JSON},
                ),
                max_size=2,
            ),
            "other": JSON,
        },
    ),
    st.sets(st.sampled_from([*PAGES_OWN, "imageId"]), max_size=1),
)


@given(st.lists(NEARLY, max_size=6))
@example([PAGES_OWN, {**PAGES_OWN, "imageId": "x"}, {**PAGES_OWN, "imageId": None}])
@example([{**PAGES_OWN, "assets": [{"type": "geojson", "href": "https://cdn.example/no-query"}]}])
def test_the_usual_way_says_what_the_careful_way_says(listing: list[Any]) -> None:
    """Differential: item by item the same value with the same expiry, or the same refusal."""

    def outcome(read: Callable[[], list[Any]]) -> Any:
        try:
            return [
                made and (made, [a.url.expires for a in made.assets], dict(made.extra))
                for made in read()
            ]
        except OverLimit as found:
            return str(found)

    usual = outcome(lambda: _read_usual(listing, "t", DEFAULT_LIMITS))

    assert usual == outcome(lambda: [_read(item, "t", DEFAULT_LIMITS) for item in listing])


def test_the_pages_own_shape_goes_the_usual_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the law above would compare the careful way with itself."""
    monkeypatch.setattr(wire_derivatives, "_read", lambda *_: pytest.fail("went the careful way"))

    assert len(parse_derivatives([PAGES_OWN, {**PAGES_OWN, "imageId": "i"}], "t")) == 2


def _faults_in(item: Any) -> tuple[Fault, ...]:
    try:
        parse_derivatives([item], "t")
    except WireError as error:
        return error.faults or pytest.fail("An error without a fault explains nothing")
    return ()


@given(JSON)
def test_no_json_breaks_the_readers(raw: Any) -> None:
    """Whatever comes, it is a value or a `WireError`."""
    for read in (parse_task, parse_tasks, parse_task_request):
        with suppress(WireError):
            read(raw)


@given(MOMENTS)
def test_a_moment_is_read_back(moment: datetime) -> None:
    """The law for moments of any offset."""
    assert parse_moment(render_moment(moment)) == moment
    assert parse_moment(moment.isoformat()) == moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-01-01T00:00:00Z", datetime(2025, 1, 1, tzinfo=UTC)),
        ("2025-01-01t00:00:00.5z", datetime(2025, 1, 1, 0, 0, 0, 500_000, UTC)),
        ("2025-01-01 00:00:00.123456789-00:00", datetime(2025, 1, 1, 0, 0, 0, 123_456, UTC)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
        ("2025-01-01T05:30:00+05:30", datetime(2025, 1, 1, tzinfo=UTC)),
    ],
)
def test_every_form_of_rfc_3339_is_read(text: str, moment: datetime) -> None:
    """Small letters, a space, nine fraction digits, a leap second, an unknown offset."""
    assert parse_moment(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "2025-01-01",
        "2025-01-01T00:00:00",
        "2025-13-01T00:00:00Z",
        "2025-01-01T24:00:00Z",
        "2025-01-01T00:00:00+24:00",
        "2025-01-01T00:00:00+05:75",
        "2025-01-01T00:00:00.1234567890Z",
        "٢٠٢٥-01-01T00:00:00Z",
        "9999-12-31T23:59:60Z",
        "2025-01-01T00:00:00Z\n",
        "",
    ],
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    """By a ValueError and nothing else."""
    with pytest.raises(ValueError):  # noqa: PT011 - the sentence is the caller's matter
        parse_moment(text)


def test_a_derivative_is_made_as_its_class_makes_it() -> None:
    """The quick way sets each slot by hand: none may be forgotten, or be another's."""
    item = GOOD_ITEM | {"imageId": "i", "imageReference": "r"}
    (made,) = parse_derivatives([item], "t")
    assets = tuple(Asset(type=asset.type, url=asset.url) for asset in made.assets)
    assert made == Derivative(
        id=item["id"],
        task_id="t",
        product_type=item["derivativeProductType"],
        assets=assets,
        image_reference="r",
        image_id="i",
    )
    assert assets
    assert hash(made.assets[0].url) == hash(assets[0].url)
    values: tuple[Derivative | Asset, ...] = (made, *made.assets)
    for value in values:
        assert all(hasattr(value, attribute.name) for attribute in attrs.fields(type(value)))
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            value.id = "other"  # type: ignore[misc, union-attr]
