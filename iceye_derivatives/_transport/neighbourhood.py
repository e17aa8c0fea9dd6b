"""Does a name lead from a public service into a private network?

A link's text says little: whoever owns a name can let it lead to 10.0.0.1, and to another address
a moment later ("DNS rebinding").  So the answers of the look-up are judged themselves, the very
ones that are connected to next.  Where the API itself stands in a private network, so may its
store, and nothing is refused.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Protocol

from iceye_derivatives._core.addresses import address_of, is_private
from iceye_derivatives._core.link_policy import UnsafeLink, host_of_link

if TYPE_CHECKING:
    from aiohttp.abc import AbstractResolver, ResolveResult

__all__ = ["Judge", "JudgedResolver", "Neighbourhood"]


class Judge(Protocol):
    """Looks at what a name leads to before anything connects to it."""

    def __call__(self, host: str, addresses: Collection[str]) -> None:
        """Raise `UnsafeLink` to forbid it."""
        ...


class Neighbourhood:
    """Where the API stands: told by its URL, or learned when its name is looked up.

    A name that was not looked up yet, or that only a proxy looks up, counts as public.
    """

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._host = host_of_link(base_url)
        self.is_public = not is_private(self._host)

    def note(self, host: str, addresses: Collection[str]) -> None:
        """A name was looked up for the API's own session: forbids nothing."""
        if host.lower().rstrip(".") == self._host and addresses:
            self.is_public = not all(map(is_private, addresses))

    def judge_files(
        self,
        allowed: Collection[str],
        proxies: Collection[str],
        host: str,
        addresses: Iterable[str],
    ) -> None:
        """A name was looked up for a link.

        Args:
            allowed: hosts that the caller named: these may be private.
            proxies: hosts of proxies, which mostly are private, and look names up themselves.
            host: the name.
            addresses: what it leads to.

        Raises:
            UnsafeLink: the API is public and the name leads to a private address.
        """
        name = host.lower().rstrip(".")
        if not self.is_public or name in allowed or name in proxies:
            return
        if any(map(is_private, addresses)):
            raise UnsafeLink("leads from a public service to a private address, by its name")

    def check_direct(self, proxies: Collection[str], raw: str) -> None:
        """A link is about to be opened without a proxy: it must not be to the proxy itself.

        Raises:
            UnsafeLink: it is, and the API is public.
        """
        if not self.is_public or not proxies:
            return
        host = host_of_link(raw)
        if address_of(host) is None and host in proxies:
            raise UnsafeLink("leads to the proxy itself")


class JudgedResolver:
    """aiohttp's own resolver, whose answers a judge sees first."""

    def __init__(self, inner: AbstractResolver, judge: Callable[[str, list[str]], None]) -> None:
        self._inner = inner
        self._judge = judge

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Look up, then ask the judge."""
        found = await self._inner.resolve(host, port, family)
        self._judge(host, [entry["host"] for entry in found])
        return found

    async def close(self) -> None:
        """Let the inner one go."""
        await self._inner.close()
