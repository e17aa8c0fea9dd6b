"""Which process are we, and does another one still live?"""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress
from functools import cache
from itertools import count
from pathlib import Path
from secrets import token_hex
from typing import Final

from iceye_derivatives._core.ownership import Owner

__all__ = ["forget_claim", "hold_claim", "lives", "new_owner", "unique_token"]

_BOOT = Path("/proc/sys/kernel/random/boot_id")
# Behind the command's name, which may hold anything: "(22) starttime" of proc_pid_stat(5), less
# the two fields before it.
_STARTED = 19
_counter = count(1)
_claims: Final[set[tuple[str, str]]] = set()
"""Tokens and files of the claims of this process: a forked or restarted one has none of them."""
_token: tuple[int, str] = (0, "")


def unique_token() -> str:
    """A word of this process: random, and another one after a fork."""
    global _token  # noqa: PLW0603 - one process, one word
    if _token[0] != os.getpid():
        _token = (os.getpid(), token_hex(8))
    return _token[1]


def new_owner() -> Owner:
    """This process, by a token that it has never had."""
    token = f"{unique_token()}{next(_counter):08x}"
    us = _ourselves(_token[0])
    return Owner(token=token, host=us.host, machine=us.machine, pid=us.pid, started=us.started)


def hold_claim(owner: Owner, file: str) -> None:
    """A claim on that file begins; call it before anybody can see its record."""
    _claims.add((owner.token, file))


def forget_claim(owner: Owner, file: str) -> None:
    """The claim has ended."""
    _claims.discard((owner.token, file))


def lives(owner: Owner, file: str) -> bool | None:
    """Whether the owner's process lives and still has that file; None where nobody can tell."""
    here = _machine(os.getpid())
    if not here or owner.machine != here:
        return None
    if owner.pid == os.getpid():
        return (owner.token, file) in _claims
    if _BOOT.exists():
        # A number that was given to another process since is told by when that one started.
        return _started(owner.pid) == owner.started
    try:
        os.kill(owner.pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return None
    return None


@cache
def _ourselves(pid: int) -> Owner:
    return Owner(
        token="",
        host=socket.gethostname(),
        machine=_machine(pid),
        pid=pid,
        started=_started(pid) or "",
    )


@cache
def _machine(pid: int) -> str:
    """What a process number is a number of; the cache is by process, since a fork may move."""
    with suppress(OSError):
        # Two containers on one kernel have process numbers of their own, so one names both.
        numbers = os.readlink(f"/proc/{pid}/ns/pid")  # noqa: PTH115 - a name, not a path
        return f"{_BOOT.read_text(encoding='ascii').strip()} {numbers}"
    return "" if sys.platform == "win32" else f"host {socket.gethostname()}"


def _started(pid: int) -> str | None:
    try:
        # Bytes: a process may call itself anything.
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return None if fields[0] == b"Z" else fields[_STARTED].decode("ascii")
    except (OSError, LookupError, ValueError):
        return None
