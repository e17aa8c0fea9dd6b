"""Is a call repeated exactly where that is safe and of use?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives._core.retry import RetryPolicy, certainly_not_carried_out
from iceye_derivatives.errors import (
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    IceyeError,
    NetworkError,
    RateLimitedError,
    ServerError,
    UnexpectedResponseError,
)

PASSING = [
    NetworkError("x"),
    NetworkError("x", sent=False),
    RateLimitedError("x", status=429),
    RateLimitedError("x", status=429, retry_after=7.0),
    ServerError("x", status=500),
    ServerError("x", status=503, retry_after=0.0),
    UnexpectedResponseError("x", status=200),
]
FINAL = [
    BadRequestError("x", status=400),
    AuthenticationError("x", status=401),
    ConfigurationError("x"),
    IceyeError("x"),
]


def without_token(error: IceyeError) -> IceyeError:
    """As the transport marks what happened before the call itself was sent."""
    error.sent = False
    return error


@given(
    st.sampled_from(PASSING),
    st.integers(1, 10**6),
    st.floats(0, 1),
    st.integers(1, 10**7),
)
def test_a_delay_lies_between_what_was_asked_and_the_maximum(
    error: IceyeError, attempt: int, jitter: float, attempts: int
) -> None:
    """The law: never earlier than ``Retry-After``, never later than the bound, up to `attempts`."""
    policy = RetryPolicy(attempts=attempts)
    delay = policy.delay(error, attempt, jitter)
    asked = getattr(error, "retry_after", None) or 0.0

    if attempt >= attempts:
        assert delay is None
    else:
        assert delay is not None
        assert asked <= delay <= max(asked, 20.0)


def test_the_bound_doubles_up_to_the_maximum() -> None:
    """Full jitter: the other end is zero."""
    policy = RetryPolicy(attempts=99)
    error = ServerError("x", status=500)

    assert [policy.delay(error, n, 1.0) for n in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 20, 20]
    assert policy.delay(error, 5, 0.0) == 0.0
    assert [RetryPolicy().delay(error, n, 1.0) for n in (3, 4)] == [2.0, None]


@pytest.mark.parametrize("error", FINAL)
def test_what_will_not_pass_is_not_repeated(error: IceyeError) -> None:
    """Neither a refused request nor a wrong setting.

    Trap (earthaccess, timeouts): no timeout on the GET, and a 404 is retried like a broken line.
    """
    assert RetryPolicy().delay(error, 1, 0.5) is None
    assert RetryPolicy().creation_delay(error, 1, 0.5) is None


@pytest.mark.parametrize(
    ("error", "certain"),
    [
        (NetworkError("x", sent=False), True),
        (NetworkError("x"), False),
        (RateLimitedError("x", status=429, retry_after=7.0), True),
        (RateLimitedError("x", status=429, retry_after=0.0), True),
        (RateLimitedError("x", status=429), True),
        (ServerError("x", status=503, retry_after=7.0), True),
        (ServerError("x", status=503), False),
        (ServerError("x", status=500, retry_after=7.0), False),
        (ServerError("x", status=502), False),
        (UnexpectedResponseError("x", status=200), False),
        (without_token(ServerError("x", status=500)), True),
        (without_token(NetworkError("x")), True),
    ],
)
def test_createtask_is_repeated_only_where_no_task_can_exist(
    error: IceyeError, certain: bool
) -> None:
    """A task ordered twice is paid for twice."""
    assert certainly_not_carried_out(error) is certain
    assert (RetryPolicy().creation_delay(error, 1, 0.5) is not None) is certain


@pytest.mark.parametrize("setting", ["attempts", "initial", "maximum"])
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_a_policy_that_makes_no_sense_is_refused(setting: str, value: float) -> None:
    """Where it is set, naming the setting."""
    with pytest.raises(ConfigurationError, match=setting):
        RetryPolicy(**{setting: value})  # type: ignore[arg-type]
