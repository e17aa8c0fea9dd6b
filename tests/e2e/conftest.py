"""The whole library over loopback against the simulator, in virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from iceye_derivatives import DerivativesClient
from iceye_derivatives.simulator import Simulator, VirtualClock


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
