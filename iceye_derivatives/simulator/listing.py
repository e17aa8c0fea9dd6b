"""Which tasks are on this page: the filters and the cursor of listTasks."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from math import inf
from typing import TYPE_CHECKING

from iceye_derivatives.simulator.notation import parse_rfc3339
from iceye_derivatives.simulator.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from iceye_derivatives.simulator.task import StoredTask

_DEFAULT_LIMIT = 10
_LARGEST_LIMIT = 10_000
_KNOWN = frozenset({"contractID", "limit", "cursor", "createdAfter", "createdBefore"})


def page(
    tasks: Iterable[StoredTask], parameters: Mapping[str, str]
) -> tuple[list[StoredTask], str | None]:
    """Give one page, newest first, and the cursor to the next; None on the last.

    The cursor names the last task that was seen and not a distance from the front, so that tasks
    which are ordered in between neither repeat nor hide others.

    Raises:
        ProblemError: 400 for an unknown parameter or a value that is none.
    """
    if unknown := set(parameters) - _KNOWN:
        raise ProblemError(400, f"{min(unknown)}: unknown query parameter")
    limit = _limit(parameters)
    below = _last_seen(parameters.get("cursor", ""))
    contract = parameters.get("contractID")
    # Whether the two bounds themselves are included is not documented.
    after = _moment(parameters, "createdAfter", -inf)
    before = _moment(parameters, "createdBefore", inf)
    found = [
        task
        for task in sorted(tasks, key=lambda task: task.number, reverse=True)
        if task.number < below
        and after <= task.created_at < before
        and contract in (None, task.order.fields["contractID"])
    ]
    more = len(found) > limit > 0
    return found[:limit], _cursor(found[limit - 1].number) if more else None


def _moment(parameters: Mapping[str, str], name: str, default: float) -> float:
    if name not in parameters:
        return default
    try:
        return parse_rfc3339(parameters[name])
    except ValueError:
        raise ProblemError(400, f"{name}: must be an RFC 3339 date-time") from None


def _limit(parameters: Mapping[str, str]) -> int:
    text = parameters.get("limit", str(_DEFAULT_LIMIT))
    if not (text.isascii() and text.isdecimal() and int(text) <= _LARGEST_LIMIT):
        raise ProblemError(400, f"limit: must be an integer from 0 to {_LARGEST_LIMIT}")
    return int(text)


def _cursor(number: int) -> str:
    return urlsafe_b64encode(f"after:{number}".encode()).decode()


def _last_seen(cursor: str) -> float:
    if not cursor:
        return inf
    try:
        word, _, number = urlsafe_b64decode(cursor).decode().partition(":")
        if word == "after":
            return int(number)
    except (binascii.Error, ValueError):
        pass
    raise ProblemError(400, "cursor: is none of ours")
