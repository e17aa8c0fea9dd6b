"""When does ICEYE call back: a POST to a registered URL at each change of a task's status.

The docs say no more than that: not what the body holds, nor whether a callback is repeated. So the
body here is a guess, and what may happen to a callback on its way can be chosen.
"""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Literal, Self

import anyio
from attrs import define, field, frozen

if TYPE_CHECKING:
    from types import TracebackType

    from anyio.abc import TaskGroup

    from iceye_derivatives.simulator.server import Simulator

Body = Literal["json", "garbage", "huge"]


@frozen(kw_only=True)
class Travel:
    """What happens to callbacks on their way.

    Args:
        lost: Each n-th is not sent; 1 loses all, 0 none.
        doubled: Each is sent twice.
        late: Seconds after the change.
        body: What it holds: the id of the task, no JSON at all, or a megabyte.
    """

    lost: int = 0
    doubled: bool = False
    late: float = 0.0
    body: Body = "json"


@define
class Callbacks:
    """Calls a URL for as long as the context is open; what it answers is kept in `answers`.

    Args:
        simulator: Whose tasks are told of.
        url: Where to.
        authorization: The header of that name, e.g. ``Basic …``.
        travel: What may go wrong.
    """

    simulator: Simulator
    url: str
    authorization: str = ""
    travel: Travel = field(factory=Travel)
    answers: list[int] = field(factory=list)
    _told: set[tuple[str, float]] = field(factory=set)
    _numbers: count[int] = field(factory=lambda: count(1))
    _group: TaskGroup | None = None
    _sleep: anyio.CancelScope | None = None

    async def __aenter__(self) -> Self:
        """Begin to call; what has happened before is not told."""
        now = self.simulator.clock.time()
        self._told = {change for change in self._changes() if change[1] <= now}
        self.simulator.world.listeners.append(self._recount)
        self._group = await anyio.create_task_group().__aenter__()
        self._group.start_soon(self._run)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Call no more."""
        self.simulator.world.listeners.remove(self._recount)
        if self._group is not None:
            self._group.cancel_scope.cancel()
            await self._group.__aexit__(exc_type, exc, traceback)

    def _changes(self) -> list[tuple[str, float]]:
        return [
            (task_id, moment + self.travel.late)
            for task_id, stages in self.simulator.world.stages().items()
            for moment, _ in stages[1:]
        ]

    def _recount(self) -> None:
        if self._sleep is not None:
            self._sleep.cancel()

    async def _run(self) -> None:
        clock = self.simulator.clock
        while True:
            coming = [change for change in self._changes() if change not in self._told]
            soonest = min((moment for _, moment in coming), default=float("inf"))
            with anyio.CancelScope() as self._sleep:
                await clock.sleep(soonest - clock.time())
            for task_id, moment in coming:
                if moment <= clock.time():
                    self._told.add((task_id, moment))
                    # Nothing else happens meanwhile, as far as the clock can see.
                    with clock.hold():
                        await self._call(task_id)

    async def _call(self, task_id: str) -> None:
        if self.travel.lost and next(self._numbers) % self.travel.lost == 0:
            return
        for _ in range(2 if self.travel.doubled else 1):
            await self._post(self._body(task_id))

    def _body(self, task_id: str) -> bytes:
        if self.travel.body == "garbage":
            return b"\xff{" + task_id.encode()
        task = self.simulator.world.get_task(task_id, now=self.simulator.clock.time())
        told = {"event": "task.status", "data": {"taskID": task_id, "status": task["status"]}}
        if self.travel.body == "huge":
            told["padding"] = {"text": "x" * 1_000_000}
        return json.dumps(told).encode()

    async def _post(self, body: bytes) -> None:
        import aiohttp  # noqa: PLC0415 (importing the simulator must not import aiohttp)

        headers = {"Content-Type": "application/json", "Authorization": self.authorization}
        with suppress(aiohttp.ClientError):
            async with (
                aiohttp.ClientSession() as session,
                session.post(self.url, data=body, headers=headers) as answer,
            ):
                self.answers.append(answer.status)
