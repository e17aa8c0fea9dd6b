"""How does the API say no: one error, two bodies, chosen by `Accept`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iceye_derivatives.simulator.messages import Answer, json_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

PROBLEM_TYPE = "application/problem+json"

_REFERENCE = "https://docs.iceye.com/constellation/api/specification/tasking/v2/"

_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    413: "Content Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}

# Only `not_found`, ERR_INSUFFICIENT_FUNDS and INCOMPATIBLE_IMAGING_MODE_FOR_DERIVATIVES are
# published; the others follow the spelling of the first.
_CODES = {status: title.lower().replace(" ", "_") for status, title in _TITLES.items()}


class ProblemError(Exception):
    """The API refuses: a status, a machine-readable code, a sentence for people."""

    def __init__(self, status: int, details: str, *, code: str | None = None) -> None:
        """Keep what `render` will write; without `code` the status names one."""
        super().__init__(status, details, code)
        self.status = status
        self.details = details
        self.code = code or _CODES[status]

    def render(self, accept: str, *, headers: Mapping[str, str] | None = None) -> Answer:
        """Write the body that a client with this `Accept` header gets.

        "title/code/details/reference" (with the plural `details`, unlike RFC 9457) goes to those
        who name `application/problem+json`; all others get "code/message", the default.
        """
        if PROBLEM_TYPE not in accept:
            body = {"code": self.code, "message": self.details}
            return json_answer(self.status, body, headers=headers)
        problem = {
            "title": _TITLES[self.status],
            "code": self.code,
            "details": self.details,
            "reference": _REFERENCE,
        }
        return json_answer(
            self.status, problem, headers={"Content-Type": PROBLEM_TYPE, **(headers or {})}
        )
