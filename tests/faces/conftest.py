"""A terminal that never changes, and a simulator that another thread serves."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest
from cli_stage import READY, Stage

from iceye_derivatives._lapse import TimeLapse, spell_clock
from iceye_derivatives.cli.redaction import SECRETS
from iceye_derivatives.simulator import Simulator

SPEED = 100.0
"""A pause before a retry takes milliseconds, and a link still lives for half a minute."""
VARIABLES = (
    *SECRETS,
    "ICEYE_API_BASE_URL",
    "ICEYE_TOKEN_URL",
    "ICEYE_CLIENT_ID",
    "ICEYE_CONTRACT_ID",
    "ICEYE_SIMULATED_CLOCK",
)


@pytest.fixture(autouse=True)
def stable_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """80 columns, no colour, no time zone, and nobody's credentials."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in {"COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb", "TZ": "UTC"}.items():
        monkeypatch.setenv(name, value)
    if hasattr(time, "tzset"):
        time.tzset()
    yield
    monkeypatch.undo()
    if hasattr(time, "tzset"):
        time.tzset()


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A simulator in a thread with a loop of its own, and its variables in the environment."""
    clock = TimeLapse(fast=SPEED)
    simulator = Simulator(plan=READY, clock=clock, client_secret="canary-secret-77aa")
    started, ended = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with simulator:
            started.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert started.wait(10)
    for name, value in simulator.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ICEYE_CONTRACT_ID", simulator.contract_id)
    shared = spell_clock(speed=SPEED, moment=clock.time(), wall=TimeLapse(fast=1.0).time())
    monkeypatch.setenv("ICEYE_SIMULATED_CLOCK", shared)
    yield Stage(simulator)
    loop.call_soon_threadsafe(ended.set)
    thread.join(10)
    loop.close()
