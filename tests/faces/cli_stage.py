"""What the command line's tests share: a simulator to talk to, and short lives of tasks."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from attrs import frozen

from iceye_derivatives import AssetRef, DerivativeProductType
from iceye_derivatives.simulator import Simulator, TaskPlan

TYPES = tuple(DerivativeProductType)
AT_ONCE = {str(name): 0.0 for name in TYPES}

READY = TaskPlan(
    accepted_after=0.0,
    imaged_after=0.0,
    fulfilled_after=0.0,
    done_after=0.0,
    derivative_delays=AT_ONCE,
)
"""A task that is done, with all its files there, in the moment of its order."""
WAITING = TaskPlan(accepted_after=0.0)
"""A task that waits for its image, for half a day of real time."""


@frozen
class Stage:
    """A simulator that serves in another thread."""

    simulator: Simulator

    def task(self, plan: TaskPlan = READY, **changes: Any) -> str:
        """The id of a new task."""
        return self.simulator.add_task(plan=plan, **changes)

    def secrets(self) -> set[str]:
        """What went over the wire and must not be seen anywhere else."""
        requests = list(self.simulator.requests)
        headers = {r.headers["authorization"] for r in requests if "authorization" in r.headers}
        signatures = {
            value
            for request in requests
            for name, value in parse_qsl(request.query)
            if name in {"Signature", "Policy"}
        }
        words = {header.partition(" ")[2] for header in headers}
        return {self.simulator.client_secret, *words, *signatures}


def ref(number: int, product_type: str = "DC_VESSELS") -> AssetRef:
    """Some asset's identity."""
    return AssetRef(
        task_id="task-1",
        derivative_id=f"derivative-{number}",
        product_type=product_type,
        asset_type="geojson",
    )
