"""What the tests of programs that pages show share: a simulator that has everything at once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from shown_runs import MODELS

from iceye_derivatives.simulator import RealClock, Simulator, TaskPlan


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    """A simulator in real time, whose tasks are done as soon as they are ordered."""
    at_once = TaskPlan(
        accepted_after=0,
        imaged_after=0,
        fulfilled_after=0,
        derivative_delays=dict.fromkeys(MODELS, 0),
    )
    async with Simulator(clock=RealClock(), plan=at_once) as simulator:
        yield simulator
