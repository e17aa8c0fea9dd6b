"""What is to become of a task: its life from order to last derivative, laid down beforehand."""

from __future__ import annotations

from bisect import bisect_right
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from attrs import Factory, field, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping


class Status(StrEnum):
    """The status of a task; CANCELED has one L."""

    RECEIVED = "RECEIVED"
    ACTIVE = "ACTIVE"
    FULFILLED = "FULFILLED"
    DONE = "DONE"
    REJECTED = "REJECTED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


def _default_delays() -> dict[str, float]:
    return {"DC_VESSELS": 1200.0, "DC_VEHICLES": 1800.0, "DC_AIRCRAFT": 2700.0}


@frozen(kw_only=True)
class TaskPlan:
    """One task's fate; all durations in seconds.

    Attributes:
        accepted_after: From creation to ACTIVE, or to REJECTED.
        imaged_after: From creation to the image; None takes `imaged_into_window` instead.
        imaged_into_window: From the acquisition window's start to the image.
        fulfilled_after: From the image to FULFILLED.
        done_after: From FULFILLED to DONE; 0 goes from ACTIVE straight to DONE.
        derivative_delays: From FULFILLED to the first asset, for each derivative type; `math.inf`
            never comes, so that 206 lasts for ever. A type that is not named takes 1800.
        outcome: DONE, or how the task ends otherwise.
        failed_after: From creation to FAILED; None fails at the moment of the image.
        extra_assets: A further asset of a derivative: for its type, the asset's type and the
            seconds from the first asset to this one.
        omit_image_reference: Leave `imageReference` out, as in the page's example of a 206.
        image_id: The optional `imageId` of all the derivatives.
        opaque_ids: Give derivatives ids that are no UUIDs, like the page's second example.
        echo_types: Whether getTask names the derivative types that were ordered.
        detections: How many detections each file holds; None takes the simulator's number.
        scene_moves: How the planned image differs from the true one, while it is not taken: pairs
            of the seconds before the image from which on a plan stands, and the seconds by which it
            is off (below 0: too early). Before the first of them the first plan stands.
        promises: What the task says of `productsAvailableInSeconds`; None leaves it out.
    """

    accepted_after: float = 120.0
    imaged_after: float | None = None
    imaged_into_window: float = 3600.0
    fulfilled_after: float = 600.0
    done_after: float = 300.0
    derivative_delays: Mapping[str, float] = Factory(_default_delays)
    outcome: Literal["DONE", "REJECTED", "FAILED"] = "DONE"
    failed_after: float | None = None
    extra_assets: Mapping[str, tuple[str, float]] = field(factory=dict)
    omit_image_reference: bool = False
    image_id: str | None = None
    opaque_ids: bool = True
    echo_types: bool = True
    detections: int | None = None
    scene_moves: tuple[tuple[float, float], ...] = ()
    promises: int | None = None

    @classmethod
    def quick(cls, *, imaged_after: float | None = None) -> TaskPlan:
        """Give a life for watching: minutes instead of hours once the window has opened.

        Without `imaged_after` the image is taken at the window's start, half a day or more ahead:
        such a plan wants a clock that runs fast.
        """
        return cls(
            accepted_after=20.0,
            imaged_after=imaged_after,
            imaged_into_window=0.0,
            fulfilled_after=60.0,
            done_after=60.0,
            derivative_delays={"DC_VESSELS": 60.0, "DC_VEHICLES": 150.0, "DC_AIRCRAFT": 300.0},
        )

    def plan_is_off(self, left: float) -> float:
        """Give the seconds by which the plan is off, `left` seconds before the image."""
        moves = sorted(self.scene_moves, reverse=True)
        if left <= 0 or not moves:
            return 0.0
        made = [off for before, off in moves if left <= before]
        return made[-1] if made else moves[0][1]

    def delay(self, product_type: str) -> float:
        """Give the seconds from FULFILLED to this derivative's first asset."""
        return self.derivative_delays.get(product_type, 1800.0)


@frozen
class Life:
    """Which status a task has at any moment: (moment, status) in the order they come.

    A status is never left for an earlier one: `status` is a step function over a sorted tuple,
    so that the law holds by construction.
    """

    stages: tuple[tuple[float, Status], ...]

    @classmethod
    def planned(cls, plan: TaskPlan, *, created_at: float, window_start: float) -> Life:
        """Lay a plan out on the clock, for a task created at `created_at` (Unix seconds)."""
        accepted = created_at + plan.accepted_after
        stages = [(created_at, Status.RECEIVED)]
        if plan.outcome == "REJECTED":
            return cls((*stages, (accepted, Status.REJECTED)))
        stages.append((accepted, Status.ACTIVE))
        imaged = max(accepted, _imaged_at(plan, created_at, window_start))
        if plan.outcome == "FAILED":
            failed = imaged if plan.failed_after is None else created_at + plan.failed_after
            return cls((*stages, (max(accepted, failed), Status.FAILED)))
        fulfilled = imaged + plan.fulfilled_after
        if plan.done_after > 0:
            stages.append((fulfilled, Status.FULFILLED))
        return cls((*stages, (fulfilled + plan.done_after, Status.DONE)))

    def stage(self, now: float) -> tuple[float, Status]:
        """Give the status at `now` and the moment since which it holds."""
        place = bisect_right(self.stages, now, key=lambda stage: stage[0])
        return self.stages[max(place - 1, 0)]

    def status(self, now: float) -> Status:
        """Give the status at `now`."""
        return self.stage(now)[1]

    def canceled(self, now: float) -> Life:
        """Give the life that ends here: what was still to come does not."""
        lived = [stage for stage in self.stages if stage[0] <= now]
        return Life((*lived, (now, Status.CANCELED)))

    @property
    def fulfilled_at(self) -> float | None:
        """The moment when products can be had; None when there will be none."""
        good = (Status.FULFILLED, Status.DONE)
        return next((moment for moment, status in self.stages if status in good), None)


def _imaged_at(plan: TaskPlan, created_at: float, window_start: float) -> float:
    if plan.imaged_after is None:
        return window_start + plan.imaged_into_window
    return created_at + plan.imaged_after
