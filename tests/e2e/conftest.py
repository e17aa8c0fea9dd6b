"""The whole library over loopback against the simulator, in virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from blockbuster import BlockBuster

import iceye_derivatives
from iceye_derivatives import DerivativesClient, simulator
from iceye_derivatives.simulator import Simulator, VirtualClock


@pytest.fixture(autouse=True)
def no_blocking_call() -> Iterator[None]:
    """Fail where our code opens a file, sleeps, looks up a name, … on the event loop itself.

    How long its own steps take is measured in `test_loop_hygiene.py`.
    """
    detector = BlockBuster([iceye_derivatives], excluded_modules=[simulator])
    detector.activate()
    yield
    detector.deactivate()


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    """A simulator whose clock jumps: three days pass in milliseconds."""
    async with Simulator(clock=VirtualClock(), seed=7) as simulator:
        yield simulator


@pytest.fixture
async def client(sim: Simulator) -> AsyncIterator[DerivativesClient]:
    """A client of that simulator, on its clock, with jitter that is always half."""
    async with DerivativesClient.from_env(
        sim.environ, clock=sim.clock, jitter=lambda: 0.5, rate=1000.0
    ) as made:
        yield made
