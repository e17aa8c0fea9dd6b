"""Does simulated time pass evenly, for whoever is led to a simulator, and never against ICEYE?"""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives import ConfigurationError, DerivativesClient
from iceye_derivatives._clock import SystemClock
from iceye_derivatives._lapse import TimeLapse, clock_from, spell_clock

LOOPBACK = {"ICEYE_API_BASE_URL": "http://127.0.0.1:8080"}
speeds = st.floats(0.01, 1e6)
moments = st.floats(0, 1e6)


class Wall:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@given(speeds, speeds, moments, st.lists(moments, min_size=2, max_size=5))
def test_time_never_runs_backwards_and_its_inverse_is_exact(
    fast: float, slow: float, bend: float, walls: list[float]
) -> None:
    wall = Wall()
    clock = TimeLapse(fast=fast, slow=slow, slow_from=bend, start=0.0, zero=0.0, real=wall)
    shown = []
    for wall.now in sorted(walls):
        shown.append(clock.time())
        assert clock._passed_at(clock.time()) == pytest.approx(wall.now, abs=1e-6)
        assert clock.speed == (fast if clock.time() < bend else slow)
    assert shown == sorted(shown)


def test_it_is_fast_first_and_slow_then() -> None:
    wall = Wall()
    clock = TimeLapse(fast=100.0, slow=2.0, slow_from=1050.0, start=1000.0, zero=0.0, real=wall)
    shown = []
    for wall.now in (0.0, 0.25, 0.5, 1.5):
        shown.append(clock.time())
    assert shown == [1000.0, 1025.0, 1050.0, 1052.0]


@pytest.mark.anyio
async def test_sleeping_over_the_bend_takes_both_speeds() -> None:
    wall = Wall()
    clock = TimeLapse(fast=1e6, slow=1e9, slow_from=1000.0, start=0.0, zero=0.0, real=wall)
    assert clock._passed_at(2000.0) == pytest.approx(1000 / 1e6 + 1000 / 1e9)
    await clock.sleep(2000.0)


def test_the_variable_gives_another_process_the_same_time() -> None:
    text = spell_clock(speed=3600.0, moment=1_800_000_000.0, wall=1_700_000_000.0)
    clock = clock_from({**LOOPBACK, "ICEYE_SIMULATED_CLOCK": text})
    assert isinstance(clock, TimeLapse)
    assert clock.speed == 3600.0
    assert (clock._start, clock._zero) == (1_800_000_000.0, 1_700_000_000.0)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8080",
        "http://sim.localhost",
        "http://[::1]:8080/api",
        " http://127.0.0.2 ",
    ],
)
def test_a_fast_clock_goes_wherever_plain_http_may(url: str) -> None:
    """What is this machine for a token is this machine for a clock."""
    environ = {"ICEYE_API_BASE_URL": url, "ICEYE_SIMULATED_CLOCK": "3600 1 1"}

    assert isinstance(clock_from(environ), TimeLapse)


@pytest.mark.parametrize("url", ["", "https://platform.iceye.com", "https://10.0.0.1"])
def test_a_fast_clock_is_refused_where_the_api_is_not_on_this_machine(url: str) -> None:
    environ = {"ICEYE_API_BASE_URL": url, "ICEYE_SIMULATED_CLOCK": "3600 1 1"}
    with pytest.raises(ConfigurationError, match="unset ICEYE_SIMULATED_CLOCK"):
        clock_from(environ)


@pytest.mark.parametrize(
    "text", ["x", "1 2", "0 1 1", "-5 1 1", "nan 1 1", "inf 1 1", "1 2 3 4", "1 nan 1", "1 1 inf"]
)
def test_a_variable_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        clock_from({**LOOPBACK, "ICEYE_SIMULATED_CLOCK": text})


@pytest.mark.anyio
async def test_a_client_from_the_environment_waits_in_that_time() -> None:
    environ = {**LOOPBACK, "ICEYE_ACCESS_TOKEN": "t", "ICEYE_SIMULATED_CLOCK": "3600 1 1"}
    async with DerivativesClient.from_env(environ, allow_http=True) as client:
        assert isinstance(client._clock, TimeLapse)
    mine = SystemClock()
    async with DerivativesClient.from_env(environ, allow_http=True, clock=mine) as client:
        assert client._clock is mine


def test_without_the_variable_time_is_the_machines() -> None:
    assert not isinstance(clock_from(LOOPBACK), TimeLapse)
    assert math.isfinite(clock_from({}).time())
