"""Is a host, by its text alone, this machine, or one of a private network?"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

__all__ = ["address_of", "is_loopback", "is_private"]

# RFC 6052, section 2.1: the well-known prefix of translators; the last 32 bits are an IPv4 address.
_TRANSLATED = IPv6Network("64:ff9b::/96")


@lru_cache(maxsize=256)
def address_of(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host is written as; None for a name."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    # ::ffff:127.0.0.1 is 127.0.0.1, written as an IPv6 address.
    return getattr(address, "ipv4_mapped", None) or address


def is_loopback(host: str) -> bool:
    """Whether the host is this machine by its very name."""
    address = address_of(host)
    if address is not None:
        return address.is_loopback
    name = host.lower().rstrip(".")
    return name == "localhost" or name.endswith(".localhost")


def is_private(host: str) -> bool:
    """Whether it is an address that the open internet does not lead to, or a name of loopback.

    Private, shared, loopback, link-local (where clouds keep their metadata), unspecified, reserved
    and multicast addresses, also where a tunnel's address carries one.
    """
    address = address_of(host)
    if address is None:
        return is_loopback(host)
    return any(not each.is_global or each.is_multicast for each in _carried(address))


def _carried(address: IPv4Address | IPv6Address) -> Iterable[IPv4Address | IPv6Address]:
    """The address itself, and those of IPv4 that tunnels and translators write into it."""
    yield address
    if isinstance(address, IPv6Address):
        if address.sixtofour is not None:
            yield address.sixtofour
        if address in _TRANSLATED:
            yield IPv4Address(int(address) & 0xFFFF_FFFF)
