"""Is each row of "reading the three answers" read as the design says, over the wire?"""

from __future__ import annotations

import math

import anyio
import pytest
from anyio.lowlevel import checkpoint
from helpers import ALL_TYPES

from iceye_derivatives import (
    AuthenticationError,
    Availability,
    ClientCredentials,
    DerivativesClient,
    NoDerivativesRequestedError,
    PermissionDeniedError,
    PollBudgetError,
    RateLimitedError,
    StaticToken,
    TaskEndedError,
    TaskNotFoundError,
    WatchTimeoutError,
)
from iceye_derivatives.simulator import Simulator, TaskPlan

pytestmark = pytest.mark.anyio


async def watched(client: DerivativesClient, task_id: str, **settings: float) -> list[str]:
    return [one.product_type async for one in client.watch_task(task_id, **settings)]  # type: ignore[arg-type]


async def test_one_look_never_raises_for_the_three_answers(
    sim: Simulator, client: DerivativesClient
) -> None:
    plan = TaskPlan(
        imaged_after=0,
        accepted_after=0,
        fulfilled_after=0,
        derivative_delays={"DC_VESSELS": 100, "DC_AIRCRAFT": 200},
    )
    task_id = sim.add_task(plan=plan, derivative_product_types=("DC_VESSELS", "DC_AIRCRAFT"))
    seen = []
    for _ in range(3):
        seen.append((await client.get_derivatives(task_id)).availability)
        await sim.clock.sleep(101)

    assert seen == [Availability.NONE, Availability.PARTIAL, Availability.COMPLETE]
    assert (await client.get_derivatives("no-such-task")).availability is Availability.NONE


async def test_404_for_an_unknown_task(sim: Simulator, client: DerivativesClient) -> None:
    with pytest.raises(TaskNotFoundError, match="no-such-task"):
        await watched(client, "no-such-task")


async def test_404_for_a_task_that_asked_for_none(
    sim: Simulator, client: DerivativesClient
) -> None:
    task_id = sim.add_task(derivative_product_types=())

    with pytest.raises(NoDerivativesRequestedError, match="derivativeProductTypes"):
        await watched(client, task_id)


@pytest.mark.parametrize("outcome", ["REJECTED", "FAILED"])
async def test_404_for_a_task_that_ended(
    sim: Simulator, client: DerivativesClient, outcome: str
) -> None:
    """Trap (hyp3-sdk, failed jobs): a failed job counts as complete and is not raised."""
    plan = TaskPlan(outcome=outcome)  # type: ignore[arg-type]
    task_id = sim.add_task(plan=plan, derivative_product_types=ALL_TYPES)

    with pytest.raises(TaskEndedError) as caught:
        await watched(client, task_id)

    assert caught.value.status == outcome


async def test_404_for_a_task_that_is_canceled_while_we_wait(
    sim: Simulator, client: DerivativesClient
) -> None:
    """Complaint 12 (sentinel-hub/sentinelhub-py #537).

    The monitor never ended, or ended at 100% before the state was final.
    """
    task_id = sim.add_task(derivative_product_types=ALL_TYPES)
    await client.cancel_task(task_id)

    with pytest.raises(TaskEndedError, match="CANCELED"):
        await watched(client, task_id)


async def test_206_for_ever_is_bounded_by_patience_and_loses_nothing(
    sim: Simulator, client: DerivativesClient
) -> None:
    plan = TaskPlan(derivative_delays={"DC_VESSELS": 60, "DC_AIRCRAFT": math.inf})
    task_id = sim.add_task(plan=plan, derivative_product_types=("DC_VESSELS", "DC_AIRCRAFT"))
    got = []

    with pytest.raises(WatchTimeoutError) as caught:
        async for one in client.watch_task(task_id, timeout=5 * 86_400):
            got.append(one.product_type)  # noqa: PERF401  what came before the error counts

    assert got == ["DC_VESSELS"]
    assert len(caught.value.missing) == 1


async def test_401_once_renews_the_token_once(sim: Simulator, client: DerivativesClient) -> None:
    task_id = sim.add_task(derivative_product_types=ALL_TYPES)
    sim.faults.add("unauthorized", side="api")

    assert (await client.get_task(task_id)).id == task_id
    assert [r.side for r in sim.requests] == ["token", "api", "token", "api"]


async def test_401_twice_is_an_authentication_error(
    sim: Simulator, client: DerivativesClient
) -> None:
    task_id = sim.add_task(derivative_product_types=ALL_TYPES)
    sim.faults.add("unauthorized", side="api", times=2)

    with pytest.raises(AuthenticationError):
        await watched(client, task_id)


async def test_a_wrong_secret_is_an_authentication_error_at_once(sim: Simulator) -> None:
    auth = ClientCredentials(sim.token_url, sim.client_id, "wrong-secret")
    async with DerivativesClient(base_url=sim.api_base_url, auth=auth, clock=sim.clock) as client:
        with pytest.raises(AuthenticationError) as caught:
            await watched(client, "t")

    assert "wrong-secret" not in repr(caught.value)
    assert [r.side for r in sim.requests] == ["token"]


async def test_a_ready_token_that_the_api_refuses_is_not_sent_twice(sim: Simulator) -> None:
    async with DerivativesClient(
        base_url=sim.api_base_url, auth=StaticToken("stale"), clock=sim.clock
    ) as client:
        with pytest.raises(AuthenticationError):
            await client.get_task("t")

    assert len(sim.requests) == 1


async def test_403_fails_at_once(sim: Simulator, client: DerivativesClient) -> None:
    task_id = sim.add_task(derivative_product_types=ALL_TYPES)
    sim.faults.add("forbidden")

    with pytest.raises(PermissionDeniedError):
        await watched(client, task_id)


@pytest.mark.parametrize("form", ["seconds", "date", None])
async def test_429_is_waited_out_as_the_api_asks(
    sim: Simulator, client: DerivativesClient, form: str | None
) -> None:
    task_id = sim.add_task(derivative_product_types=ALL_TYPES)
    sim.faults.add("rate_limited", side="api", retry_after=form, seconds=600)

    assert len(await watched(client, task_id)) == 3
    api = [r for r in sim.requests if r.side == "api"]
    assert api[0].status == 429
    if form is not None:
        # An HTTP date is good to a second.
        assert api[1].time - api[0].time >= 599


async def test_an_outage_longer_than_the_budget_ends_the_watch(
    sim: Simulator, client: DerivativesClient
) -> None:
    task_id = sim.add_task(derivative_product_types=ALL_TYPES)
    sim.faults.add("server_error", side="api", times=1000, status=503, body="html")

    with pytest.raises(PollBudgetError) as caught:
        await watched(client, task_id, max_failures=5)

    assert len([r for r in sim.requests if r.side == "api"]) == 5
    assert "503" in str(caught.value.__cause__)


async def test_a_night_of_outage_is_survived(sim: Simulator, client: DerivativesClient) -> None:
    task_id = sim.add_task(derivative_product_types=ALL_TYPES)
    sim.faults.add("server_error", side="api", times=50, status=502, body="empty")

    assert len(await watched(client, task_id)) == 3


async def test_retry_after_stops_the_whole_client(
    sim: Simulator, client: DerivativesClient
) -> None:
    """All of them wait.

    Complaint (inyutin/aiohttp_retry #59): it is right for one request and wrong for sixty.
    Complaint 10 (planetlabs/planet-client-python #759): a session for each file defeats the limit;
    in order means one at a time.
    """
    ids = [sim.add_task(derivative_product_types=ALL_TYPES) for _ in range(2)]
    sim.faults.add("rate_limited", side="api", retry_after="seconds", seconds=900)
    with pytest.raises(Exception, match="429"):
        await client.look_at_derivatives(ids[0])

    await client.look_at_derivatives(ids[1])

    first, second = [r for r in sim.requests if r.side == "api"]
    assert second.time - first.time >= 900


async def test_a_client_asks_as_often_at_once_and_a_second_as_it_was_set_to(sim: Simulator) -> None:
    ids = [sim.add_task(derivative_product_types=ALL_TYPES) for _ in range(8)]
    begun = sim.clock.time()
    async with (
        DerivativesClient.from_env(sim.environ, clock=sim.clock, rate=0.5, burst=3) as client,
        anyio.create_task_group() as group,
    ):
        with sim.clock.hold():
            for task_id in ids:
                group.start_soon(client.get_task, task_id)
            while sum(r.side == "api" for r in sim.requests) < 3:
                await checkpoint()
            for _ in range(100):
                await checkpoint()
        at_once = sum(r.side == "api" for r in sim.requests)

    assert at_once == 3
    assert sim.clock.time() - begun == pytest.approx((8 - 3) / 0.5, abs=0.1)


async def test_the_renewal_of_a_link_goes_before_all_calls_that_wait(sim: Simulator) -> None:
    """A transfer stands still for it; `Downloader` renews by this very method."""
    task_id = sim.add_task(derivative_product_types=ALL_TYPES)
    async with (
        DerivativesClient.from_env(sim.environ, clock=sim.clock, rate=1.0, burst=1) as client,
        anyio.create_task_group() as group,
    ):
        with sim.clock.hold():  # until all of them wait for their turn
            for _ in range(4):
                group.start_soon(client.get_task, task_id)
            group.start_soon(client.look_at_derivatives, task_id)
            while not any(r.side == "api" for r in sim.requests):
                await checkpoint()
            for _ in range(100):
                await checkpoint()

    order = [r.path.rpartition("/")[2] for r in sim.requests if r.side == "api"]
    assert order == [task_id, "derivatives", task_id, task_id, task_id]


async def test_a_pause_of_the_client_does_not_outlast_the_patience_of_a_watch(
    sim: Simulator, client: DerivativesClient
) -> None:
    """ "timeout: patience in all": a look must not wait an hour in the client's queue for it."""
    task_id = sim.add_task(derivative_product_types=ALL_TYPES)
    sim.faults.add("rate_limited", side="api", retry_after="seconds", seconds=3600)
    with pytest.raises(RateLimitedError):
        await client.look_at_derivatives(task_id)
    begun = sim.clock.time()

    with pytest.raises(WatchTimeoutError):
        await watched(client, task_id, timeout=10.0)

    assert sim.clock.time() - begun == pytest.approx(10.0, abs=0.01)
    assert len([r for r in sim.requests if r.side == "api"]) == 1
