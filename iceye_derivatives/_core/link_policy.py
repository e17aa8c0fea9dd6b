"""Is a link one that we follow?

A link is handed to us by the API, or by a store's redirect, and both are strangers: whoever can
put a link there could otherwise have this machine fetch from its own network.  What is judged is
the link's text; names are not looked up, so a public name that leads to a private address is the
business of the network's own rules.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, urljoin, urlsplit

__all__ = ["UnsafeLink", "check_link", "is_loopback", "redirect_target"]

# Anything else either cannot stand in a request line, or is read differently by different parsers
# (a backslash is a slash to some).
_LINK = re.compile(r"[!-\[\]-~]+")
# "2130706433", "0x7f.1" and "127.1" are addresses to `getaddrinfo`, though no address by their
# looks: a name's last label is never a number (WHATWG URL, "ends in a number").
_ODD_ADDRESS = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?", re.IGNORECASE)
_ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


class UnsafeLink(ValueError):  # noqa: N818 - a decision, which becomes `UnsafeLinkError` above
    """A link that is not followed; the text says why and holds no part of the link."""


def check_link(raw: str, *, allow_http: bool = False, came_from: str | None = None) -> None:
    """Do nothing for a link to open.

    Args:
        raw: the link, byte for byte.
        allow_http: whether plain http is fine everywhere, not on this machine alone.
        came_from: the link that redirected to it, if one did.

    Raises:
        UnsafeLink: with the reason, which reads on after "the link".
    """
    try:
        _judge(raw, allow_http=allow_http, came_from=came_from)
    except UnsafeLink as refusal:
        reason = f"{refusal}"
    else:
        return
    # Anew, so that no frame with the link taken apart stands in the traceback.
    raise UnsafeLink(reason)


def _judge(raw: str, *, allow_http: bool, came_from: str | None) -> None:
    if _LINK.fullmatch(raw) is None:
        raise UnsafeLink("holds characters that no link may hold")
    parts, host = _split(raw)
    if parts.scheme not in {"http", "https"}:
        raise UnsafeLink("has another scheme than https")
    if "@" in parts.netloc:
        raise UnsafeLink("holds a user name or password")
    if not host:
        raise UnsafeLink("names no host")
    if _address(host) is None and _ODD_ADDRESS.fullmatch(host):
        raise UnsafeLink("writes its address in an odd form")
    if parts.scheme == "http" and not (allow_http or is_loopback(host)):
        raise UnsafeLink("is plain http, which anybody on the way can read")
    # "to a private address from a public one": the way into a network that should stay closed.
    if came_from is not None and _is_private(host) and not _is_private(_split(came_from)[1]):
        raise UnsafeLink("leads from a public store to a private address")


def redirect_target(current: str, location: str) -> str:
    """Where a ``Location`` leads: byte for byte where it is absolute, as a signature may be in it.

    Never raises: what cannot be joined is handed back, for `check_link` to refuse.
    """
    bare = location.strip().partition("#")[0]
    if _ABSOLUTE.match(bare):
        return bare
    try:
        return urljoin(current, bare)
    except ValueError:
        return bare


def is_loopback(host: str) -> bool:
    """Whether the host is this machine by its very name."""
    address = _address(host)
    if address is not None:
        return address.is_loopback
    name = host.lower().rstrip(".")
    return name == "localhost" or name.endswith(".localhost")


def _split(raw: str) -> tuple[SplitResult, str]:
    try:
        parts = urlsplit(raw)
        _ = parts.port  # read for its check alone
    except ValueError:
        pass
    else:
        return parts, parts.hostname or ""
    raise UnsafeLink("cannot be read")


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host)
    except ValueError:
        return None
    # ::ffff:127.0.0.1 is 127.0.0.1 in another coat.
    return getattr(address, "ipv4_mapped", None) or address


def _is_private(host: str) -> bool:
    address = _address(host)
    return is_loopback(host) if address is None else not address.is_global
