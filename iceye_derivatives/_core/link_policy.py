"""Is a link one that we follow?

A link is handed to us by the API, or by a store's redirect, and both are strangers: whoever can
put a link there could otherwise have this machine fetch from its own network.  What is judged here
is the link's text; what its name leads to is judged where it is looked up, see
`_transport.neighbourhood`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import lru_cache
from urllib.parse import SplitResult, urljoin, urlsplit

from iceye_derivatives._core.addresses import address_of, is_loopback, is_private
from iceye_derivatives.errors import ConfigurationError

__all__ = ["UnsafeLink", "check_hosts", "check_link", "host_of_link", "redirect_target"]

# "2130706433", "0x7f.1" and "127.1" are addresses to `getaddrinfo`, though no address by their
# looks: a name's last label is never a number (WHATWG URL, "ends in a number").
_ODD_ADDRESS = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?", re.IGNORECASE)
# A host as `allowed_hosts` takes it; an IPv6 address is written without its brackets there.
_HOST = re.compile(r"(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|[0-9a-f:.]*:[0-9a-f:.]*")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*:(?://[^/?#]*)?", re.IGNORECASE)
_ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


class UnsafeLink(ValueError):  # noqa: N818 - a decision, which becomes `UnsafeLinkError` above
    """A link that is not followed; the text says why and holds no part of the link."""


def check_hosts(hosts: Iterable[str]) -> frozenset[str]:
    """Hosts to which links may lead: exact ones, and ``*.example.com`` for all names below one.

    Raises:
        ConfigurationError: one of them is no host, e.g. a URL; or they are one string.
    """
    if isinstance(hosts, str):
        raise ConfigurationError("`allowed_hosts` is a string; give a list of hosts")
    known = frozenset(host.lower().rstrip(".") for host in hosts)
    for host in sorted(known):
        if _HOST.fullmatch(host) is None:
            raise ConfigurationError(
                "`allowed_hosts` holds something that is no host; give names without scheme and "
                "port, e.g. d1234567890abc.cloudfront.net or *.cloudfront.net"
            )
    return known


def check_link(
    raw: str,
    *,
    allow_http: bool = False,
    allowed_hosts: Collection[str] = (),
    came_from: str | None = None,
) -> str:
    """The origin of a link to open: what stands before its path and query, as it stands there.

    Args:
        raw: the link, byte for byte.
        allow_http: whether plain http is fine everywhere, not on this machine alone.
        allowed_hosts: of `check_hosts`; where there are any, links lead nowhere else.  One that is
            named exactly may also be private.
        came_from: where the link stood: the API's own URL, or the link that redirected to it; None
            where it does not matter.

    Raises:
        UnsafeLink: with the reason, which reads on after "the link".
    """
    try:
        return _judged(raw, allow_http, frozenset(allowed_hosts), came_from)
    except UnsafeLink as refusal:
        reason = f"{refusal}"
    # Anew, so that no frame with the link taken apart stands in the traceback.
    raise UnsafeLink(reason)


def _judged(
    raw: str,
    allow_http: bool,  # noqa: FBT001 - as `check_link` has it
    allowed_hosts: frozenset[str],
    came_from: str | None,
) -> str:
    # Anything but printable ASCII either cannot stand in a request line, or is read differently by
    # different parsers (a backslash is a slash to some).
    if not (raw and raw.isascii() and raw.isprintable()) or " " in raw or "\\" in raw:
        raise UnsafeLink("holds characters that no link may hold")
    origin = _origin(raw)
    public = came_from is not None and _is_public(_origin(came_from))
    _judge(origin, allow_http, allowed_hosts, public)
    return origin


def _origin(raw: str) -> str:
    """What stands before path and query: all that is judged, and no secret of a signed link.

    Nothing for a link that has none, or none that is followed.
    """
    found = _ORIGIN.match(raw)
    return "" if found is None else found[0]


@lru_cache(maxsize=256)
def _is_public(origin: str) -> bool:
    return not is_private(_split(origin)[1])


# A task's links lead to one store.  Only yeses are remembered: an error is no answer to keep.
@lru_cache(maxsize=256)
def _judge(
    origin: str,
    allow_http: bool,  # noqa: FBT001 - the cache's key
    allowed_hosts: frozenset[str],
    from_public: bool,  # noqa: FBT001 - the cache's key
) -> None:
    parts, host = _split(origin)
    if parts.scheme not in {"http", "https"}:
        raise UnsafeLink("has another scheme than https")
    if "@" in parts.netloc:
        raise UnsafeLink("holds a user name or password")
    if not host:
        raise UnsafeLink("names no host")
    if address_of(host) is None and _ODD_ADDRESS.fullmatch(host):
        raise UnsafeLink("writes its address in an odd form")
    if parts.scheme == "http" and not (allow_http or is_loopback(host)):
        raise UnsafeLink("is plain http, which anybody on the way can read")
    if allowed_hosts and not _is_allowed(host, allowed_hosts):
        raise UnsafeLink("leads to a host that is not among `allowed_hosts`")
    # "to a private address from a public one": the way into a network that should stay closed.
    if from_public and host.rstrip(".") not in allowed_hosts and is_private(host):
        raise UnsafeLink("leads from a public service to a private address")


def _is_allowed(host: str, allowed: Collection[str]) -> bool:
    labels = host.rstrip(".").split(".")
    above = (".".join(labels[start:]) for start in range(1, len(labels)))
    return host.rstrip(".") in allowed or any(f"*.{name}" in allowed for name in above)


def host_of_link(raw: str) -> str:
    """The host of a link that has passed `check_link`, in lower case."""
    return _split(raw)[1].rstrip(".")


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


def _split(raw: str) -> tuple[SplitResult, str]:
    try:
        parts = urlsplit(raw)
        _ = parts.port  # read for its check alone
    except ValueError:
        pass
    else:
        return parts, parts.hostname or ""
    raise UnsafeLink("cannot be read")
