"""What is true at ICEYE at a given moment: contract, tasks, derivatives and their files.

Pure: no clock, no network. `now` (Unix seconds) is always an argument, and two worlds with one
seed that are asked the same are the same.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import md5
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from iceye_derivatives.simulator.contract import DERIVATIVE_TYPES, Contract
from iceye_derivatives.simulator.creation import Order, checked, with_defaults
from iceye_derivatives.simulator.derivatives import Asset, Derivative, planned_derivatives
from iceye_derivatives.simulator.detections import Subject, render
from iceye_derivatives.simulator.listing import page
from iceye_derivatives.simulator.notation import new_uuid, rfc3339
from iceye_derivatives.simulator.plan import Life, Status, TaskPlan
from iceye_derivatives.simulator.problems import ProblemError
from iceye_derivatives.simulator.task import StoredTask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_LOST = (Status.REJECTED, Status.FAILED, Status.CANCELED)
_CANCELABLE = (Status.RECEIVED, Status.ACTIVE)
_PICTURED = (Status.ACTIVE, Status.FULFILLED, Status.DONE)
_FILES_KEPT = 32


@frozen(kw_only=True)
class StoredFile:
    """One file at the CDN: its bytes, its strong ETag, its last change in Unix seconds."""

    body: bytes
    etag: str
    modified_at: float
    type: str


class World:
    """ICEYE's side of everything.

    Args:
        seed: What all ids and detections follow from.
        plan: The fate of tasks that are ordered through the API.
        detections: How many detections a file holds.
        contract: The one contract there is.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        plan: TaskPlan | None = None,
        detections: int = 40,
        contract: Contract | None = None,
    ) -> None:
        self.seed = seed
        self.plan = plan or TaskPlan()
        self.detections = detections
        self.contract = contract or Contract()
        self._tasks: dict[str, StoredTask] = {}
        self._paths: dict[str, tuple[str, Derivative, Asset]] = {}
        self._files: OrderedDict[str, StoredFile] = OrderedDict()
        self._last_pages = 0
        self.listeners: list[Callable[[], None]] = []
        """Called when a task has come in or was cancelled."""

    # -- tasks ---------------------------------------------------------------------------------

    def create_task(self, body: object, *, now: float) -> dict[str, Any]:
        """Carry out createTask.

        Raises:
            ProblemError: 400, with the first rule that the body breaks.
        """
        order = checked(body, contract=self.contract, now=now)
        if self.available_funds(now) < self.contract.price:
            raise ProblemError(
                400, "the price exceeds the available funds", code="ERR_INSUFFICIENT_FUNDS"
            )
        return self._store(order, self.plan, now=now).describe(now)

    def add_task(
        self,
        *,
        now: float,
        plan: TaskPlan | None = None,
        derivative_product_types: Iterable[str] = DERIVATIVE_TYPES,
        **fields: Any,  # noqa: ANN401 (createTask's own fields, checked by it)
    ) -> str:
        """Put in a task as if it had been ordered at `now`; no rule is applied to it.

        Args:
            now: The moment of the order.
            plan: The task's fate; the world's own if None.
            derivative_product_types: What it was ordered with; may be empty.
            **fields: createTask's fields by their API names, in place of the defaults.

        Returns:
            The task's id.
        """
        day = 86_400.0
        defaults = {
            "contractID": self.contract.id,
            "pointOfInterest": {"lat": 51.9561, "lon": 4.0312},
            "acquisitionWindow": {"start": rfc3339(now + day / 2), "end": rfc3339(now + 2 * day)},
            "imagingMode": "SPOTLIGHT_FINE",
            "productTypes": ["GRD"],
        }
        types = tuple(derivative_product_types)
        wanted = {"derivativeProductTypes": list(types)} if types else {}
        order = with_defaults({**defaults, **wanted, **fields}, self.contract)
        return self._store(order, plan or self.plan, now=now).id

    def get_task(self, task_id: str, *, now: float) -> dict[str, Any]:
        """Carry out getTask; 404 for an unknown id."""
        return self._task(task_id).describe(now)

    def list_tasks(self, parameters: Mapping[str, str], *, now: float) -> dict[str, Any]:
        """Carry out listTasks, newest first; 400 for a limit, moment or cursor that is none."""
        tasks, cursor = page(self._tasks.values(), parameters)
        data = [task.describe(now, listed=True) for task in tasks]
        if cursor:
            return {"data": data, "cursor": cursor}
        # One page of ICEYE's docs says that the last page has no cursor, another shows "".
        self._last_pages += 1
        return {"data": data, "cursor": ""} if self._last_pages % 2 else {"data": data}

    def cancel_task(self, task_id: str, body: object, *, now: float) -> dict[str, Any]:
        """Carry out cancelTask; 409 unless the task is RECEIVED or ACTIVE."""
        task = self._task(task_id)
        if body != {"status": Status.CANCELED.value}:
            raise ProblemError(400, 'the body must be {"status": "CANCELED"}')
        if (status := task.life.status(now)) not in _CANCELABLE:
            raise ProblemError(409, f"a task that is {status} cannot be canceled")
        canceled = evolve(task, life=task.life.canceled(now), derivatives=())
        self._tasks[task_id] = canceled
        self._tell()
        return canceled.describe(now)

    def scene(self, task_id: str, *, now: float) -> dict[str, Any]:
        """Carry out getTaskScene; 404 unless the task is ACTIVE, FULFILLED or DONE."""
        task = self._task(task_id)
        if task.life.status(now) not in _PICTURED:
            raise ProblemError(404, "the task has no scene")
        return task.scene(now)

    def available_funds(self, now: float) -> int:
        """Give what the contract may still spend, in minor units of its currency."""
        paid = sum(task.life.status(now) not in _LOST for task in self._tasks.values())
        return self.contract.spend_limit - paid * self.contract.price

    def stages(self) -> dict[str, tuple[tuple[float, Status], ...]]:
        """Give, for each task, when which status comes."""
        return {task.id: task.life.stages for task in self._tasks.values()}

    # -- derivatives ---------------------------------------------------------------------------

    def derivatives(self, task_id: str, *, now: float) -> tuple[Derivative, ...]:
        """Give a task's derivatives as soon as one of them has an asset.

        Raises:
            ProblemError: 404 with one code for all three causes of the page: "Task not found, no
                derivatives were requested for this task, or no derivative products are available
                yet".
        """
        task = self._tasks.get(task_id)
        if task is None or not any(each.ready_at <= now for each in task.derivatives):
            raise ProblemError(404, "no derivative products were found for the task")
        return task.derivatives

    def ready_times(self, task_id: str) -> dict[str, float]:
        """Give, for each derivative id, the Unix seconds when its first asset becomes listed."""
        return {each.id: each.ready_at for each in self._task(task_id).derivatives}

    def file(self, path: str, *, now: float) -> StoredFile | None:
        """Give the file that the CDN keeps at `path`; None before it is made."""
        if path not in self._paths or self._paths[path][2].ready_at > now:
            return None
        if path not in self._files:
            self._files[path] = self._render(*self._paths[path])
        self._files.move_to_end(path)
        while len(self._files) > _FILES_KEPT:
            self._files.popitem(last=False)
        return self._files[path]

    # -- inside --------------------------------------------------------------------------------

    def _task(self, task_id: str) -> StoredTask:
        if task_id not in self._tasks:
            raise ProblemError(404, "the task was not found")
        return self._tasks[task_id]

    def _store(self, order: Order, plan: TaskPlan, *, now: float) -> StoredTask:
        number = len(self._tasks)
        task_id = new_uuid(self.seed, "task", number)
        life = Life.planned(plan, created_at=now, window_start=order.window[0])
        derivatives: tuple[Derivative, ...] = ()
        if (fulfilled_at := life.fulfilled_at) is not None:
            derivatives = planned_derivatives(
                task_id, order.derivative_types, plan=plan, fulfilled_at=fulfilled_at
            )
        task = StoredTask(
            id=task_id, number=number, order=order, plan=plan, life=life, derivatives=derivatives
        )
        self._tasks[task_id] = task
        for derivative in derivatives:
            for asset in derivative.assets:
                self._paths[asset.path] = (task_id, derivative, asset)
        self._tell()
        return task

    def _tell(self) -> None:
        for listener in tuple(self.listeners):
            listener()

    def _render(self, task_id: str, derivative: Derivative, asset: Asset) -> StoredFile:
        task = self._tasks[task_id]
        point = task.order.fields["pointOfInterest"]
        count = self.detections if task.plan.detections is None else task.plan.detections
        body = render(
            Subject(
                seed=f"{self.seed}/{task_id}/{derivative.product_type}",
                product_type=derivative.product_type,
                lat=point["lat"],
                lon=point["lon"],
                count=count,
            ),
            asset.type,
        )
        etag = f'"{md5(body, usedforsecurity=False).hexdigest()}"'
        return StoredFile(body=body, etag=etag, modified_at=asset.ready_at, type=asset.type)
