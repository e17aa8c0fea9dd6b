"""When is a token to be renewed?"""

from __future__ import annotations


def renew_at(fetched_at: float, expires_in: float | None) -> float:
    """Unix seconds from which on the token is not used any more."""
    raise NotImplementedError
