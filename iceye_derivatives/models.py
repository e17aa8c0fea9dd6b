"""What is spoken of: tasks, derivatives and assets, as frozen values.

Every choice that ICEYE may extend (product types, imaging modes, statuses, asset types) is a plain
``str`` here and the enums below only name the values known today.  An unknown value is data, never
an error: ``derivative.product_type == DerivativeProductType.VESSELS`` is true for the plain string
too, because a `StrEnum` member *is* its string.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from attrs import field, frozen

from iceye_derivatives._visible import visible
from iceye_derivatives.links import SignedUrl

__all__ = [
    "AcquisitionWindow",
    "Asset",
    "AssetRef",
    "Availability",
    "Delivery",
    "DeliveryLocation",
    "Derivative",
    "DerivativeProductType",
    "ImagingMode",
    "ImagingTime",
    "IncidenceAngle",
    "PointOfInterest",
    "Scene",
    "SignedUrl",
    "Snapshot",
    "Task",
    "TaskRequest",
    "TaskStatus",
    "Unreadable",
]


class Extra(Mapping[str, Any]):
    """Fields of an answer that this version does not know: read-only, as they came.

    They may hold signed links under names that nobody can foresee.  So `repr()` gives the names
    alone, and a pickle leaves the fields out (a mapping proxy would not pickle at all).
    """

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, Any] | None = None) -> None:
        self._fields = dict(fields or {})

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - JSON of unknown shape
        return self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"<Extra: {', '.join(self._fields) or 'nothing'}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return Extra, ()


NO_EXTRA: Mapping[str, Any] = Extra()


class DerivativeProductType(StrEnum):
    """The Detect & Classify products that ICEYE's page names."""

    AIRCRAFT = "DC_AIRCRAFT"
    VEHICLES = "DC_VEHICLES"
    VESSELS = "DC_VESSELS"


class ImagingMode(StrEnum):
    """The five modes of which the page says: "Derivatives are only available for" these."""

    SPOTLIGHT = "SPOTLIGHT"
    SPOTLIGHT_EXTENDED_DWELL = "SPOTLIGHT_EXTENDED_DWELL"
    SPOTLIGHT_EXTENDED_DWELL_FINE = "SPOTLIGHT_EXTENDED_DWELL_FINE"
    SPOTLIGHT_FINE = "SPOTLIGHT_FINE"
    SPOTLIGHT_FINE_1L = "SPOTLIGHT_FINE_1L"


class TaskStatus(StrEnum):
    """The life cycle of a task; ``CANCELED`` has one L, as in the API."""

    RECEIVED = "RECEIVED"
    ACTIVE = "ACTIVE"
    FULFILLED = "FULFILLED"
    DONE = "DONE"
    REJECTED = "REJECTED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


class Availability(StrEnum):
    """What one look at the derivatives endpoint said.

    ``COMPLETE`` needs more than the status 200: each listed derivative must have assets, and there
    must be at least one.  A 200 that still lists ``"assets": []`` is ``PARTIAL``.
    """

    NONE = "NONE"
    PARTIAL = "PARTIAL"
    COMPLETE = "COMPLETE"


@frozen(kw_only=True)
class Asset:
    """One downloadable file of a derivative."""

    type: str
    """File format, "typically" ``geojson`` (the page's word), so others may come."""
    url: SignedUrl
    ordinal: int | None = None
    """Which of its type it is, where others of the derivative could not be read or were joined to
    it; None is as they are counted, see `AssetRef.ordinal`."""


@frozen(kw_only=True, cache_hash=True)
class AssetRef:
    """Which asset is meant, without its URL: the identity that outlives every renewal."""

    task_id: str
    derivative_id: str
    product_type: str
    asset_type: str
    ordinal: int = 1
    """1 for the first asset of its type in a derivative, 2 for the second, and so on."""


@frozen(kw_only=True)
class Derivative:
    """One derivative of a task: the output of one detection model on one image."""

    id: str
    """Opaque: the page's own second example is not a valid UUID."""
    task_id: str
    product_type: str
    """``DC_AIRCRAFT``, ``DC_VESSELS``, ``DC_VEHICLES``, or whatever comes later."""
    assets: tuple[Asset, ...] = ()
    """Empty while the derivative "is still being processed"."""
    image_reference: str | None = None
    """The id of the image that it was made of; may be absent while it is still being processed."""
    image_id: str | None = None
    """Another identifier of the same image, where ICEYE gives one."""
    is_update: bool = False
    """True when a watch hands it out again because further assets of it appeared."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, eq=False, repr=False)
    """Fields of the answer that this version does not know, as they came."""

    @property
    def is_ready(self) -> bool:
        """Whether any asset can be downloaded."""
        return bool(self.assets)

    def asset_refs(self) -> tuple[AssetRef, ...]:
        """The identity of each asset, in the order of `assets`."""
        count: dict[str, int] = {}
        refs = []
        for asset in self.assets:
            count[asset.type] = asset.ordinal or count.get(asset.type, 0) + 1
            refs.append(
                AssetRef(
                    task_id=self.task_id,
                    derivative_id=self.id,
                    product_type=self.product_type,
                    asset_type=asset.type,
                    ordinal=count[asset.type],
                )
            )
        return tuple(refs)


@frozen(kw_only=True)
class Unreadable:
    """One thing in a listing that cannot be read, so that what it belongs to was not handed out.

    All of it is safe to show: no value of the listing stands in it but the two names, and these
    without anything that looks like a signature.
    """

    item: int
    """Which one of the listing, over all its pages: 0 is the first."""
    field: str
    """Where in the item, by its JSON path, e.g. ``assets[0].href``; empty for the item itself."""
    problem: str
    """What is wrong there, e.g. "is not a string"."""
    derivative_id: str | None = None
    """The item's id, where that can be read."""
    product_type: str | None = None
    """The item's type, where that can be read."""

    @property
    def path(self) -> str:
        """Where in the answer, e.g. ``data[1].assets[0].href``."""
        return f"data[{self.item}]{'.' if self.field else ''}{self.field}"

    def __str__(self) -> str:
        known = " ".join(filter(None, (self.product_type, self.derivative_id)))
        return f"{self.path} {f'({visible(known)}) ' if known else ''}{self.problem}"


@frozen(kw_only=True)
class Snapshot:
    """What one look at a task's derivatives showed."""

    task_id: str
    availability: Availability
    derivatives: tuple[Derivative, ...] = ()
    """What could be read; of a derivative with several assets, those that could."""
    unreadable: tuple[Unreadable, ...] = ()
    """What could not be; with any of it the answer is never ``COMPLETE``."""
    claims_all: bool = False
    """Whether the API answered 200, "All requested derivatives have products available", whatever
    the listing shows."""
    server_time: float | None = None
    """Unix seconds of the answer's ``Date``: how the API's clock stands to ours."""
    retry_after: float | None = None
    """Seconds that the API asked to wait before the next look, where it did."""


@frozen(kw_only=True)
class PointOfInterest:
    """Where the image is centred: degrees, WGS 84."""

    lat: float
    lon: float


@frozen(kw_only=True)
class AcquisitionWindow:
    """When the image may be taken: two moments with a UTC offset."""

    start: datetime
    end: datetime


@frozen(kw_only=True)
class IncidenceAngle:
    """Allowed incidence angles: whole degrees, 10 to 45."""

    min: int
    max: int


@frozen(kw_only=True)
class DeliveryLocation:
    """One place that products are delivered to, by a configuration made with ICEYE."""

    config_id: str
    path: str
    sub_path: str | None = None


@frozen(kw_only=True)
class Delivery:
    """One delivery of a task's products (derivatives are not known to be delivered)."""

    locations: tuple[DeliveryLocation, ...]


def _as_tuple(names: Iterable[str] | None) -> tuple[str, ...] | None:
    # A lone string is an iterable of letters, which nobody means: it is kept as one name.
    return (names,) if isinstance(names, str) else None if names is None else tuple(names)


@frozen(kw_only=True)
class TaskRequest:
    """All that ``POST /tasks`` takes; what is None is left out, and the contract's default holds.

    Example:
        >>> from datetime import UTC, datetime, timedelta
        >>> start = datetime.now(UTC) + timedelta(days=1)
        >>> request = TaskRequest(
        ...     contract_id="1a2b3c4d-0000-4000-8000-000000000000",
        ...     point_of_interest=PointOfInterest(lat=60.15, lon=24.95),
        ...     acquisition_window=AcquisitionWindow(start=start, end=start + timedelta(days=2)),
        ...     imaging_mode=ImagingMode.SPOTLIGHT_FINE,
        ...     product_types=("GRD",),
        ...     derivative_product_types=(DerivativeProductType.VESSELS,),
        ... )
    """

    contract_id: str
    """Whose contract pays, and says what may be ordered."""
    point_of_interest: PointOfInterest
    acquisition_window: AcquisitionWindow
    imaging_mode: str
    """One that the contract allows: an `ImagingMode`, or another one as text."""
    product_types: tuple[str, ...] | None = field(default=None, converter=_as_tuple)
    """E.g. ``("GRD",)``; any iterable of names is taken."""
    derivative_product_types: tuple[str, ...] | None = field(default=None, converter=_as_tuple)
    """Which models are to look at the image, e.g. ``("DC_VESSELS",)``; None orders none."""
    exclusivity: str | None = None
    """``PRIVATE`` or ``PUBLIC``."""
    priority: str | None = None
    """``COMMERCIAL`` or ``BACKGROUND``."""
    sla: str | None = None
    """How soon after imaging products are due, of the contract's, e.g. ``SLA_8H``."""
    eula: str | None = None
    """``STANDARD``, ``GOVERNMENT`` or ``MULTI``."""
    incidence_angle: IncidenceAngle | None = None
    look_side: str | None = None
    """``LEFT``, ``RIGHT`` or ``ANY``."""
    pass_direction: str | None = None
    """``ASCENDING``, ``DESCENDING`` or ``ANY``."""
    reference: str | None = None
    """Your own name for the task, at most 256 characters: what a lost answer is looked up by."""
    imaging_duration: int | None = None
    """Seconds, 1 to 180."""
    webhook_id: str | None = None
    """A registered webhook that ICEYE calls when the task's status changes."""
    deliveries: tuple[Delivery, ...] | None = None
    """Where else products are delivered."""


@frozen(kw_only=True)
class Task:
    """A task as the API tells it: any field but `id` and `status` may be absent, and is None then.

    What they mean is said at `TaskRequest`, of which most are the echo.
    """

    id: str
    status: str
    """A `TaskStatus`, or a later one as text."""
    contract_id: str | None = None
    point_of_interest: PointOfInterest | None = None
    acquisition_window: AcquisitionWindow | None = None
    imaging_mode: str | None = None
    product_types: tuple[str, ...] | None = None
    derivative_product_types: tuple[str, ...] | None = None
    """None where the answer does not hold the field, which is not the same as an empty list."""
    created_at: datetime | None = None
    """With a UTC offset, as all moments here."""
    updated_at: datetime | None = None
    fulfilled_at: datetime | None = None
    """When the first product became available."""
    exclusivity: str | None = None
    priority: str | None = None
    sla: str | None = None
    eula: str | None = None
    incidence_angle: IncidenceAngle | None = None
    look_side: str | None = None
    pass_direction: str | None = None
    reference: str | None = None
    imaging_duration: int | None = None
    products_available_in_seconds: int | None = None
    """How long after imaging products are due."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, eq=False, repr=False)
    """Fields of the answer that this version does not know, as they came."""


@frozen(kw_only=True)
class ImagingTime:
    """When the image is taken: two moments with a UTC offset, seconds apart."""

    start: datetime
    end: datetime


@frozen(kw_only=True)
class Scene:
    """How and when a task's image is planned to be taken; its values move until it is."""

    imaging_time: ImagingTime
    duration: int | None = None
    """Seconds."""
    look_side: str | None = None
    """``LEFT`` or ``RIGHT``."""
    pass_direction: str | None = None
    """``ASCENDING`` or ``DESCENDING``."""
    incidence_angle: str | None = None
    """Degrees; a string in ICEYE's schema, and a number that comes instead is written as one."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, eq=False, repr=False)
    """Fields of the answer that this version does not know, as they came."""
