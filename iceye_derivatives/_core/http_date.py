"""What moment does an HTTP header mean: ``Date`` and ``Retry-After``."""

from __future__ import annotations


def parse_http_date(value: str | None) -> float | None:
    """Unix seconds of any of the three date forms of RFC 9110, None where it is none of them."""
    raise NotImplementedError


def parse_retry_after(value: str | None, now: float, *, cap: float = 3600.0) -> float | None:
    """Seconds to wait, 0 to `cap`; None where the header is missing or makes no sense."""
    raise NotImplementedError
