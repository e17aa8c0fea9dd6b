"""Is something above a ceiling, and in what words is it said?"""

from __future__ import annotations

from typing import Any

from iceye_derivatives._core.limits import Limits, how_to_raise

__all__ = ["OverLimit", "check_count", "check_tree"]


class OverLimit(ValueError):  # noqa: N818 - a finding, which becomes `LimitExceededError` above
    """What is above which ceiling; the text reads on after "it" and quotes nothing."""

    def __init__(self, finding: str, limit: str, limits: Limits) -> None:
        self.limit = limit
        self.allowed: float = getattr(limits, limit)
        super().__init__(f"{finding} than the {self.allowed:,} allowed; {how_to_raise(limit)}")


def check_count(count: int, what: str, limit: str, limits: Limits) -> None:
    """Raise `OverLimit` where there are more than `limit` allows."""
    if count > getattr(limits, limit):
        raise OverLimit(f"has {count:,} {what}, more", limit, limits)


def check_tree(raw: Any, limits: Limits, *, depth: int = 1) -> None:  # noqa: ANN401 - JSON
    """Look through a parsed document, which sits `depth` levels deep, for depth and long strings.

    Level by level, without recursion: it may be nested as deeply as the parser itself could go.

    Raises:
        OverLimit: of ``json_depth`` or ``link_length``.
    """
    level = [raw]
    while level:
        longest = max((len(value) for value in level if isinstance(value, str)), default=0)
        if longest > limits.link_length:
            raise OverLimit("holds a longer text", "link_length", limits)
        nested = [value for value in level if isinstance(value, dict | list)]
        if nested and depth > limits.json_depth:
            raise OverLimit("is nested deeper", "json_depth", limits)
        level, depth = [member for value in nested for member in _members(value)], depth + 1


def _members(value: dict[str, Any] | list[Any]) -> list[Any]:
    return [*value.keys(), *value.values()] if isinstance(value, dict) else value
