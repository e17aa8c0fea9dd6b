"""Somebody answers for the API and knows no task: what becomes of those who wait, and who call?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import pytest
from helpers import ALL_TYPES, files_in, good_request

from iceye_derivatives import (
    DerivativeReady,
    DerivativesClient,
    FleetState,
    PollBudgetError,
    PollFailed,
    TaskCreationUncertainError,
    TaskNotFoundError,
    TaskStatusReceived,
    UnexpectedResponseError,
    Watch,
    WatchFailed,
)
from iceye_derivatives.simulator import Simulator

pytestmark = pytest.mark.anyio

HOUR = 3600.0
strangers = pytest.mark.parametrize("stranger", ["html_404", "forgotten_task"])


class Outage:
    """It begins when all of some tasks have been seen, and lasts for `polls` of each."""

    def __init__(self, sim: Simulator, stranger: str, *, tasks: int = 1, polls: int = 20) -> None:
        self._sim, self._stranger = sim, stranger
        self._left, self._strikes = tasks, 2 * polls * tasks  # a poll asks twice
        self.failed = 0
        """Polls that were told of as failed."""

    def hear(self, event: object) -> None:
        """What a watch tells of."""
        self.failed += isinstance(event, PollFailed)
        if isinstance(event, TaskStatusReceived):
            self._left -= 1
            if self._left == 0:
                self._sim.faults.add(self._stranger, times=self._strikes, side="api")


@strangers
async def test_a_watch_outlives_it(
    sim: Simulator, client: DerivativesClient, stranger: str
) -> None:
    task_id = sim.add_task(derivative_product_types=ALL_TYPES)
    outage = Outage(sim, stranger)

    got = [one async for one in client.watch_task(task_id, on_event=outage.hear)]

    assert len(got) == 3
    assert outage.failed >= 20


@strangers
async def test_a_watch_that_was_saved_outlives_it_in_another_process(
    sim: Simulator, client: DerivativesClient, stranger: str
) -> None:
    """It begins anew in the midst of it, and knows by what was saved that the task is there."""
    task_id = sim.add_task(derivative_product_types=ALL_TYPES)
    watch = Watch(task_id)
    with anyio.CancelScope() as scope:
        async for _ in client.watch_task(
            task_id, watch=watch, on_event=lambda _: scope.cancel() if watch.status else None
        ):
            pass
    text = watch.to_json()
    sim.faults.add(stranger, times=40, side="api")

    again = Watch.from_json(text)
    assert len([one async for one in client.watch_task(task_id, watch=again)]) == 3


@strangers
@pytest.mark.parametrize("bulk", [True, False])
async def test_a_fleet_outlives_it(
    sim: Simulator, client: DerivativesClient, stranger: str, bulk: bool
) -> None:
    ids = [sim.add_task(derivative_product_types=ALL_TYPES) for _ in range(20)]
    outage = Outage(sim, stranger, tasks=len(ids))
    events = []

    async with client.watch_tasks(ids, bulk=bulk, heartbeats=True) as fleet:
        async for event in fleet:
            outage.hear(event)
            events.append(event)

    assert [event for event in events if isinstance(event, WatchFailed)] == []
    assert sum(isinstance(event, DerivativeReady) for event in events) == 60
    assert stranger in {request.fault for request in sim.requests}


@strangers
async def test_a_fleet_that_was_saved_outlives_it_in_another_process(
    sim: Simulator, client: DerivativesClient, stranger: str
) -> None:
    ids = [sim.add_task(derivative_product_types=ALL_TYPES) for _ in range(5)]
    async with client.watch_tasks(ids) as fleet:
        seen: set[str] = set()
        while len(seen) < len(ids):
            event = await fleet.receive()
            assert isinstance(event, TaskStatusReceived)
            seen.add(event.task_id)
        text = await fleet.to_json()
    sim.faults.add(stranger, times=200, side="api")

    async with client.watch_tasks(state=FleetState.from_json(text)) as fleet:
        events = [event async for event in fleet]

    assert [event for event in events if isinstance(event, WatchFailed)] == []
    assert sum(isinstance(event, DerivativeReady) for event in events) == 15


@strangers
async def test_a_download_outlives_it(
    sim: Simulator, client: DerivativesClient, stranger: str, tmp_path: Path
) -> None:
    task_id = sim.add_task(derivative_product_types=ALL_TYPES)
    outage = Outage(sim, stranger)

    report = await client.download_task(task_id, tmp_path, on_event=outage.hear)

    report.raise_for_failures()
    assert len(files_in(tmp_path)) == 3


async def test_a_task_that_is_gone_for_good_ends_its_watch(
    sim: Simulator, client: DerivativesClient
) -> None:
    task_id = sim.add_task(derivative_product_types=ALL_TYPES)
    sim.faults.add("forgotten_task", times=None, skip=6)
    begun = sim.clock.time()

    with pytest.raises(TaskNotFoundError, match="does not know it any more, 60 failed polls"):
        async for _ in client.watch_task(task_id):
            pass

    assert sim.clock.time() - begun > HOUR


async def test_a_page_in_place_of_the_api_is_no_word_on_a_task_that_was_never_seen(
    sim: Simulator, client: DerivativesClient
) -> None:
    """A wrong base URL looks like this, too."""
    sim.faults.add("html_404", times=None, side="api")

    with pytest.raises(PollBudgetError, match="check the base URL and any proxy"):
        async for _ in client.watch_task("t", max_failures=5):
            pass


CALLS: dict[str, Callable[[DerivativesClient, str], Awaitable[object]]] = {
    "get_task": lambda client, task_id: client.get_task(task_id),
    "get_scene": lambda client, task_id: client.get_scene(task_id),
    "get_derivatives": lambda client, task_id: client.get_derivatives(task_id),
    "cancel_task": lambda client, task_id: client.cancel_task(task_id),
    "list_tasks": lambda client, _: anext(client.list_tasks()),
}


@pytest.mark.parametrize("call", CALLS)
async def test_a_call_is_made_again_and_fails_as_what_it_is(
    sim: Simulator, client: DerivativesClient, call: str
) -> None:
    task_id = sim.add_task(derivative_product_types=ALL_TYPES)
    sim.faults.add("html_404", times=None, side="api")

    with pytest.raises(UnexpectedResponseError, match=r"answered with 404.*check the base URL"):
        await CALLS[call](client, task_id)

    assert [request.status for request in sim.requests if request.side == "api"] == [404] * 4


async def test_an_order_that_a_gateway_answered_is_not_sent_twice(
    sim: Simulator, client: DerivativesClient
) -> None:
    """Whether it passed the order on before it lost its way, nobody knows."""
    sim.faults.add("html_404", side="api")

    with pytest.raises(TaskCreationUncertainError, match="list your tasks"):
        await client.create_task(good_request(sim))

    assert [r.method for r in sim.requests if r.side == "api"] == ["POST", "GET"]
