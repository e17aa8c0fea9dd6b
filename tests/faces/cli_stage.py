"""What the command line's tests share: a simulator to talk to, and short lives of tasks."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from attrs import evolve, frozen

from iceye_derivatives import (
    AssetRef,
    Availability,
    Derivative,
    DerivativeProductType,
    DerivativeReady,
    DerivativesUnreadable,
    FileRecord,
    LinkRenewed,
    NetworkError,
    PollFailed,
    SceneReceived,
    SnapshotReceived,
    TaskStatusReceived,
    TransferError,
    TransferFailed,
    TransferFinished,
    TransferProgressed,
    TransferRetrying,
    TransferStarted,
    Unreadable,
    Waiting,
    WatchFailed,
    WatchFinished,
)
from iceye_derivatives.cli.board import Awaited, BoardEvent, Expected, Ordered
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


TASK = "task-1"
BROKEN = NetworkError("It broke.")
WHOLE = FileRecord(
    derivative=Derivative(id="derivative-1", task_id=TASK, product_type="DC_VESSELS", assets=()),
    asset=ref(1),
    path="/x",
    size=7,
    sha256="ab",
)
FAULT = Unreadable(
    item=1,
    field="assets[0].href",
    problem="is not a string",
    derivative_id="derivative-2",
    product_type="DC_AIRCRAFT",
)
NAMELESS = Unreadable(item=2, field="", problem="is not an object")
ONE_OF_EACH: tuple[BoardEvent, ...] = (
    Ordered(task_id=TASK, status="RECEIVED", reference="r", product_types=("DC_VESSELS",)),
    TaskStatusReceived(task_id=TASK, status="ACTIVE"),
    SceneReceived(task_id=TASK, scene=None),
    SnapshotReceived(task_id=TASK, availability=Availability.PARTIAL, ready=1, listed=2, faulty=1),
    DerivativesUnreadable(task_id=TASK, unreadable=(FAULT, NAMELESS)),
    Expected(
        task_id=TASK, missing=(Awaited(product_type="DC_VESSELS"),), unreadable=(FAULT, NAMELESS)
    ),
    Waiting(task_id=TASK, seconds=4.0, until=1_800_000_004.0, reason="it is being made"),
    PollFailed(task_id=TASK, error=BROKEN, failures=3, budget=60),
    DerivativeReady(task_id=TASK, derivative=WHOLE.derivative),
    WatchFinished(task_id=TASK, delivered=1),
    WatchFailed(task_id=TASK, error=BROKEN),
    TransferStarted(asset=ref(1), path="/x", total=7),
    TransferProgressed(asset=ref(1), received=3, total=7),
    TransferRetrying(asset=ref(1), error=BROKEN, seconds=1.0),
    LinkRenewed(asset=ref(1)),
    TransferFinished(record=WHOLE),
    TransferFailed(
        record=evolve(WHOLE, path=None, sha256=None, error=TransferError("No.", asset=ref(1)))
    ),
)
"""Every kind of event that a screen is handed."""
