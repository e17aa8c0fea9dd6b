"""However a fleet is left: does nothing go on, and is no error or event lost or hidden?

What trio asks of its own `as_safe_channel`.
"""

from __future__ import annotations

from collections import Counter

import anyio
import anyio.lowlevel
import pytest
from fleet_world import HOUR, both, drained, watching, world

from iceye_derivatives import DerivativeReady, WatchEvent

pytestmark = pytest.mark.anyio


@both
async def test_a_break_leaves_nothing_behind(anyio_backend: object) -> None:
    source = world("a", "b", "c")

    async with watching(source) as fleet:
        async for _ in fleet:
            break

    assert not source.looking
    with pytest.raises(anyio.ClosedResourceError):
        await fleet.receive()
    with pytest.raises(anyio.ClosedResourceError):
        await fleet.add(["d"])  # nobody would ever look
    assert "d" not in fleet


@both
async def test_closing_the_stream_ends_the_looks_but_not_the_body(anyio_backend: object) -> None:
    source = world("a", "b", ready=HOUR)

    async with watching(source) as fleet:
        await fleet.receive()
        await fleet.aclose()
        await anyio.wait_all_tasks_blocked()
        asked = source.requests()
        await source.clock.sleep(10 * HOUR)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(anyio.ClosedResourceError):
            await fleet.receive()

    assert source.requests() == asked


@both
async def test_cancelled_from_outside_it_is_gone(anyio_backend: object) -> None:
    source = world("a", "b", ready=HOUR)

    with anyio.CancelScope() as scope:
        async with watching(source) as fleet:
            async for _ in fleet:
                scope.cancel()

    assert scope.cancelled_caught
    assert not source.looking
    assert set(fleet.state().task_ids) == {"a", "b"}


@both
async def test_an_error_of_the_body_is_raised_as_it_is(anyio_backend: object) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        async with watching(world("a")):
            raise ZeroDivisionError

    assert caught.value.__context__ is None


async def test_a_group_of_the_body_is_raised_as_it_is() -> None:
    group = ExceptionGroup("two", [ValueError(), KeyError()])

    with pytest.raises(ExceptionGroup) as caught:
        async with watching(world("a")):
            raise group

    assert caught.value is group


async def test_an_error_of_the_body_beside_one_of_ours_stays_beside_it() -> None:
    source = world("a")
    source.failing["a"] = RuntimeError("a bug")

    with pytest.raises(ExceptionGroup) as caught:
        async with watching(source):
            try:
                await anyio.sleep_forever()
            finally:
                raise KeyError

    assert {type(one) for one in caught.value.exceptions} >= {KeyError}
    assert caught.group_contains(RuntimeError)


async def test_a_bug_of_a_source_is_raised_and_not_hidden() -> None:
    source = world("a")
    source.failing["a"] = RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        async with watching(source) as fleet:
            await drained(fleet)


@both
async def test_a_deadline_around_each_receive_loses_nothing(anyio_backend: object) -> None:
    """The trap of a memory stream: an item that was handed over while its reader is cancelled."""
    source = world(*(f"{number}" for number in range(30)), ready=HOUR)
    got: list[WatchEvent] = []

    async with watching(source) as fleet:
        for turn in range(100_000):
            with anyio.CancelScope() as scope:
                if turn % 3:
                    scope.cancel()  # it is cancelled before, or in the middle of the next await
                try:
                    got.append(await fleet.receive())
                except anyio.EndOfStream:
                    break
                scope.cancel()

    assert Counter(e.derivative.id for e in got if isinstance(e, DerivativeReady)) == Counter(
        f"of-{number}" for number in range(30)
    )
