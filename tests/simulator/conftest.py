"""A simulator in virtual time, and one who calls it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from sim_caller import Caller

from iceye_derivatives.simulator import Simulator, VirtualClock


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(clock=VirtualClock()) as simulator:
        yield simulator


@pytest.fixture
async def caller(sim: Simulator) -> AsyncIterator[Caller]:
    async with aiohttp.ClientSession() as session:
        yield Caller(sim, session)
