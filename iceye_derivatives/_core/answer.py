"""What did the API answer, and which error is an answer that is no success?"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from iceye_derivatives._core.ceilings import OverLimit
from iceye_derivatives._core.http_date import parse_http_date, parse_retry_after
from iceye_derivatives._core.limits import DEFAULT_LIMITS, Limits
from iceye_derivatives._core.problem import is_foreign, read_problem
from iceye_derivatives._core.redact import clean_text
from iceye_derivatives.errors import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    LimitExceededError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
    TaskNotFoundError,
    UnexpectedResponseError,
)

__all__ = ["ApiResponse", "error_for", "over_limit", "read_times", "unreadable"]

_BY_STATUS: dict[int, type[ApiError]] = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    # RFC 9110, 15.5.9: "the client MAY repeat the request"; RFC 8470, 5.2, says the same of 425.
    408: ServerError,
    425: ServerError,
    429: RateLimitedError,
}
_BY_HUNDRED: dict[int, type[ApiError]] = {4: BadRequestError, 5: ServerError}

_ADVICE: dict[type[ApiError], str] = {
    AuthenticationError: "check the access token, or client id, client secret and token URL",
    BadRequestError: "correct the request before sending it again",
    PermissionDeniedError: "ask ICEYE for access, or use the credentials of the contract's owner",
    RateLimitedError: "slow down and try again later",
    ServerError: "try again later",
    TaskNotFoundError: "check the task id, and that the credentials belong to the same contract",
    UnexpectedResponseError: "check the base URL and any proxy on the way, then try again",
}


@frozen(kw_only=True)
class ApiResponse:
    """An answer, whole; its body may hold signed links, so it has no repr."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """By lower-case name."""
    body: bytes = field(repr=False)


def error_for(
    response: ApiResponse,
    now: float,
    *,
    operation: str,
    task_id: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> ApiError:
    """The error for an answer that is no success (returned, not raised).

    Args:
        response: what came.
        now: Unix seconds, for a ``Retry-After`` that is a date.
        operation: ICEYE's name of the call.
        task_id: the task that was meant, which makes a 404 of ICEYE's a `TaskNotFoundError`.
        limits: how long ``Retry-After`` may ask to wait.
    """
    problem = read_problem(response.body)
    cls = _class_of(response, task_id)
    said = " ".join(filter(None, (f"{response.status}", problem.code)))
    text = f": {problem.text}" if problem.text else ""
    return cls(
        f"{_what(operation, task_id)} was answered with {said}{text}; {_ADVICE[cls]}",
        status=response.status,
        code=problem.code,
        reference=problem.reference,
        task_id=task_id,
        retry_after=read_times(response, now, limits)[1],
    )


def _class_of(response: ApiResponse, task_id: str | None) -> type[ApiError]:
    status = response.status
    if status == 404:  # noqa: PLR2004 - as in the table
        if is_foreign(response.body):
            # A gateway that has lost its way to the API: it knows nothing of tasks.
            return UnexpectedResponseError
        if task_id is not None:
            return TaskNotFoundError
    # What is in neither table is a redirect (the token goes to the API's origin alone, so none is
    # followed) or a success that ICEYE does not document.
    return _BY_STATUS.get(status) or _BY_HUNDRED.get(status // 100) or UnexpectedResponseError


def unreadable(
    status: int, reason: str, *, operation: str, task_id: str | None = None
) -> UnexpectedResponseError:
    """The error for a success whose body is not as documented."""
    return UnexpectedResponseError(
        f"{_what(operation, task_id)} was answered with {status} and a body that cannot be read "
        f"({clean_text(reason)}); {_ADVICE[UnexpectedResponseError]}",
        status=status,
        task_id=task_id,
    )


def over_limit(
    response: ApiResponse, finding: OverLimit, *, operation: str, task_id: str | None = None
) -> LimitExceededError:
    """The error for a success that is above a ceiling."""
    return LimitExceededError(
        f"{_what(operation, task_id)} was answered with {response.status} and a body that was not "
        f"used: it {finding}",
        status=response.status,
        task_id=task_id,
        limit=finding.limit,
        allowed=finding.allowed,
    )


def _what(operation: str, task_id: str | None) -> str:
    return operation if task_id is None else f"{operation} for task {clean_text(task_id)}"


def read_times(
    response: ApiResponse, now: float, limits: Limits = DEFAULT_LIMITS
) -> tuple[float | None, float | None]:
    """What ``Date`` says, and how long ``Retry-After`` asks to wait (measured on that clock)."""
    server_time = parse_http_date(response.headers.get("date"), now)
    clock = now if server_time is None else server_time
    asked = parse_retry_after(response.headers.get("retry-after"), clock, cap=limits.retry_after)
    return server_time, asked
