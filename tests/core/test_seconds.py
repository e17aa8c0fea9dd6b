"""Which limits of a wait are taken, and are those that are none refused all at once?"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives import ClientCredentials, DerivativesClient, StaticToken
from iceye_derivatives._core.seconds import check_seconds
from iceye_derivatives.errors import ConfigurationError

NONE = [0, 0.0, -1, -0.5, float("nan"), float("inf"), "5", None, True]


@given(st.floats(min_value=0, exclude_min=True, allow_infinity=False) | st.integers(1, 10**6))
def test_any_finite_time_is_a_limit(seconds: float) -> None:
    check_seconds(read_timeout=seconds)


@pytest.mark.parametrize("seconds", NONE)
def test_what_limits_nothing_is_refused_before_anything_is_sent(seconds: Any) -> None:
    """Of 0 aiohttp makes no limit: a store that says nothing would be waited for without end."""
    with pytest.raises(ConfigurationError) as refused:
        DerivativesClient(
            auth=StaticToken("t"),
            connect_timeout=seconds,
            answer_timeout=seconds,
            read_timeout=seconds,
        )
    for name in ("connect_timeout", "answer_timeout", "read_timeout"):
        assert f"{name}={seconds!r}" in str(refused.value)


@pytest.mark.parametrize("seconds", NONE)
def test_so_is_the_one_of_the_token_endpoint(seconds: Any) -> None:
    with pytest.raises(ConfigurationError, match="timeout="):
        ClientCredentials("https://auth.example/token", "id", "secret", timeout=seconds)
