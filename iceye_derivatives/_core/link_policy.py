"""Is a link one that we follow?"""

from __future__ import annotations


class UnsafeLink(ValueError):  # noqa: N818 - internal; becomes `UnsafeLinkError` above
    """A link that is not followed; the text says why and holds no part of its query."""


def check_link(raw: str, *, allow_http: bool = False, came_from: str | None = None) -> None:
    """Raise `UnsafeLink` unless the link is one to open; `came_from` is who redirected to it."""
    raise NotImplementedError


def redirect_target(current: str, location: str) -> str:
    """Where a ``Location`` leads, byte for byte where it is absolute."""
    raise NotImplementedError


def is_loopback(host: str) -> bool:
    """Whether the host is this machine by its very name."""
    raise NotImplementedError
