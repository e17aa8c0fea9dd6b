"""What did the token endpoint say?"""

from __future__ import annotations

from typing import Any

from iceye_derivatives._core.answer import ApiResponse, over_limit, read_times
from iceye_derivatives._core.ceilings import OverLimit, check_tree
from iceye_derivatives._core.json_body import read_object
from iceye_derivatives._core.limits import DEFAULT_LIMITS, Limits
from iceye_derivatives._core.problem import read_problem
from iceye_derivatives._core.wire_error import WireError
from iceye_derivatives.errors import (
    ApiError,
    AuthenticationError,
    ConfigurationError,
    IceyeError,
    RateLimitedError,
    ServerError,
    UnexpectedResponseError,
)
from iceye_derivatives.protocols import AccessToken

__all__ = ["is_token", "read_token"]

_OK, _NOT_FOUND, _TOO_MANY = 200, 404, 429
_AGAIN = frozenset({408, 425})


def is_token(value: object) -> bool:
    """Whether it can stand in a header: RFC 6750's alphabet lies within visible ASCII."""
    return (
        isinstance(value, str)
        and value.isascii()
        and value.isprintable()
        and value.split() == [value]
    )


def read_token(
    response: ApiResponse, now: float, *, limits: Limits = DEFAULT_LIMITS
) -> AccessToken:
    """The token of a 200.

    Raises:
        AuthenticationError: the credentials are refused (400, 401, 403 and other 4xx).
        ConfigurationError: there is no token endpoint at this URL (404).
        LimitExceededError: it is above one of `limits`.
        RateLimitedError: 429.
        ServerError: 5xx.
        UnexpectedResponseError: a redirect, or a 200 without a bearer token.
    """
    if response.status != _OK:
        raise _refusal(response, now, limits)
    try:
        raw = read_object(response, limits)
        check_tree(raw, limits)
        return _read(raw)
    except OverLimit as finding:
        raise over_limit(response, finding, operation="The token endpoint") from None
    except WireError as error:
        reason = f"{error}"
    raise UnexpectedResponseError(
        f"The token endpoint answered without a bearer token ({reason}); check the token URL",
        status=response.status,
    )


def _read(raw: dict[str, Any]) -> AccessToken:
    value = raw.get("access_token")
    if not is_token(value):
        raise WireError.of("is missing or no token", "access_token")
    # RFC 6749, section 7.1: a client "MUST NOT use an access token if it does not understand the
    # token type"; section 5.1: the type is case insensitive.
    kind = raw.get("token_type", "Bearer")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise WireError.of("is not Bearer", "token_type")
    return AccessToken(value=str(value), expires_in=_seconds(raw.get("expires_in")))


def _seconds(value: object) -> float | None:
    """Servers write the number as a string, too; what cannot be read is unknown, not an error."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _refusal(response: ApiResponse, now: float, limits: Limits) -> IceyeError:
    status, problem = response.status, read_problem(response.body)
    said = " ".join(filter(None, (f"{status}", problem.code)))
    text = f": {problem.text}" if problem.text not in {"", problem.code} else ""
    answer = f"The token endpoint answered {said}{text}"
    if status == _NOT_FOUND:
        return ConfigurationError(
            f"{answer}; the token URL is wrong: give the whole of it, as ICEYE issued it "
            "(it often ends in /v1/token)"
        )
    cls, advice = _class_of(status)
    return cls(
        f"{answer}; {advice}",
        status=status,
        code=problem.code,
        reference=problem.reference,
        retry_after=read_times(response, now, limits)[1],
    )


def _class_of(status: int) -> tuple[type[ApiError], str]:
    if status == _TOO_MANY:
        return RateLimitedError, "slow down and try again later"
    if status in _AGAIN:
        return ServerError, "try again later"
    if status // 100 == 4:  # noqa: PLR2004 - classes of RFC 9110
        return AuthenticationError, "check the client id and the client secret"
    if status // 100 == 5:  # noqa: PLR2004 - the same
        return ServerError, "try again later"
    # A redirect is not followed: it would carry the secret to wherever it points.
    return UnexpectedResponseError, "check the token URL and any proxy on the way"
