"""What can the API answer: hypothesis strategies that several tests share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import evolve
from hypothesis import strategies as st

from iceye_derivatives.models import (
    AcquisitionWindow,
    Asset,
    Availability,
    Derivative,
    SignedUrl,
    Snapshot,
    Task,
    TaskStatus,
    Unreadable,
)

TASK_ID = "7fb95g75-6828-5673-c4gd-3d074g77bgb7"
TYPES = ("DC_AIRCRAFT", "DC_VESSELS", "DC_VEHICLES", "DC_SOMETHING_NEW")
EPOCH = datetime(2027, 1, 15, tzinfo=UTC)


def asset(kind: str = "geojson", serial: int = 0) -> Asset:
    """An asset whose link is signed anew each time, as `serial` says."""
    return Asset(type=kind, url=SignedUrl(f"https://cdn.example/{kind}?Signature=s{serial}"))


def derivative(
    name: str = "a", *kinds: str, product_type: str = "DC_VESSELS", serial: int = 0
) -> Derivative:
    """A derivative with one asset a kind."""
    return Derivative(
        id=name,
        task_id=TASK_ID,
        product_type=product_type,
        assets=tuple(asset(kind, serial) for kind in kinds),
    )


def snapshot(
    *derivatives: Derivative, status: int = 206, unreadable: tuple[Unreadable, ...] = ()
) -> Snapshot:
    """What the endpoint said; 200 counts as complete only where every derivative is ready."""
    if status == 404:
        return Snapshot(task_id=TASK_ID, availability=Availability.NONE)
    ready = derivatives and all(d.is_ready for d in derivatives)
    whole = status == 200 and ready and not unreadable
    return Snapshot(
        task_id=TASK_ID,
        availability=Availability.COMPLETE if whole else Availability.PARTIAL,
        derivatives=derivatives,
        unreadable=unreadable,
        claims_all=status == 200,
    )


def unreadable(
    item: int = 1,
    derivative_id: str | None = None,
    product_type: str | None = None,
    field: str = "assets[0].href",
) -> Unreadable:
    """Something that the listing lacks."""
    return Unreadable(
        item=item,
        field=field,
        problem="is missing",
        derivative_id=derivative_id,
        product_type=product_type,
    )


def task(status: str = TaskStatus.ACTIVE, **changes: Any) -> Task:
    """A task that asked for vessels, with its window a day ahead of `EPOCH`."""
    window = AcquisitionWindow(start=EPOCH + timedelta(days=1), end=EPOCH + timedelta(days=3))
    made = Task(
        id=TASK_ID,
        status=status,
        derivative_product_types=("DC_VESSELS",),
        acquisition_window=window,
    )
    return evolve(made, **changes)


names = st.sampled_from(["a", "b", "c", "7fb95g75", "d/../e", "É"])
faulty = st.lists(
    st.builds(
        unreadable, st.integers(0, 4), st.none() | names, st.none() | st.sampled_from(TYPES[1:])
    ),
    max_size=2,
).map(tuple)
kinds = st.lists(st.sampled_from(["geojson", "geojson", "png", "csv"]), max_size=3)


def json_values(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """What JSON can hold, with texts and names of these."""
    return st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | texts,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
        max_leaves=12,
    )


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """Any answer of the endpoint: growing, shrinking, repeating ids, complete or not."""
    status = draw(st.sampled_from([200, 206, 206, 404]))
    if status == 404:
        return snapshot(status=404)
    listed = draw(st.lists(st.tuples(names, kinds), max_size=5))
    serial = draw(st.integers(0, 10**6))
    # With nothing beside it a look has failed.
    faults = draw(st.just(()) | faulty) if listed else ()
    return snapshot(
        *(derivative(name, *some, serial=serial) for name, some in listed),
        status=status,
        unreadable=faults,
    )
