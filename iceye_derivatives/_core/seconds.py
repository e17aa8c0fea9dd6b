"""For how long may something be waited for, at most?"""

from __future__ import annotations

from math import isfinite

from iceye_derivatives.errors import ConfigurationError

__all__ = ["check_seconds"]


def check_seconds(**given: object) -> None:
    """Refuse what is no limit to a wait: aiohttp takes 0, and what is no number, for none at all.

    Args:
        given: each setting by the name that its user knows.

    Raises:
        ConfigurationError: names all that are wrong.
    """
    wrong = [f"{name}={value!r}" for name, value in given.items() if not _is_limit(value)]
    if wrong:
        raise ConfigurationError(f"{', '.join(wrong)} cannot be waited: give seconds above 0")


def _is_limit(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isfinite(value) and value > 0
