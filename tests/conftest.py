"""What every test shares: an event loop, no way out of this machine, and budgets for laws."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import sys
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

import iceye_derivatives

# This process has read it already.  Programs that a test starts shall run as people run them: in
# development mode, asyncio would print each callback that a busy machine makes slow.
os.environ.pop("PYTHONDEVMODE", None)

# A machine may be slow for reasons that are not ours: no deadline, and no verdict on slowness.
settings.register_profile("base", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# The default is derandomised, so that a failure in CI belongs to the change that was made; the
# search for new counterexamples is the session `properties`.
settings.register_profile("quick", settings.get_profile("base"), derandomize=True, database=None)
# Where another Python has searched the same laws: enough to see that they hold on this one, too.
settings.register_profile("brief", settings.get_profile("quick"), max_examples=20)
settings.register_profile("soak", settings.get_profile("base"), max_examples=5_000)
settings.load_profile("quick")


def pytest_report_header() -> list[str]:
    """Which code is tested, over which libraries: the first question about any red run."""
    names = ("aiofiles", "aiohttp", "anyio", "attrs", "cattrs", "click", "hypothesis", "rich")
    return [
        f"testing: {iceye_derivatives.__path__[0]}",
        f"with: {', '.join(f'{name} {version(name)}' for name in names)}",
    ]


@pytest.fixture
def anyio_backend() -> str:
    """Asyncio, as aiohttp needs; a test free of aiohttp may parametrise it with trio."""
    return "asyncio"


class _Guard:
    """Sees every connection and name look-up of this process, whoever makes it.

    An audit hook, because it also sees what C code does, and nothing has to be patched.  It cannot
    be removed, so there is one for the whole run.
    """

    def __init__(self) -> None:
        self.escapes: list[str] = []
        sys.addaudithook(self)

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
            sock, address = args
            if sock.family in {socket.AF_INET, socket.AF_INET6} and address is not None:
                self._judge(str(address[0]), event)
        elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
            self._judge(args[0], event)

    def _judge(self, host: str | bytes | None, event: str) -> None:
        name = host.decode() if isinstance(host, bytes) else host
        if name is None or _is_loopback(name):
            return
        if name.endswith(".invalid"):
            # RFC 6761 6.4: such names "are always assumed to not exist"; no server is asked.
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        self.escapes.append(f"{event} {name}")
        raise OSError(errno.ENETUNREACH, "A test tried to leave this machine", name)


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return name in {"", "localhost"} or name.endswith(".localhost")


_GUARD = _Guard()


@pytest.fixture(autouse=True)
def no_network() -> Iterator[list[str]]:
    """Fail any test that leaves the loopback interface, even where the library took the error."""
    _GUARD.escapes.clear()
    yield _GUARD.escapes
    assert not _GUARD.escapes
