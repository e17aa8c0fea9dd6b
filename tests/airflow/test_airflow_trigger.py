"""Does the trigger survive what triggerers do to it: restarts, copies, and the database between?"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from airflow_stage import AIRCRAFT, VESSELS, WAITING, Sky
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives import Backoff, FleetState
from iceye_derivatives.airflow import _shared
from iceye_derivatives.airflow._waiting import backoff_arguments
from iceye_derivatives.airflow.payload import Failure, News, Ready
from iceye_derivatives.airflow.triggers import IceyeDerivativesTrigger

pytestmark = pytest.mark.anyio

FAST = backoff_arguments(Backoff(initial=0.02, maximum=0.1))
texts = st.text(max_size=12)
readies = st.builds(
    Ready,
    task_id=texts,
    derivative_id=texts,
    product_type=texts,
    asset_types=st.lists(texts, max_size=3).map(tuple),
    is_update=st.booleans(),
)
failures = st.builds(Failure, task_id=texts, kind=texts, message=texts, retryable=st.booleans())


async def fire(**arguments: Any) -> News:
    """What a trigger made of these arguments fires with, after a way through JSON."""
    path, kwargs = IceyeDerivativesTrigger(min_wait=0.0, **arguments).serialize()
    assert path.rpartition(".")[2] == IceyeDerivativesTrigger.__name__
    again = IceyeDerivativesTrigger(**json.loads(json.dumps(kwargs)))
    events = [event async for event in again.run()]
    assert len(events) == 1
    return News.from_payload(json.loads(json.dumps(events[0].payload)))


@given(st.lists(readies), st.lists(failures), st.integers(0), st.none() | texts)
def test_news_come_through_the_database_as_they_were(
    ready: list[Ready], failed: list[Failure], waiting: int, state: str | None
) -> None:
    news = News(ready=tuple(ready), failed=tuple(failed), waiting=waiting, state=state)
    assert News.from_payload(json.loads(json.dumps(news.to_payload()))) == news


async def test_it_fires_for_the_first_derivative_and_goes_on_with_the_state(sky: Sky) -> None:
    task_id = sky.order()
    sky.pass_time(VESSELS)
    first = await fire(task_ids=[task_id], backoff=FAST, settle=0.0)
    assert [each.product_type for each in first.ready] == ["DC_VESSELS"]
    assert first.waiting == 1
    assert first.state is not None
    assert "Signature" not in first.state

    sky.pass_time(AIRCRAFT)
    # Patience to settle costs nothing here: all has ended.
    second = await fire(task_ids=[], state=first.state, backoff=FAST, settle=60.0)
    assert [each.product_type for each in second.ready] == ["DC_AIRCRAFT"]
    assert (second.waiting, second.state, second.failed) == (0, None, ())


async def test_what_cannot_be_read_is_in_the_log_long_before_the_wait_ends(
    sky: Sky, caplog: pytest.LogCaptureFixture
) -> None:
    task_id = sky.order()
    sky.pass_time(AIRCRAFT)
    sky.portal.call(
        lambda: sky.simulator.faults.add(
            "unreadable_derivative", times=None, product_type="DC_AIRCRAFT"
        )
    )

    news = await fire(task_ids=[task_id], backoff=FAST, settle=0.0)

    assert [each.product_type for each in news.ready] == ["DC_VESSELS"]
    assert news.waiting == 1
    (line,) = [one for one in caplog.messages if "cannot be read" in one]
    assert line.startswith(f"Task {task_id}: cannot be read: data[1].assets[0].href (DC_AIRCRAFT ")
    assert "Signature" not in line


async def test_saved_it_goes_on_as_its_watch_had_planned(sky: Sky) -> None:
    """Here in decades: who began anew would look at once, and hand out the first again."""
    task_id = sky.order()
    sky.pass_time(VESSELS)
    decades = {"initial": 1e9, "maximum": 1e9}
    first = await fire(task_ids=[task_id], backoff=decades, settle=0.0)
    looks = sky.looks()[task_id]
    second = await fire(state=first.state, backoff=decades, save_every=0.3)
    assert (second.ready, second.waiting, second.error) == ((), 1, None)
    assert sky.looks()[task_id] == looks


async def test_its_state_is_handed_on_where_there_are_no_news(sky: Sky) -> None:
    task_ids = [sky.order() for _ in range(3)]
    news = await fire(task_ids=task_ids, backoff=FAST, save_every=0.3)
    assert (news.ready, news.failed, news.error, news.waiting) == ((), (), None, 3)
    assert news.state is not None
    assert sorted(FleetState.from_json(news.state).task_ids) == sorted(task_ids)


async def test_a_restarted_trigger_finds_what_became_ready_meanwhile(sky: Sky) -> None:
    task_id = sky.order()
    trigger = IceyeDerivativesTrigger(task_ids=[task_id], backoff=FAST, wait_for="all")
    async with anyio.create_task_group() as tasks:

        async def run() -> None:
            async for _ in trigger.run():
                raise AssertionError("it was to be killed before")

        tasks.start_soon(run)
        while not sky.looks()[task_id]:
            await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()  # as a triggerer that is stopped does
    assert not _shared._shared.get(asyncio.get_running_loop())
    sky.pass_time(AIRCRAFT)
    _, kwargs = trigger.serialize()
    del kwargs["min_wait"]
    news = await fire(**kwargs)
    assert sorted(each.product_type for each in news.ready) == ["DC_AIRCRAFT", "DC_VESSELS"]


async def test_two_copies_fire_alike(sky: Sky) -> None:
    """ "It may run twice": Airflow then tells the events apart by their payload."""
    task_id = sky.order()
    sky.pass_time(AIRCRAFT)
    arguments = {"task_ids": [task_id], "backoff": FAST, "wait_for": "all"}
    found: list[News] = []

    async def one() -> None:
        found.append(await fire(**arguments))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one)
        tasks.start_soon(one)
    assert found[0] == found[1]


async def test_many_tasks_cost_one_client_and_one_token(sky: Sky) -> None:
    task_ids = [sky.order() for _ in range(50)]
    sky.pass_time(AIRCRAFT)
    news = await fire(task_ids=task_ids, backoff=FAST, wait_for="all")
    assert {each.task_id for each in news.ready} == set(task_ids)
    assert sum(path.endswith("/token") for path in sky.paths()) == 1


async def test_a_task_that_fails_is_told_and_the_others_go_on(sky: Sky) -> None:
    good, bad = sky.order(), sky.order(types=())
    sky.pass_time(AIRCRAFT)
    news = await fire(task_ids=[good, bad], backoff=FAST, wait_for="all")
    assert {each.task_id for each in news.ready} == {good}
    assert [(each.task_id, each.kind) for each in news.failed] == [
        (bad, "NoDerivativesRequestedError")
    ]


async def test_patience_ends_with_what_came(sky: Sky) -> None:
    task_id = sky.order()
    sky.pass_time(VESSELS)
    news = await fire(task_ids=[task_id], backoff=FAST, wait_for="all", deadline=1.0)
    assert news.error is not None
    assert news.error.kind == "WatchTimeoutError"
    assert "1 of 1 tasks" in news.error.message
    assert news.waiting == 1


async def test_a_connection_that_lacks_something_is_told_in_our_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ICEYE_DEFAULT", '{"conn_type": "iceye"}')
    news = await fire(task_ids=["any"], backoff=FAST)
    assert news.error is not None
    assert "no password" in news.error.message
    assert not news.error.retryable


async def test_no_secret_is_in_its_arguments(sky: Sky) -> None:
    trigger = IceyeDerivativesTrigger(task_ids=[sky.order()], backoff=FAST)
    secret = sky.simulator.environ["ICEYE_CLIENT_SECRET"]
    assert secret not in repr(trigger) + json.dumps(trigger.serialize())


async def killed(trigger: IceyeDerivativesTrigger, sky: Sky, task_id: str) -> str:
    """What a trigger hears that is killed as Airflow's triggerer kills, once it has looked."""
    heard: list[object] = []

    async def run() -> None:
        try:
            async for _ in trigger.run():
                raise AssertionError("it was to be killed before")
        except asyncio.CancelledError as error:
            heard.extend(error.args)
            await trigger.on_kill()
            raise

    task = asyncio.get_running_loop().create_task(run())
    while not any(path.endswith(task_id) for path in sky.paths()):
        await anyio.lowlevel.checkpoint()
    task.cancel("user-action")
    await asyncio.wait([task])
    return str(heard)


@pytest.mark.parametrize("asked", [True, False])
async def test_killing_it_cancels_the_order_only_where_that_was_asked_for(
    sky: Sky, asked: bool
) -> None:
    task_id = sky.order(plan=WAITING)
    trigger = IceyeDerivativesTrigger(task_ids=[task_id], cancel_on_kill=asked, backoff=FAST)
    # Airflow knows by the message whose doing it was: it must come through all that is open.
    assert await killed(trigger, sky, task_id) == "['user-action']"
    assert (sky.status(task_id) == "CANCELED") is asked


async def test_killed_after_a_restart_it_still_knows_its_orders(sky: Sky) -> None:
    task_id = sky.order(plan=WAITING)
    saved = await fire(task_ids=[task_id], backoff=FAST, save_every=0.1)
    await IceyeDerivativesTrigger(state=saved.state, cancel_on_kill=True).on_kill()
    assert sky.status(task_id) == "CANCELED"
