"""Through which proxy does a request to a host go?"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from anyio import Lock, to_thread

__all__ = ["Proxies"]

_ORIGIN: Final = re.compile(r"https?://[^/?#]*")


class Proxies:
    """The environment's proxies (``HTTPS_PROXY``, ``NO_PROXY``, the system's own), per host."""

    def __init__(self, *, trust_env: bool) -> None:
        self._trust_env = trust_env
        self._known: dict[tuple[str, str], str | None] = {}
        self._by_origin: dict[str, str | None] = {}
        self._looking = Lock(fast_acquire=True)
        self.hosts: set[str] = set()
        """The hosts of all proxies that were found so far."""

    def known(self, origin: str) -> str | None:
        """The proxy's URL, None for the direct way; raises LookupError where it must be `lookup`ed.

        Args:
            origin: what stands before path and query; what a store's link is signed with is not
                kept here.
        """
        return self._by_origin[origin] if self._trust_env else None

    async def lookup(self, url: str) -> str | None:
        """The same for any URL; raises ValueError for what is none."""
        found = _ORIGIN.match(url)
        origin = "" if found is None else found[0]
        if not self._trust_env or origin in self._by_origin:
            return self.known(origin)
        # One looks, and all who ask meanwhile wait for that: else the first files of a run, which
        # begin together, would all look, each in a thread of its own.
        async with self._looking:
            parts = urlsplit(url)
            key = parts.scheme, parts.netloc.rpartition("@")[2]
            if key not in self._known:
                # Off the loop: Windows reads its registry here, and may look names up.
                proxy = self._known[key] = await to_thread.run_sync(_look_up, *key)
                if proxy is not None:
                    self.hosts.add((urlsplit(proxy).hostname or "").rstrip("."))
        if origin:
            self._by_origin[origin] = self._known[key]
        return self._known[key]


def _look_up(scheme: str, host: str) -> str | None:
    from urllib.request import (  # noqa: PLC0415 - heavy, and needed only once a session opens
        getproxies,
        proxy_bypass,
    )

    return None if proxy_bypass(host) else getproxies().get(scheme)
