"""What does a fleet tell of its tasks, of those that fail too, and when does it end?"""

from __future__ import annotations

from contextlib import aclosing
from typing import Any, cast

import anyio
import anyio.lowlevel
import pytest
from fleet_world import HOUR, START, Jumping, both, drained, watching, world

from iceye_derivatives import (
    AuthenticationError,
    ConfigurationError,
    DerivativeReady,
    IceyeError,
    PermissionDeniedError,
    PollFailed,
    ServerError,
    SnapshotReceived,
    TaskNotFoundError,
    TaskStatusReceived,
    Waiting,
    WatchEvent,
    WatchFailed,
    WatchFinished,
    WatchTimeoutError,
)
from iceye_derivatives._core.decisions import Patience
from iceye_derivatives._fleet_opening import open_fleet
from iceye_derivatives._fleet_terms import FleetSettings

pytestmark = pytest.mark.anyio


def kinds(events: list[WatchEvent], task_id: str) -> list[str]:
    return [type(event).__name__ for event in events if event.task_id == task_id]


@both
async def test_each_task_tells_its_own_story_in_order(anyio_backend: object) -> None:
    source = world("a", "b", ready=HOUR)

    async with watching(source) as fleet:
        events = await drained(fleet)

    story = ["TaskStatusReceived", "TaskStatusReceived", "DerivativeReady", "WatchFinished"]
    assert kinds(events, "a") == kinds(events, "b") == story


async def test_heartbeats_are_told_on_request_only() -> None:
    source = world("a", ready=HOUR)
    source.failing["b"] = ServerError("down", status=503)

    async with watching(source, "b", heartbeats=True, patience=Patience(failures=2)) as fleet:
        events = await drained(fleet)

    told = {type(event) for event in events}
    assert told >= {SnapshotReceived, TaskStatusReceived, Waiting, PollFailed, WatchFailed}

    async with watching(source, "b", patience=Patience(failures=2)) as fleet:
        told = {type(event) for event in await drained(fleet)}
    assert told == {DerivativeReady, WatchFinished, WatchFailed}


@pytest.mark.parametrize(
    "error",
    [
        PermissionDeniedError("not yours", status=403),
        TaskNotFoundError("unknown", status=404),
    ],
)
async def test_one_failed_task_is_an_event_and_disturbs_no_other(error: Exception) -> None:
    source = world("a", "bad", "c", ready=HOUR)
    source.failing["bad"] = error

    async with watching(source) as fleet:
        events = await drained(fleet)

    (failed,) = [event for event in events if isinstance(event, WatchFailed)]
    assert (failed.task_id, type(failed.error)) == ("bad", type(error))
    assert failed.watch is not None
    assert failed.watch.task_id == "bad"
    assert sum(isinstance(event, WatchFinished) for event in events) == 2


class VaultSealedError(IceyeError):
    """What somebody's own `TokenSource` raises: it may pass."""

    retryable = True


async def test_a_passing_error_of_somebody_elses_class_ends_its_own_watch_alone() -> None:
    source = world("a", "b", ready=HOUR)
    source.failing["a"] = VaultSealedError("the vault is sealed")

    async with watching(source, patience=Patience(failures=3)) as fleet:
        events = await drained(fleet)

    assert kinds(events, "a") == ["WatchFailed"]
    assert kinds(events, "b")[-1] == "WatchFinished"


async def test_a_failure_says_what_the_watch_of_one_task_would_have_said() -> None:
    source = world("a", ready=10 * HOUR)

    async with watching(source, patience=Patience(timeout=HOUR)) as fleet:
        events = await drained(fleet)

    assert isinstance(events[-1], WatchFailed)
    assert isinstance(events[-1].error, WatchTimeoutError)
    assert source.clock.time() - START < 1.1 * HOUR


async def test_a_refused_token_ends_the_whole_and_harms_no_task() -> None:
    source = world("a", "b", ready=HOUR)
    source.failing = dict.fromkeys("ab", AuthenticationError("refused", status=401))

    with pytest.raises(AuthenticationError):
        async with watching(source) as fleet:
            await drained(fleet)

    source.failing.clear()
    async with watching(source, state=fleet.state(), only=()) as again:
        events = await drained(again)
    assert sum(isinstance(event, DerivativeReady) for event in events) == 2


@both
async def test_an_empty_fleet_ends_at_once(anyio_backend: object) -> None:
    async with watching(world()) as fleet:
        assert await drained(fleet) == []


async def test_exhausted_it_ends_again_and_again() -> None:
    async with watching(world("a")) as fleet:
        await drained(fleet)
        with pytest.raises(anyio.EndOfStream):
            await fleet.receive()


def test_settings_that_cannot_be_used_are_refused_at_once() -> None:
    with pytest.raises(ConfigurationError, match="concurrency=0"):
        watching(world("a"), concurrency=0)
    with pytest.raises(ConfigurationError, match="is one string"):
        open_fleet("a-task", FleetSettings(source=world(), clock=Jumping(), jitter=float))


async def test_what_is_no_id_is_refused_by_its_place_and_the_fleet_goes_on() -> None:
    """A gap in somebody's table ended all watches, behind the first looks."""
    settings = FleetSettings(source=world("a"), clock=Jumping(), jitter=float)
    gaps: list[Any] = ["a", None, 3, None, float("nan")]
    with pytest.raises(ConfigurationError, match=r"^None \(number 2\), 3 \(number 3\), .*1 more "):
        open_fleet(gaps, settings)
    async with watching(world("a", "b")) as fleet:
        with pytest.raises(ConfigurationError, match="None"):
            await fleet.add(["b", cast("Any", None)])
        assert {event.task_id for event in await drained(fleet)} == {"a", "b"}


async def test_the_derivatives_alone_are_easy_to_have() -> None:
    source = world("a", "bad", "c")
    source.failing["bad"] = PermissionDeniedError("not yours", status=403)
    told: list[WatchEvent] = []

    async with watching(source) as fleet, aclosing(fleet.derivatives(told.append)) as derivatives:
        got = [one.id async for one in derivatives]

    assert got == ["of-a", "of-c"]
    assert any(isinstance(event, WatchFailed) for event in told)
