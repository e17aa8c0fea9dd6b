"""When is a token renewed, and what does its endpoint say?"""

from __future__ import annotations

import math
from typing import Any

import pytest
from answers import response
from hypothesis import given
from hypothesis import strategies as st

from iceye_derivatives._core.token import AGAIN, FailedFetch, HeldToken, hold, renew_at
from iceye_derivatives._core.token_answer import is_token, read_token
from iceye_derivatives.errors import (
    AuthenticationError,
    ConfigurationError,
    IceyeError,
    RateLimitedError,
    ServerError,
    UnexpectedResponseError,
)

# The fields of the docs' example.
GOOD = {"token_type": "Bearer", "expires_in": 3600, "access_token": "a.b-c_d~e+f/g=", "scope": "x"}


@pytest.mark.parametrize(
    ("life", "used_for"),
    [
        (3600, 3300),
        (601, 301),
        (600, 300),
        (240, 120),
        (None, 3300),
        (float("nan"), 3300),
        (0, 0),
        (-5, 0),
    ],
)
def test_a_token_is_renewed_five_minutes_early_or_at_half_its_life(
    life: float | None, used_for: float
) -> None:
    """Whichever is less; an unknown life is an hour."""
    assert renew_at(1000.0, life) == 1000 + used_for


@given(st.floats(0, 4e9), st.none() | st.floats())
def test_no_token_is_used_beyond_half_or_before_it_came(asked: float, life: float | None) -> None:
    """The law: good for at least half of its life and never beyond it."""
    moment = renew_at(asked, life)
    known = 3600.0 if life is None or life - life != 0 else max(life, 0.0)

    # A float near `asked` is good to a few of its last places.
    blur = 4 * math.ulp(asked + known)
    assert asked + known / 2 - blur <= moment <= asked + known + blur


def test_a_held_token_is_good_until_its_moment() -> None:
    """And it is not shown.

    Trap (earthaccess, ages): `.seconds` wraps each day, so day-old credentials look ten minutes
    old.
    """
    held = HeldToken(value="planted", renew_at=10.0, dies_at=20.0)

    assert (held.is_good(9.9), held.is_good(10.0)) == (True, False)
    assert not held.is_good(86_400.0 + 5)
    assert "planted" not in repr(held)


@pytest.mark.parametrize(
    ("changes", "life"),
    [
        ({}, 3600.0),
        ({"expires_in": "1800"}, 1800.0),
        ({"expires_in": None}, None),
        ({"expires_in": True}, None),
        ({"expires_in": "soon"}, None),
        ({"expires_in": 10**400}, None),
        ({"expires_in": []}, None),
        ({"token_type": "bearer"}, 3600.0),
    ],
)
def test_the_token_of_a_good_answer(changes: dict[str, Any], life: float | None) -> None:
    """Its life may be written as a string, and may be unreadable."""
    token = read_token(response(200, GOOD | changes), 0)

    assert (token.value, token.expires_in) == (GOOD["access_token"], life)


@pytest.mark.parametrize(
    "body",
    [
        {},
        b"",
        b"<html>login</html>",
        b"[" * 200_000,
        GOOD | {"access_token": ""},
        GOOD | {"access_token": 5},
        GOOD | {"access_token": "two words"},
        GOOD | {"access_token": "line\nbreak"},
        GOOD | {"access_token": "é"},
        GOOD | {"token_type": "mac"},
        GOOD | {"token_type": 5},
    ],
    ids=range(11),
)
def test_a_good_status_without_a_bearer_token_is_unexpected(body: Any) -> None:
    """A token that cannot stand in a header would break, or bend, every call."""
    with pytest.raises(UnexpectedResponseError) as caught:
        read_token(response(200, body), 0)

    assert "a.b-c_d" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "cls"),
    [
        (400, AuthenticationError),
        (401, AuthenticationError),
        (403, AuthenticationError),
        (404, ConfigurationError),
        (429, RateLimitedError),
        (500, ServerError),
        (503, ServerError),
        (302, UnexpectedResponseError),
        (201, UnexpectedResponseError),
    ],
)
def test_each_status_of_the_endpoint_has_its_class(status: int, cls: type[IceyeError]) -> None:
    """A wrong secret is not a wrong URL, and neither is a bad day."""
    with pytest.raises(cls) as caught:
        read_token(response(status, b"", retry_after="7"), 0)

    assert type(caught.value) is cls
    assert getattr(caught.value, "retry_after", 7.0) == 7.0


def test_the_endpoints_own_words_are_told() -> None:
    """RFC 6749, section 5.2."""
    body = {"error": "invalid_client", "error_description": "The secret is wrong."}
    with pytest.raises(AuthenticationError, match="invalid_client: The secret is wrong") as caught:
        read_token(response(401, body), 0)

    assert caught.value.code == "invalid_client"


@pytest.mark.parametrize("value", ["", " a", "a b", "a\n", "a\x7f", "ä", None, 5])
def test_what_cannot_stand_in_a_header_is_no_token(value: Any) -> None:
    """The alphabet of RFC 6750 lies within visible ASCII."""
    assert not is_token(value)


@given(
    st.floats(0, 2e9),
    st.none() | st.floats(0, 1e6),
    st.floats(0, 2e6),
    st.none() | st.floats(0, 1e5),
)
def test_an_old_token_serves_until_it_dies_and_no_longer(
    asked: float, life: float | None, later: float, retry_after: float | None
) -> None:
    """However often its renewal fails, and whatever the endpoint asks for."""
    held, now = hold("t", asked, life), asked + later
    kept = held.outlive(now, retry_after)
    if kept is None:
        assert now >= held.dies_at
    else:
        assert now < kept.renew_at <= kept.dies_at == held.dies_at
        assert kept.is_good(now)


@given(
    st.integers(1, 10_000),
    st.none() | st.floats(0, 3600),
    st.floats(-1e6, 1e6),
    st.floats(0, 1e5),
)
def test_a_failure_is_waited_for_and_no_longer_than_it_is_worth(
    in_a_row: int, asked: float | None, later: float, passed: float
) -> None:
    """From a second to half a minute, and all of ``Retry-After``; clocks may be set back."""
    error = ServerError("down", status=503, retry_after=asked)
    failed = FailedFetch(error=error, at=1e9, in_a_row=in_a_row)
    whole, left = failed.wait(1e9), failed.wait(1e9 + later)

    assert max(1.0, asked or 0.0) <= whole <= max(AGAIN, asked or 0.0)
    assert left == pytest.approx(min(whole, max(0.0, whole - later)), abs=1e-6)
    assert failed.wait(1e9 + later + passed) <= left
    again = failed.again(1e9 + later)
    assert again is not error
    assert getattr(again, "retry_after", 0.0) == (None if asked is None else min(asked, left))


def test_a_failure_is_remembered_without_the_traceback_of_who_was_told_first() -> None:
    """Which would keep all frames of that caller alive for as long as the endpoint is down."""
    error = ServerError("down", status=503)
    first = FailedFetch.after(None, error, 5.0)
    second = FailedFetch.after(first, error, 6.0)

    assert (first.at, first.in_a_row, second.at, second.in_a_row) == (5.0, 1, 6.0, 2)
    assert first.error is not error
