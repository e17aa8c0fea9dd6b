"""Which derivatives will a task have, and when: all of it fixed at the order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from iceye_derivatives.simulator.notation import new_uuid, opaque_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iceye_derivatives.simulator.plan import TaskPlan

_STEMS = {
    "DC_AIRCRAFT": "aircraft-detections",
    "DC_VESSELS": "vessel-detections",
    "DC_VEHICLES": "vehicle-detections",
}


@frozen(kw_only=True)
class Asset:
    """One file of a derivative.

    Attributes:
        type: The asset's type, "geojson" for detections.
        path: Where the CDN keeps it.
        ready_at: Since when it is listed, in Unix seconds.
    """

    type: str
    path: str
    ready_at: float


@frozen(kw_only=True)
class Derivative:
    """One derivative of a task, whether its files exist yet or not."""

    id: str
    product_type: str
    assets: tuple[Asset, ...]
    image_reference: str | None
    image_id: str | None

    @property
    def ready_at(self) -> float:
        """When its first asset is listed, in Unix seconds."""
        return min(asset.ready_at for asset in self.assets)

    def ready_assets(self, now: float) -> tuple[Asset, ...]:
        """Give the assets that are listed at `now`."""
        return tuple(asset for asset in self.assets if asset.ready_at <= now)


def planned_derivatives(
    task_id: str, types: tuple[str, ...], *, plan: TaskPlan, fulfilled_at: float
) -> tuple[Derivative, ...]:
    """Lay out the derivatives of a task that will be fulfilled at `fulfilled_at`."""
    name = opaque_id if plan.opaque_ids else new_uuid
    reference = None if plan.omit_image_reference else new_uuid(task_id, "image")
    return tuple(
        Derivative(
            id=name(task_id, "derivative", product_type),
            product_type=product_type,
            assets=tuple(_assets(task_id, product_type, plan, fulfilled_at)),
            image_reference=reference,
            image_id=plan.image_id,
        )
        for product_type in types
    )


def _assets(
    task_id: str, product_type: str, plan: TaskPlan, fulfilled_at: float
) -> Iterator[Asset]:
    folder = new_uuid(task_id, "folder", product_type)
    stem = f"/{folder}/{_STEMS.get(product_type, product_type.lower())}"
    ready_at = fulfilled_at + plan.delay(product_type)
    yield Asset(type="geojson", path=f"{stem}.geojson", ready_at=ready_at)
    if product_type in plan.extra_assets:
        kind, later = plan.extra_assets[product_type]
        yield Asset(type=kind, path=f"{stem}-2.{kind}", ready_at=ready_at + later)
