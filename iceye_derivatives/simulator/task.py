"""What does a task look like from outside: the Task object of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from iceye_derivatives.simulator.notation import digest, rfc3339

if TYPE_CHECKING:
    from iceye_derivatives.simulator.creation import Order
    from iceye_derivatives.simulator.derivatives import Derivative
    from iceye_derivatives.simulator.plan import Life, TaskPlan

_DEFAULT_DURATION = 10


@frozen(kw_only=True)
class StoredTask:
    """One task as the world keeps it; `number` counts the orders."""

    id: str
    number: int
    order: Order
    plan: TaskPlan
    life: Life
    derivatives: tuple[Derivative, ...]

    @property
    def created_at(self) -> float:
        """The moment of the order in Unix seconds."""
        return self.life.stages[0][0]

    def describe(self, now: float, *, listed: bool = False) -> dict[str, Any]:
        """Render the Task object; in lists it has neither `notifications` nor `deliveries`."""
        since, status = self.life.stage(now)
        start, end = self.order.window
        fields = {
            **self.order.fields,
            "id": self.id,
            "status": status.value,
            "acquisitionWindow": {"start": rfc3339(start), "end": rfc3339(end)},
            "createdAt": rfc3339(self.created_at),
            "updatedAt": rfc3339(since),
        }
        fulfilled_at = self.life.fulfilled_at
        if fulfilled_at is not None and fulfilled_at <= now:
            fields["fulfilledAt"] = rfc3339(fulfilled_at)
        if self.plan.promises is not None:
            fields["productsAvailableInSeconds"] = self.plan.promises
        if not self.plan.echo_types:
            fields.pop("derivativeProductTypes", None)
        if listed:
            fields.pop("notifications", None)
            fields.pop("deliveries", None)
        return fields

    def scene(self, now: float) -> dict[str, Any]:
        """Render the scene as it is planned at `now`, or was taken.

        Its values "move until the scene is taken, then fixed"; `incidenceAngle` is a string, as in
        ICEYE's schema.
        """
        fields = self.order.fields
        duration = fields.get("imagingDuration", _DEFAULT_DURATION)
        start = self._planned_at(now)
        low, high = fields["incidenceAngle"]["min"], fields["incidenceAngle"]["max"]
        angle = low + (high - low) * digest(self.id, "angle", size=1)[0] / 255
        return {
            "imagingTime": {"start": rfc3339(start), "end": rfc3339(start + duration)},
            "duration": duration,
            "lookSide": "RIGHT" if fields["lookSide"] == "ANY" else fields["lookSide"],
            "passDirection": (
                "ASCENDING" if fields["passDirection"] == "ANY" else fields["passDirection"]
            ),
            "incidenceAngle": f"{angle:.2f}",
        }

    def _planned_at(self, now: float) -> float:
        imaged = self._imaged_at()
        opens, closes = self.order.window
        planned = imaged + self.plan.plan_is_off(imaged - now)
        # A plan lies in the window; the truth lies where it was put.
        return imaged if planned == imaged else min(max(planned, opens), closes)

    def _imaged_at(self) -> float:
        fulfilled_at = self.life.fulfilled_at
        # A task that is to fail expects its scene like any other, until it does.
        return (
            self.order.window[0]
            if fulfilled_at is None
            else fulfilled_at - (self.plan.fulfilled_after)
        )
